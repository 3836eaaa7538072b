import pytest

from tests.storage.contract import StoreContract
from tests.support.seaweed import S3Server
from wan_pipelines.storage import ObjectStore, open_store

pytestmark = pytest.mark.xdist_group("s3")


class TestS3Store(StoreContract):
    @pytest.fixture
    def store(self, s3: S3Server) -> ObjectStore:
        return open_store(s3.url())
