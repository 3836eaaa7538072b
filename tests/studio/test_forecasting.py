"""What an edition was expected to take is kept, and compared with what it took."""

import json

from prometheus_client import CollectorRegistry, generate_latest

from tests.cli.invoking import invoker
from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.ledger.forecasts import outcomes
from wan_pipelines.studio.costs import settle
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.forecast_meters import ForecastCollector


def test_an_edition_is_judged_by_what_its_plan_said(quick_project: Project):
    studio = quick_project.studio()
    plan = render_edition(studio)
    (found,) = outcomes(studio.ledger, "demo")
    assert found.ended
    assert found.forecast.shots == found.rendered == 2
    assert found.forecast.seconds == round(plan.gpu_seconds, 6)
    low, high = plan.gpu_seconds_between
    assert (found.forecast.low_seconds, found.forecast.high_seconds) == (
        round(low, 6),
        round(high, 6),
    )
    assert (found.forecast.percent, found.forecast.takes) == (80, 0)
    statement = settle(studio, edition_key(studio, "balls", "one"))
    assert statement.forecasts == (found,)


def test_what_was_rendered_before_is_not_forecast(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    render_edition(studio)
    assert len(outcomes(studio.ledger, "demo")) == 1


def test_the_command_says_how_right_forecasts_are(quick_project: Project):
    wan = invoker(quick_project)
    assert "No edition has ended yet." in wan("forecasts").stderr
    render_edition(quick_project.studio())
    (row,) = json.loads(wan("forecasts", "--json").stdout)
    assert (row["release"], row["tier"], row["ended"], row["said"]) == ("sample", "draft", 1, 0.8)
    (edition,) = json.loads(wan("forecasts", "--editions", "--json").stdout)
    assert (edition["edition"], edition["shots"]) == ("balls/one", 2)
    assert "balls/one" in wan("forecasts", "--editions").stdout
    assert "80 %" in wan("forecasts").stdout
    assert json.loads(wan("forecasts", "--tenant", "small", "--json").stdout) == []


def test_prometheus_is_told_how_right_forecasts_are(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    registry = CollectorRegistry()
    registry.register(ForecastCollector(studio.ledger))
    told = generate_latest(registry).decode()
    assert 'wan_forecast_ended{release="sample",tier="draft"} 1.0' in told
    assert 'wan_forecast_held_ratio{release="sample",tier="draft"}' in told
