"""Names of processes."""

import subprocess
import sys
import time
from pathlib import Path

import psutil

from wan_pipelines.processes import (
    host_name,
    is_gone,
    living_in,
    out_of_memory_kills,
    process_name,
)

COUNTERS = """low 0
oom 3
oom_kill 7
oom_group_kill 0
"""
GREEDY = """
from wan_pipelines.processes import limit_address_space
limit_address_space(1 << 30)
try:
    bytearray(1 << 30)
except MemoryError:
    print("no more than that")
"""


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_this_process_is_there() -> None:
    assert not is_gone(process_name())


def test_a_killed_process_is_gone() -> None:
    process = sleeper()
    name = process_name(process.pid)
    assert not is_gone(name)
    process.kill()
    process.wait()
    assert is_gone(name)


def test_a_process_that_nobody_waited_for_is_gone() -> None:
    process = sleeper()
    name = process_name(process.pid)
    process.kill()
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert is_gone(name)
    process.wait()


def test_a_later_process_with_the_same_number_is_another_one() -> None:
    host, pid, started_ms = process_name().rsplit(":", 2)
    assert is_gone(f"{host}:{pid}:{int(started_ms) - 1000}")


def test_nothing_is_known_of_processes_on_other_hosts() -> None:
    _, pid, _ = process_name().rsplit(":", 2)
    assert not is_gone(f"not-{host_name()}:{pid}:1")


def test_a_process_knows_its_age() -> None:
    before = time.monotonic()
    script = "from wan_pipelines.processes import age_ns; print(age_ns())"
    printed = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert 0 < int(printed.stdout) / 1e9 < time.monotonic() - before + 0.02


def test_the_processes_of_a_group_are_found_until_they_have_ended() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    leader = subprocess.Popen(command, process_group=0)
    member = subprocess.Popen(command, process_group=leader.pid)
    assert {process.pid for process in living_in(leader.pid)} == {leader.pid, member.pid}
    leader.kill()
    leader.wait()
    assert [process.pid for process in living_in(leader.pid)] == [member.pid]
    member.kill()
    while psutil.Process(member.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert living_in(leader.pid) == []
    member.wait()


def test_the_kernels_kills_are_read_where_it_counts_them(tmp_path: Path) -> None:
    counters = tmp_path / "memory.events"
    assert out_of_memory_kills([counters]) is None
    counters.write_text(COUNTERS)
    assert out_of_memory_kills([tmp_path / "missing", counters]) == 7


def test_a_process_with_a_limit_gets_no_more_memory() -> None:
    command = [sys.executable, "-c", GREEDY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "no more than that\n"
