"""Objects in a bucket: Amazon's S3, or any server that speaks its protocol."""

import logging
from collections.abc import Callable, Iterator
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote
from uuid import uuid4

from wan_pipelines.errors import StorageError
from wan_pipelines.storage.atomic import atomic_write
from wan_pipelines.storage.hashing import HashingReader, HashingWriter, Passed
from wan_pipelines.storage.keys import check_key, is_key
from wan_pipelines.storage.s3_answers import content_type, looked_at, object_info
from wan_pipelines.storage.s3_client import s3_client, transfer_config
from wan_pipelines.storage.s3_errors import code_of, explained, patiently
from wan_pipelines.storage.s3_leftovers import abort_stale_uploads
from wan_pipelines.storage.s3_reader import S3Reader
from wan_pipelines.storage.s3_settings import S3Settings
from wan_pipelines.storage.store import ObjectInfo, StoredFile

log = logging.getLogger(__name__)

T = TypeVar("T")

BUFFER_BYTES: Final = 256 << 10
PAGE_OBJECTS: Final = 1000
"""The most that S3 lists at a time."""
WRITER: Final = "writer"
"""Metadata of what must exist once: tells whose it is when an answer was lost."""


class S3Store:
    """An ObjectStore below `prefix` of a bucket; nothing is asked before the first use.

    What is stored becomes visible when the server has all of it. Addresses for browsers are signed
    and expire after `settings.link_seconds`, or with the credentials, if those end sooner.
    """

    def __init__(self, bucket: str, prefix: str = "", settings: S3Settings | None = None) -> None:
        self.bucket = bucket
        self.prefix = f"{check_key(prefix)}/" if prefix else ""
        self.settings = settings or S3Settings()
        self._swept = False

    def __repr__(self) -> str:
        return f"S3Store({self._address()!r})"

    def put_file(self, key: str, path: Path, passed: Passed | None = None) -> StoredFile:
        """Store a copy of a local file, in parts if it is large."""
        name = self._name(key)

        def send(client: Any) -> HashingReader:
            with path.open("rb") as file:
                source = HashingReader(file, passed)
                self._send(client, name, source)
                return source

        if self._is_large(path):
            self._sweep()
        sent = self._do("store", key, send)
        return self._passed(key, sent)

    def put_bytes(self, key: str, data: bytes) -> ObjectInfo:
        """Store bytes, in parts if there are many."""
        name = self._name(key)
        if len(data) >= self.settings.part_bytes:
            self._sweep()
            self._do("store", key, lambda client: self._send(client, name, BytesIO(data)))
        else:
            self._do("store", key, lambda client: client.put_object(Body=data, **self._put(name)))
        return self._stored(key)

    def create(self, key: str, data: bytes) -> ObjectInfo | None:
        """Store bytes if nothing is there; None, and nothing is changed, if something is."""
        writer = uuid4().hex
        conditions = {**self._put(self._name(key)), "IfNoneMatch": "*"}

        def put(client: Any) -> bool:
            from botocore.exceptions import ClientError

            try:
                client.put_object(Body=data, Metadata={WRITER: writer}, **conditions)
            except ClientError as error:
                if code_of(error) != "PreconditionFailed":
                    raise
                return False
            return True

        if not self._do("create", key, put):
            # A request whose answer was lost has been repeated, and may have met its own object.
            answer = self._head(key)
            if answer is None or answer["Metadata"].get(WRITER) != writer:
                return None
        return self._stored(key)

    def get_file(self, key: str, path: Path) -> StoredFile:
        """Fetch an object into a local file, in parallel parts if it is large."""
        name = self._name(key)

        def fetch(client: Any) -> HashingWriter:
            with atomic_write(path) as file:
                sink = HashingWriter(file)
                client.download_fileobj(
                    self.bucket, name, sink, Config=transfer_config(self.settings)
                )
                return sink

        return self._passed(key, self._do("fetch", key, fetch))

    def read_bytes(self, key: str) -> bytes:
        """Return the whole content."""
        with self.open(key) as file:
            return file.read()

    def open(self, key: str) -> BinaryIO:
        """Open the content for reading; what breaks on the way is asked for again."""
        return BufferedReader(self._reader(key), BUFFER_BYTES)

    def stream(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """Yield the content from byte `start` on, in pieces that are not copied on the way."""
        with self._reader(key) as reader:
            reader.seek(start)
            yield from reader.pieces()

    def stat(self, key: str) -> ObjectInfo | None:
        """Return what is known about an object, None if there is none."""
        answer = self._head(key)
        if answer is None:
            return None
        return object_info(key, answer["ContentLength"], answer["ETag"], answer["LastModified"])

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with `prefix`, sorted by key."""
        folder = prefix.rpartition("/")[0]
        if folder:
            check_key(folder)
        found = (
            object_info(key, entry["Size"], entry["ETag"], entry["LastModified"])
            for entry in self._entries(prefix)
            if is_key(key := entry["Key"].removeprefix(self.prefix))
        )
        yield from sorted(found, key=lambda info: info.key)  # not every server sorts

    def delete(self, key: str) -> None:
        """Remove an object; it is fine if there is none."""
        name = self._name(key)
        self._do("delete", key, lambda client: client.delete_object(Bucket=self.bucket, Key=name))

    def uri(self, key: str) -> str:
        """Return the s3:// URL."""
        return self._address(quote(check_key(key)))

    def link(self, key: str) -> str:
        """Return a signed https:// URL that opens for `settings.link_seconds`."""
        parameters = {"Bucket": self.bucket, "Key": self._name(key)}
        return self._do(
            "link to",
            key,
            lambda client: client.generate_presigned_url(
                "get_object", parameters, ExpiresIn=self.settings.link_seconds
            ),
        )

    def _reader(self, key: str) -> S3Reader:
        name = self._name(key)

        def ask(client: Any, conditions: dict[str, str]) -> Any:
            return client.get_object(Bucket=self.bucket, Key=name, **conditions)

        return S3Reader(
            self._do("read", key, lambda client: ask(client, {})),
            lambda conditions: ask(self._client(), conditions),
            lambda piece: self._do("read", key, lambda _client: piece()),
        )

    def _name(self, key: str) -> str:
        return check_key(self.prefix + check_key(key))

    def _address(self, path: str = "") -> str:
        return f"s3://{self.bucket}/{quote(self.prefix)}{path}".rstrip("/")

    def _client(self) -> Any:
        return s3_client(self.settings)

    def _do(self, verb: str, key: str, work: Callable[[Any], T]) -> T:
        """Do something with a client; errors that stay become StorageErrors."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
        from s3transfer.exceptions import RetriesExceededError

        client = self._client()
        try:
            return patiently(lambda: work(client), self.settings.patience_seconds)
        except (BotoCoreError, ClientError, Boto3Error, RetriesExceededError) as error:
            place = f"{self._address()} at {client.meta.endpoint_url}"
            raise explained(error, f"{verb} {key!r} in {place}") from error
        except OSError as error:
            raise StorageError(
                f"Cannot {verb} {key!r} in {self._address()}: {error.strerror} "
                f"({error.filename or 'local file'}). Check the local file and its disk."
            ) from error

    def _put(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": name, "ContentType": content_type(name)}

    def _send(self, client: Any, name: str, source: Any) -> None:
        """Upload what can be read; parts of an upload that fails are removed."""
        client.upload_fileobj(
            source,
            self.bucket,
            name,
            ExtraArgs={"ContentType": content_type(name)},
            Config=transfer_config(self.settings),
        )

    def _head(self, key: str) -> dict[str, Any] | None:
        name = self._name(key)
        return self._do("look at", key, lambda client: looked_at(client, self.bucket, name))

    def _stored(self, key: str) -> ObjectInfo:
        info = self.stat(key)
        if info is None:
            raise StorageError(f"{self.uri(key)} vanished after it was there. Try again.")
        return info

    def _passed(self, key: str, stream: HashingReader | HashingWriter) -> StoredFile:
        info = self._stored(key)
        if info.size_bytes != stream.size_bytes:
            raise StorageError(
                f"{self.uri(key)} has {info.size_bytes} bytes; {stream.size_bytes} passed by. "
                "It was replaced in the meantime: try again."
            )
        return StoredFile(info, stream.sha256)

    def _entries(self, prefix: str) -> Iterator[dict[str, Any]]:
        where = {
            "Bucket": self.bucket,
            "Prefix": self.prefix + prefix,
            "MaxKeys": PAGE_OBJECTS,
        }
        more: dict[str, str] = {}
        while True:
            page = self._do(
                "list", prefix or "*", lambda client: client.list_objects_v2(**where, **more)
            )
            yield from page.get("Contents", ())
            if not page.get("IsTruncated"):
                return
            more["ContinuationToken"] = page["NextContinuationToken"]

    def _is_large(self, path: Path) -> bool:
        return path.is_file() and path.stat().st_size >= self.settings.part_bytes

    def _sweep(self) -> None:
        """Once, before the first upload in parts: remove those that dead writers left here."""
        if self._swept:
            return
        self._swept = True
        try:
            swept = self._do(
                "sweep", "*", lambda client: abort_stale_uploads(client, self.bucket, self.prefix)
            )
        except StorageError as error:
            log.warning("Uploads that were cut short stay in the bucket: %s", error)
        else:
            log.info("Uploads that were cut short, and are removed: %d.", swept)
