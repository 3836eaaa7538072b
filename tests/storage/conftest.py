"""The server that these tests talk to."""

from tests.support.seaweed import s3, s3_server

__all__ = ["s3", "s3_server"]
