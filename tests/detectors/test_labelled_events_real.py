"""The labelled events of real ships show up in findings: two adrift, and one that suddenly changes speed."""

import os
from pathlib import Path

import pandas as pd
import pytest

from detectors.batch.scan import scan

FOLDER = os.environ.get("WAKEWATCH_REAL_DATA", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="WAKEWATCH_REAL_DATA is not set")
LOW = 0.2


@pytest.fixture(scope="module")
def findings() -> pd.DataFrame:
    return scan(Path(FOLDER) / "danish_labelled_events.parquet").findings


@pytest.mark.parametrize(
    ("mmsi", "kind", "words"),
    [
        (212123000, "loitering", "adrift for 12"),
        (538004030, "loitering", "adrift for 2"),
        (219165000, "position_jump", "suddenly reported 102.2 kn"),
    ],
)
def test_each_labelled_event_is_told_once_and_low(findings: pd.DataFrame, mmsi: int, kind: str, words: str) -> None:
    own = findings[(findings["mmsi"] == mmsi) & (findings["kind"] == kind)]
    assert len(own) == 1
    assert words in own["headline"].item()
    assert 0.0 < own["strength"].item() <= LOW
