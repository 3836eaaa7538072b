"""Where videos, pages and weights are kept: named objects, in a folder or a bucket."""

from pathlib import Path

from wan_pipelines.errors import InputError
from wan_pipelines.storage.addresses import REMEDY, bucket_of, folder_of
from wan_pipelines.storage.folder import FolderStore
from wan_pipelines.storage.s3 import S3Store
from wan_pipelines.storage.s3_settings import S3Settings
from wan_pipelines.storage.store import ObjectInfo, ObjectStore, StoredFile

__all__ = [
    "FolderStore",
    "ObjectInfo",
    "ObjectStore",
    "S3Settings",
    "S3Store",
    "StoredFile",
    "open_store",
]


def open_store(
    url: str | Path, *, durable: bool = True, s3: S3Settings | None = None
) -> ObjectStore:
    """Open the store at a path, a file:// or an s3:// URL; nothing is made before the first write.

    Without `durable` a power cut may lose what was stored last in a folder; see `FolderStore`.
    `s3` holds for buckets. Raises InputError for any other kind of address.
    """
    text = str(url)
    if "://" not in text:
        if not text.strip() or "\0" in text:
            raise InputError(f"{text!r} is no folder.", where="store", remedy=REMEDY)
        return FolderStore(Path(text).expanduser(), durable=durable)
    if text.startswith("s3://"):
        return S3Store(*bucket_of(text), s3)
    return FolderStore(folder_of(text), durable=durable)
