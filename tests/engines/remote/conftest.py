"""One server in this process for all tests of a module, and a proxy before it for each."""

from collections.abc import Iterator

import pytest

from tests.engines.remote.remotes import Remote, remote_release
from tests.serving.gate import Gate, Served, served
from tests.support.fault_proxy import fault_proxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), Gate()) as running:
        yield running


@pytest.fixture
def remote(server: Served) -> Iterator[Remote]:
    with fault_proxy(server.url) as proxy:
        server.gate.begun.clear()
        server.gate.opened.clear()
        yield Remote(server, proxy, remote_release("wan"))
