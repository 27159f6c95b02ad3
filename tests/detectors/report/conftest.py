"""A browser for each file of tests that wants one, and a page of six ships to open in it."""

import pytest

from detectors.report.page import report_page
from detectors.run_folder import run_in_memory
from tests.detectors.conftest import make_run
from tests.detectors.report import browser
from tests.detectors.report.fleets import fleet


@pytest.fixture(scope="module")
def one_browser(tmp_path_factory):
    """The browser of a file of tests."""
    with browser.desk(tmp_path_factory.mktemp("pages")) as opened:
        yield opened


@pytest.fixture
def desk(one_browser):
    """The file's browser, with no page open before or after."""
    yield one_browser
    one_browser.close_pages()


@pytest.fixture(scope="module")
def fleet_run(tmp_path_factory):
    """A run of the six ships of `fleets.SHIPS`, a flagged voyage each."""
    return fleet(run_in_memory(make_run(), tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def fleet_page(one_browser, fleet_run):
    """Its page, as a file."""
    page = report_page(fleet_run)
    assert page.failures == ()
    return one_browser.write(page.html, "fleet.html")
