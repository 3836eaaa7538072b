"""Uploads in parts that were cut short: invisible, and paid for until they are removed."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

STALE: Final = timedelta(days=1)
"""No upload takes so long: whoever began it is dead."""


def abort_stale_uploads(client: Any, bucket: str, prefix: str) -> int:
    """Remove the parts of those below `prefix` that have been under way for a day; how many.

    At most a thousand, the length of a listing: the rest is found the next time.
    """
    found = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", ())
    newest = datetime.now(UTC) - STALE
    stale = [upload for upload in found if upload["Initiated"] < newest]
    for upload in stale:
        client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return len(stale)
