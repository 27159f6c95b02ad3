"""A run in memory with one flagged voyage, and where it would lie."""

from pathlib import Path
from typing import Any

import pytest

from detectors.run_folder import LoadedRun, run_in_memory


@pytest.fixture
def run(finished: Any, tmp_path: Path) -> LoadedRun:
    """The run, in a folder that is there."""
    folder = tmp_path / "out"
    folder.mkdir()
    return run_in_memory(finished, folder)


@pytest.fixture
def voyage_id(relay_voyage_id: str) -> str:
    """Its flagged voyage."""
    return relay_voyage_id
