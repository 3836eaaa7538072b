"""Clients for S3, made from settings and the process environment."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wan_pipelines.errors import StorageError
from wan_pipelines.storage.s3_settings import S3Settings

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig

ATTEMPTS = 3
"""Of one request in quick succession; `patiently` goes on after longer pauses."""
SPARE_CONNECTIONS = 4
DEFAULT_REGION = "us-east-1"
"""Servers that are not Amazon's do not care; signatures need one."""
IO_CHUNK_BYTES = 1 << 20


def s3_client(settings: S3Settings) -> Any:
    """The client of this process for these settings: made once, safe for many threads.

    Raises StorageError for settings of the environment that cannot be used.
    """
    variables = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    return _client(settings, os.getpid(), variables)  # pyright: ignore[reportArgumentType] (frozen)


def transfer_config(settings: S3Settings) -> "TransferConfig":
    """In how many parts of what size, so that memory stays below a few of them."""
    from boto3.s3.transfer import TransferConfig

    config = TransferConfig(
        multipart_threshold=settings.part_bytes,
        multipart_chunksize=settings.part_bytes,
        max_concurrency=settings.parallel,
        io_chunksize=IO_CHUNK_BYTES,
        preferred_transfer_client="classic",
    )
    config.max_in_memory_upload_chunks = settings.parallel
    return config


@lru_cache(maxsize=4)
def _client(settings: S3Settings, pid: int, variables: tuple[tuple[str, str], ...]) -> Any:  # noqa: ARG001
    """Connections do not survive a fork, and a changed environment may name somebody else."""
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.session import get_session

    _check_endpoint()
    try:
        core = get_session()
        core.register_component("data_loader", _loader())
        session = Session(botocore_session=core)
        return session.client(
            "s3",
            region_name=os.environ.get("AWS_REGION") or session.region_name or DEFAULT_REGION,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": settings.addressing},
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                connect_timeout=settings.connect_seconds,
                read_timeout=settings.answer_seconds,
                max_pool_connections=settings.parallel + SPARE_CONNECTIONS,
                tcp_keepalive=True,
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise StorageError(
            f"No client for S3 can be made: {error}. Correct the AWS_ variables of the environment."
        ) from error


@lru_cache(maxsize=1)
def _loader() -> Any:
    """Reads what S3 can do, a megabyte of JSON, once for all clients."""
    from botocore.session import get_session

    return get_session().get_component("data_loader")


def _check_endpoint() -> None:
    """An address with a password in it would end up in messages."""
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if "@" in urlsplit(os.environ.get(name, "")).netloc:
            raise StorageError(
                f"{name} holds credentials. Move them to AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            )
