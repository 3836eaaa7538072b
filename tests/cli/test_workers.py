import json
import os

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.rendering.clock import Instant
from wan_pipelines.rendering.ports import Lease
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.books import LedgerBook
from wan_pipelines.studio.planning import admit

RUN = RunReference("run-1", "shard_1")


def test_a_worker_is_shown_with_its_shot_its_step_and_their_age(wan: Wan, quick_project: Project):
    studio = quick_project.studio()
    plan = admit(studio, "balls", "one")
    shot = plan.shots[0].shot
    with LedgerBook.opened(studio, plan.edition, RUN, Instant.of_birth()) as book:
        lease = book.lease(shot)
        assert isinstance(lease, Lease)
        book.stand(Progress(shot.name, lease.take_id, 1, 4, 0, 2))
        book.beat()
        (found,) = json.loads(wan("workers", "--json").stdout)
        assert (found["campaign"], found["shot"]) == ("balls", shot.name)
        assert (found["pid"], found["step"], found["steps"]) == (os.getpid(), 1, 4)
        assert found["last_step_age_seconds"] >= 0
        assert "1 of 4" in wan("workers").stdout
        assert json.loads(wan("workers", "--tenant", "small", "--json").stdout) == []
        book.stand(None)
        book.beat()
        (found,) = json.loads(wan("workers", "--json").stdout)
        assert (found["shot"], found["step"], found["last_step_age_seconds"]) == (None,) * 3
    assert "No worker is paid" in wan("workers").stderr
