import json
from pathlib import Path

from tests.campaigns.briefs import RELEASE, brief
from wan_pipelines.campaigns.expand import expand
from wan_pipelines.campaigns.shots import Shot


def test_shots_survive_json(tmp_path: Path) -> None:
    asked = brief(prompts=["a {colour} ball"], variables={"colour": ["röd", "blue"]}, seeds=[7])
    for shot in expand(asked, RELEASE, tmp_path):
        again = Shot.from_json(json.loads(json.dumps(shot.to_json())))
        assert again == shot
        assert again.render_key == shot.render_key == shot.request.key


def test_what_does_not_decide_pixels_is_not_in_the_key(tmp_path: Path) -> None:
    (one,) = expand(brief(seeds=[7]), RELEASE, tmp_path)
    (other,) = expand(brief(seeds=[7], fps=24, renditions=["av1"]), RELEASE, tmp_path)
    assert one != other
    assert one.render_key == other.render_key
