"""What a bucket says of one object, and what is said of it when it is stored."""

from datetime import UTC, datetime
from mimetypes import guess_type
from typing import Any, Final

from wan_pipelines.storage.s3_errors import code_of, status_of
from wan_pipelines.storage.store import ObjectInfo

BODILESS: Final = {301, 400, 403, 404}
"""Statuses whose reason a HEAD request does not tell."""


def looked_at(client: Any, bucket: str, name: str) -> dict[str, Any] | None:
    """The answer to a HEAD request; None if nothing is there.

    Refusals of HEAD have no body that says why: that the bucket is missing, say, which must not
    pass for a missing object. GET is refused with one.
    """
    from botocore.exceptions import ClientError

    try:
        return client.head_object(Bucket=bucket, Key=name)
    except ClientError as error:
        if status_of(error) not in BODILESS:
            raise
    return _asked_why(client, bucket, name)


def _asked_why(client: Any, bucket: str, name: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        answer = client.get_object(Bucket=bucket, Key=name)
    except ClientError as error:
        if code_of(error) == "NoSuchKey":
            return None
        raise
    answer["Body"].close()  # it has come into being between the two requests
    return answer


def object_info(key: str, size: int, etag: str, modified: datetime) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=size,
        signature=f"{etag.strip(chr(34))}:{size}",
        stored_at=modified.astimezone(UTC).replace(microsecond=0),
    )


def content_type(name: str) -> str:
    kind = guess_type(name, strict=False)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
