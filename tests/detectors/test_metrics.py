"""Metrics: the text exposition format, whole or not at all, and never over somebody else's file."""

import re
import stat
from pathlib import Path
from typing import Any

import pytest

from detectors.batch.metrics import check_metrics, night_metrics, write_metrics
from vessels.errors import UsageError, WakewatchError

LINE = re.compile(r'[a-z_]+(\{[a-z]+="(\\.|[^"\\\n])*"\})? -?[0-9.e+]+')
"""One sample: name, labels, value (prometheus.io, text-based format)."""


def record(**changes: Any) -> dict[str, Any]:
    """What run.json holds of a night."""
    return {
        "as_of": "2025-04-09T23:59:51Z",
        "window_start": "2025-01-02T00:00:00Z",
        "alerts": {
            "new": 3,
            "revised": 1,
            "withdrawn": 0,
            "unchanged": 20,
            "over_threshold": 26,
            "beyond_budget": 4,
            "dismissed": 2,
            "muted": 5,
        },
        "n_findings": 1369,
        "n_vessels": 449,
        "taken_in": {"files": 2, "rows": 60_000, "kept": 31_000},
        "set_aside": [{"name": "a", "reason": "empty", "detail": ""}, {"name": "b", "reason": "empty", "detail": ""}],
        "failures": [],
        "stages": {"take in": 1.25, 'odd "stage"\n\\': 2},
        "store": {"bytes": 12_345_678, "files": 40},
        **changes,
    }


def samples(path: Path) -> dict[str, str]:
    """Each sample of the file; fails where a line is not what the format says."""
    found: dict[str, str] = {}
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    announced = set()
    for line in text.splitlines():
        if line.startswith("# "):
            _, what, name, *_ = line.split(" ")
            assert what in ("HELP", "TYPE")
            announced.add((what, name))
            continue
        assert LINE.fullmatch(line), line
        name, _, value = line.rpartition(" ")
        assert {("HELP", name.partition("{")[0]), ("TYPE", name.partition("{")[0])} <= announced
        assert name not in found
        found[name] = value
    return found


def test_a_night_is_told_in_numbers(tmp_path: Path) -> None:
    path = tmp_path / "collector" / "wakewatch.prom"
    write_metrics(path, record(), 3)
    found = samples(path)
    prefix = "wakewatch_night_"
    assert found[f"{prefix}exit_status"] == "3"
    assert found[f"{prefix}as_of_timestamp_seconds"] == "1744243191"
    assert found[prefix + 'voyages{status="new"}'] == "3"
    assert found[prefix + 'voyages{status="unchanged"}'] == "20"
    assert found[f"{prefix}voyages_beyond_budget"] == "4"
    assert found[f"{prefix}voyages_dismissed"] == "2"
    assert found[f"{prefix}rows_taken_in"] == "60000"
    assert found[f"{prefix}inputs_set_aside"] == "2"
    assert found[prefix + 'inputs_set_aside_by_reason{reason="empty"}'] == "2"
    assert found[f"{prefix}failures"] == "0"
    assert found[f"{prefix}store_bytes"] == "12345678"
    assert found[prefix + 'stage_seconds{stage="take in"}'] == "1.25"
    assert found[prefix + r'stage_seconds{stage="odd \"stage\"\n\\"}'] == "2"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & stat.S_IROTH


def test_a_night_that_failed_keeps_the_numbers_and_changes_the_status(tmp_path: Path) -> None:
    path = tmp_path / "wakewatch.prom"
    write_metrics(path, None, 1)
    assert samples(path) == {"wakewatch_night_exit_status": "1"}
    write_metrics(path, record(), 0)
    before = samples(path)
    write_metrics(path, None, 143)
    assert samples(path) == {**before, "wakewatch_night_exit_status": "143"}
    write_metrics(path, record(), 0)
    assert samples(path) == before


def test_what_a_record_lacks_is_left_out_not_zero(tmp_path: Path) -> None:
    path = tmp_path / "wakewatch.prom"
    write_metrics(path, record(as_of=None, store=None, n_vessels=None), 0)
    found = samples(path)
    for name in ("as_of_timestamp_seconds", "store_bytes", "vessels"):
        assert f"wakewatch_night_{name}" not in found


def test_every_metric_has_one_name_and_says_what_it_means() -> None:
    metrics = night_metrics(record())
    names = [metric.name for metric in metrics]
    assert len(set(names)) == len(names)
    assert all(metric.meaning and "\n" not in metric.meaning for metric in metrics)


@pytest.mark.parametrize("text", ["important = 1\n", "node_load1 0.5\n", "\n", "\0" * 50])
def test_a_file_of_somebody_else_is_refused_and_stays(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text(text)
    with pytest.raises(UsageError, match="holds something else"):
        check_metrics(path)
    with pytest.raises(UsageError, match="holds something else"):
        write_metrics(path, record(), 0)
    assert path.read_text() == text


def test_what_cannot_be_written_is_refused_before_the_night(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no file"):
        check_metrics(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        check_metrics(tmp_path / "file" / "wakewatch.prom")
    check_metrics(tmp_path / "not" / "yet" / "wakewatch.prom")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fails_leaves_the_old_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wakewatch.prom"
    write_metrics(path, record(), 0)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(WakewatchError, match="No space left on device"):
        write_metrics(path, record(), 1)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
