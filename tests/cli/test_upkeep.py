import json
from pathlib import Path

from sqlalchemy import text

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.ledger.editions import all_editions
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.planning import admit


def test_a_ledger_is_backed_up_and_restored(wan: Wan, quick_project: Project, tmp_path: Path):
    admit(quick_project.studio(), "balls", "one")
    backup = str(tmp_path / "backup")
    assert "The ledger is in" in wan("ledger", "backup", backup).stderr
    admit(quick_project.studio(), "balls", "two")
    refused = wan("ledger", "restore", backup)
    assert (refused.exit_code, "Say --replace" in refused.stderr) == (1, True)
    assert wan("ledger", "restore", backup, "--replace").exit_code == 0
    editions = {each.edition for each in all_editions(quick_project.studio().ledger, "demo")}
    assert editions == {"one"}


def test_an_older_version_can_have_its_schema_back(wan: Wan, quick_project: Project):
    admit(quick_project.studio(), "balls", "one")
    assert "has schema 0005" in wan("migrate", "--back-to", "0005").stderr
    assert "has schema 0003" in wan("migrate", "--back-to", "0003").stderr
    again = wan("migrate", "--back-to", "0003")
    assert (again.exit_code, "has schema 0003" in again.stderr) == (0, True)
    forward = wan("migrate", "--back-to", "0005")
    assert (forward.exit_code, "which is older than 0005" in forward.stderr) == (1, True)
    assert wan("migrate").exit_code == 0
    assert len(all_editions(quick_project.studio().ledger, "demo")) == 1


def test_a_schema_that_never_was_is_refused(wan: Wan, quick_project: Project):
    quick_project.studio()
    said = wan("migrate", "--back-to", "7")
    assert (said.exit_code, "There is no schema 7. There are 0001" in said.stderr) == (1, True)


def test_what_is_there_is_migrated_any_number_of_times(wan: Wan, quick_project: Project):
    for _ in range(2):
        said = wan("migrate")
        assert said.exit_code == 0
        assert "Dagster's databases are up to date" in said.stderr
    assert (quick_project.state / "dagster" / "dagster.yaml").exists()


def test_an_audit_of_a_sound_ledger_says_so(wan: Wan, quick_project: Project):
    admit(quick_project.studio(), "balls", "one")
    assert "Every reservation, take and charge adds up." in wan("ledger", "audit").stderr


def test_an_audit_tells_what_is_amiss_and_fails(wan: Wan, quick_project: Project):
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    with studio.ledger.write(House("audit")) as session:
        session.execute(text("UPDATE edition_shots SET reservation = NULL"))
    said = wan("ledger", "audit", "--json")
    assert said.exit_code == 1
    assert {each["trouble"] for each in json.loads(said.stdout)} == {"unheld"}
