"""Scans of real tracks, where `WAKEWATCH_REAL_DATA` names a folder that holds them."""

import os
import re
from pathlib import Path

import pytest

from detectors.batch.result import Result
from detectors.batch.scan import scan

FOLDER = os.environ.get("WAKEWATCH_REAL_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="WAKEWATCH_REAL_DATA is not set")


@pytest.fixture(scope="module")
def coast() -> Result:
    """25 minutes of US waters: 10,631 numbers, of which none changes its name."""
    return scan(Path(FOLDER or "") / "marinecadastre_2022-01-03.parquet")


def test_no_ship_of_a_clean_set_changes_name_or_shares_its_number(coast):
    assert not set(coast.findings["kind"]) & {"name_change", "shared_mmsi", "imo_change"}


def test_numbers_that_two_ships_send_are_twins(coast):
    twins = coast.findings[coast.findings["kind"] == "imo_twin"]
    told = {int(number) for line in twins["headline"] for number in re.findall(r"\b\d{7}\b", line)}
    assert {9442718, 9212424, 9022180} <= told


def test_hardly_any_ship_of_a_clean_set_is_flagged(coast):
    assert len(coast.flagged) <= 0.001 * coast.run.n_voyages
    assert set(coast.flagged["band"]) <= {"low", "medium"}


def test_a_wrong_clock_does_not_move_now(coast):
    assert str(coast.run.as_of).startswith("2022-01-03 23:5")
