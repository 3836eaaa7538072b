"""Half-rendered shots in an object store: those of a tenant, one object a shot."""

from datetime import datetime

from wan_pipelines.errors import StorageError
from wan_pipelines.storage import ObjectStore
from wan_pipelines.storage.keys import check_key

SUFFIX = ".safetensors"


class StoredCheckpoints:
    """`Checkpoints` under `prefix` of a store. Attempts anywhere that reach it find them."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def load(self, render_key: str, limit_bytes: int) -> bytes | None:
        """See `Checkpoints.load`."""
        key = self._key(render_key)
        info = self._store.stat(key)
        if info is None:
            return None
        if info.size_bytes > limit_bytes:
            raise StorageError(
                f"{self._store.uri(key)} has {info.size_bytes} bytes; a checkpoint of this shot "
                f"has at most {limit_bytes}. Delete it."
            )
        return self._store.read_bytes(key)

    def save(self, render_key: str, data: bytes) -> None:
        """See `Checkpoints.save`."""
        self._store.put_bytes(self._key(render_key), data)

    def remove(self, render_key: str) -> None:
        """See `Checkpoints.remove`."""
        self._store.delete(self._key(render_key))

    def _key(self, render_key: str) -> str:
        return check_key(f"{self._prefix}{render_key}{SUFFIX}")


def remove_older(store: ObjectStore, than: datetime) -> int:
    """Removes what nobody has gone on with since; how many. Raises StorageError."""
    old = [info.key for info in store.list() if info.key.endswith(SUFFIX) and info.stored_at < than]
    for key in old:
        store.delete(key)
    return len(old)
