"""A video that was drawn with less says so wherever it is shown."""

import json

from tests.cli.invoking import invoker
from tests.support.greedy import one_process, studio_with_ladder, untiled
from tests.support.project import Project
from wan_pipelines.components.metadata import of_videos
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.release_checks import check_footholds
from wan_pipelines.studio.shard_records import ShardReference
from wan_pipelines.studio.videos import publish

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"


def test_it_is_marked_in_lists_lineage_page_and_checks(quick_project: Project) -> None:
    studio = studio_with_ladder(quick_project)
    edition = admit(studio, "balls", "one").edition
    one_process(studio, ShardReference("shard_1", edition, (BOX,)), lambda request: False)
    for _ in range(2):
        one_process(studio, ShardReference("shard_2", edition, (BALL,)), untiled)
    published = publish(studio, edition)
    told = of_videos(studio, published)
    assert (told["accepted"], told["degraded"]) == (2, 1)
    rows = [record.data for record in told["videos"].records]
    assert [row["why"] for row in rows] == ["degraded: tiles", ""]
    page = studio.store.read_bytes(published.pages.page).decode()
    assert page.count('<p class="pill degraded">degraded: tiles</p>') == 1

    wan = invoker(quick_project)
    heading, *rows = wan("videos").stdout.splitlines()
    assert "Degraded" in heading
    assert [row.split()[2] for row in rows if "tiles" in row.split()] == [BALL]
    (video,) = json.loads(wan("videos", "--degraded", "--json").stdout)
    assert (video["shot"], video["rungs"], video["degraded"]) == (BALL, ["tiles"], True)
    assert video["requested"] == {"release": "sample", "tier": "draft"}
    lineage = wan("lineage", video["take_id"]).stdout
    assert "drawn by sample on rungs tiles (degraded)" in lineage
    assert "tried on rung tiles" in lineage
    manifest = json.loads(wan("lineage", video["take_id"], "--json").stdout)["manifest"]
    assert manifest["requested"]["rungs"] == ["tiles"]
    (finding,) = check_footholds(studio)
    assert finding.message.startswith("sample 32x32x5 on laptop-cpu begins on rung tiles since")
