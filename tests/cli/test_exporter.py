import socket
import urllib.request

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.studio.planning import admit


def test_prometheus_reads_what_the_ledger_knows(quick_project: Project):
    admit(quick_project.studio(), "balls", "one")
    process = quick_project.start("wan", "exporter", "--port", "0")
    assert process.stderr
    with process, process.stderr as said:
        address = said.readline().strip()
        assert address.startswith("http://127.0.0.1:"), address + said.read()
        with urllib.request.urlopen(address, timeout=60) as answer:
            told = answer.read().decode().splitlines()
        process.terminate()
        assert process.wait(60) == 0
    assert 'wan_waiting_shots{tenant="demo"} 2.0' in told
    assert "wan_ledger_up 1.0" in told


def test_a_port_that_is_taken_is_named(wan: Wan, quick_project: Project):
    quick_project.studio()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = wan("exporter", "--port", str(port))
    assert f"127.0.0.1:{port} cannot be listened at: Address already in use" in said.stderr
