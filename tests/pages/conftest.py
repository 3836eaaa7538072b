from pathlib import Path

import pytest

from tests.pages import samples
from tests.pages.cost_samples import costs, optimisation
from tests.support.browser import chromium  # noqa: F401  a fixture
from wan_pipelines.pages.render import (
    render_costs_page,
    render_edition_page,
    render_index_page,
    render_optimisation_page,
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index page, an edition page and the videos both of them show."""
    folder = tmp_path_factory.mktemp("site")
    for subject in samples.SUBJECTS:
        samples.film(folder / "videos" / subject.slug, subject)
    (folder / "edition.html").write_text(render_edition_page(samples.sheet()), "utf-8")
    (folder / "index.html").write_text(render_index_page(samples.index()), "utf-8")
    (folder / "costs.html").write_text(render_costs_page(costs()), "utf-8")
    (folder / "optimisation.html").write_text(render_optimisation_page(optimisation()), "utf-8")
    return folder
