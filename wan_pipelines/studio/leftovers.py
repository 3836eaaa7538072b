"""Files of takes that were published and never accepted: nobody will ever ask for them."""

from wan_pipelines.encoding.publish import manifest_key
from wan_pipelines.storage import ObjectStore


def discard(store: ObjectStore, tenant: str, render_key: str, take_id: str) -> None:
    """Remove whatever a take left in the store. Raises StorageError."""
    folder = manifest_key(tenant, render_key, take_id).rpartition("/")[0]
    for file in tuple(store.list(f"{folder}/")):
        store.delete(file.key)
