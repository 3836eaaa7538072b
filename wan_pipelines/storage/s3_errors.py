"""What S3 and the network say, in words with a remedy, and whether it may pass by itself."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from wan_pipelines.errors import StorageError

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = logging.getLogger(__name__)

T = TypeVar("T")

KEYS_REMEDY: Final = (
    "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if there is one)."
)
REGION_REMEDY: Final = "Set AWS_REGION to the bucket's region."
FULL_REMEDY: Final = "Free space or raise the quota, or choose another store."
STRANGER_REMEDY: Final = (
    "What answers gives no reason, and may be no S3 server: check AWS_ENDPOINT_URL_S3."
)
REMEDIES: Final = {
    "InvalidAccessKeyId": KEYS_REMEDY,
    "SignatureDoesNotMatch": KEYS_REMEDY,
    "InvalidToken": KEYS_REMEDY,
    "ExpiredToken": "The session has ended: renew the credentials.",
    "AccessDenied": "Give this user the rights to list, read, write and delete there.",
    "RequestTimeTooSkewed": "The clocks of this machine and of the server differ: set them (NTP).",
    "NoSuchBucket": "Create the bucket, or correct the store's address.",
    "NoSuchKey": "Nothing is there: it may have been moved or deleted.",
    "PreconditionFailed": "It was replaced in the meantime: read it again.",
    "InvalidBucketName": "Correct the bucket's name in the store's address.",
    "PermanentRedirect": REGION_REMEDY,
    "AuthorizationHeaderMalformed": REGION_REMEDY,
    "EntityTooLarge": "The server takes no object of this size: raise its limit.",
    "QuotaExceeded": FULL_REMEDY,
    "InsufficientStorage": FULL_REMEDY,
    "XMinioStorageFull": FULL_REMEDY,
    "SlowDown": "The server is busy: try again later, or with less `parallel`.",
    "NoCredentialsError": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.",
    "PartialCredentialsError": KEYS_REMEDY,
    "EndpointConnectionError": "Nothing answers: check AWS_ENDPOINT_URL_S3, network and server.",
    "ConnectTimeoutError": "Nothing answers: check AWS_ENDPOINT_URL_S3, network and server.",
    "ReadTimeoutError": "The server is too slow: look after it, or raise `s3.answer_seconds`.",
    "SSLError": "Check the server's certificate; AWS_CA_BUNDLE names those to trust.",
    "ResponseParserError": STRANGER_REMEDY,
}
CONNECTION_REMEDY: Final = "Check network and server, then try again."
SERVER_REMEDY: Final = "Look at the server, then try again."
UNKNOWN_REMEDY: Final = "Check the server, and the AWS_ variables of the environment."
MAY_PASS: Final = {
    "SlowDown",
    "RequestTimeout",
    "BadDigest",
    "ConditionalRequestConflict",
    "OperationAborted",
}
STAYS: Final = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.INSUFFICIENT_STORAGE}
LONGEST_PAUSE_SECONDS: Final = 10


def code_of(error: Exception) -> str:
    """What the server calls it, or the class of an error on the way there."""
    response = getattr(error, "response", None)
    return response["Error"].get("Code", "") if response else type(error).__name__


def status_of(error: Exception) -> int:
    """The HTTP status of an answer, 0 if there was none."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed in a while."""
    from botocore.exceptions import (
        ClientError,
        ConnectionError,  # noqa: A004 (botocore's own, which Python's is not)
        HTTPClientError,
        IncompleteReadError,
        SSLError,
    )
    from s3transfer.exceptions import RetriesExceededError

    if isinstance(error, ClientError):
        return code_of(error) in MAY_PASS or _is_passing_status(status_of(error))
    passing = (ConnectionError, HTTPClientError, IncompleteReadError, RetriesExceededError)
    return isinstance(error, passing) and not isinstance(error, SSLError)


def _is_passing_status(status: int) -> bool:
    if status in STAYS:
        return False
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def patiently(work: Callable[[], T], patience_seconds: float) -> T:
    """Do it; again after growing pauses if that may help, begun within that time."""
    from tenacity import Retrying, retry_if_exception, stop_before_delay, wait_random_exponential

    retrying = Retrying(
        retry=retry_if_exception(may_pass),
        wait=wait_random_exponential(multiplier=0.2, max=LONGEST_PAUSE_SECONDS),
        stop=stop_before_delay(patience_seconds),
        before_sleep=_say,
        reraise=True,
    )
    return retrying(work)


def _say(state: "RetryCallState") -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("The object store is asked again in %.1f s: %s", state.upcoming_sleep, error)


def explained(error: Exception, doing: str) -> StorageError:
    """The error as one that names what was tried, what was said, and a remedy."""
    from s3transfer.exceptions import RetriesExceededError

    if isinstance(error, RetriesExceededError) and isinstance(error.last_exception, Exception):
        error = error.last_exception
    response = getattr(error, "response", None)
    said = response["Error"].get("Message", "") if response else str(error)
    return StorageError(f"Cannot {doing}: {code_of(error)}: {said.rstrip('.')}. {_remedy(error)}")


def _remedy(error: Exception) -> str:
    from botocore.exceptions import HTTPClientError

    code, status = code_of(error), status_of(error)
    if code in REMEDIES:
        return REMEDIES[code]
    if status == HTTPStatus.INSUFFICIENT_STORAGE:
        return FULL_REMEDY
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SERVER_REMEDY
    if code.isdigit():
        return STRANGER_REMEDY
    return CONNECTION_REMEDY if isinstance(error, HTTPClientError) else UNKNOWN_REMEDY
