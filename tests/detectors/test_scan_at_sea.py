"""From files to findings at sea: a meeting over midnight and over two files is one; silence is not blamed blindly."""

from pathlib import Path
from typing import Any

import pytest

from detectors.batch.result import Result
from detectors.batch.scan import scan
from tests.vessels.builders import ALPHA, BRAVO, CHARLIE, H, chain, end_of, instant, lie, sail, write_parquet

DAY = 24 * H
BELT = (29.9, 124.4)
BESIDE = (29.9005, 124.4)
"""55 m north of it."""
SILENT_KINDS = {"dark_gap", "hidden_call_feasible", "dark_rendezvous"}


def tanker(mmsi: int, name: str, imo: str, place: tuple[float, float], from_lon: float, before: float, after: float):
    """Comes up slowly, lies at a place from 22:30 to 01:30 UTC, and goes back; her draught changes there."""
    papers: dict[str, Any] = {"name": name, "imo": imo, "ship_type": 80, "transceiver": "A", "length_m": 110.0}
    away = (place[0], from_lon)
    come = sail(mmsi, 0.0, away, place, every_s=300.0, draught=before, **papers)
    late = 22.5 * H - end_of(come) - 300.0
    come = [{**row, "t": row["t"] + late} for row in come]
    stay = lie(mmsi, 22.5 * H, place, 3.0, every_s=300.0, draught=before, **papers)
    leave = sail(mmsi, 25.5 * H + 300.0, place, away, every_s=300.0, draught=after, **papers)
    return [row for row in (*come, *stay, *leave) if row["t"] >= 0.0]


MEETING = (
    *tanker(ALPHA, "GREY HERON", "2045171", BELT, 123.4, 8.0, 6.0),
    *tanker(CHARLIE, "PALE PETREL", "2318669", BESIDE, 125.4, 5.0, 7.0),
)


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The meeting as a feed would bring it: a file a day, cut at midnight UTC."""
    folder = tmp_path_factory.mktemp("two-days")
    write_parquet(folder / "first.parquet", [row for row in MEETING if row["t"] < DAY])
    write_parquet(folder / "second.parquet", [row for row in MEETING if row["t"] >= DAY])
    return scan(folder)


def test_a_meeting_from_2230_to_0130_across_a_file_boundary_is_one_event(met: Result) -> None:
    (meeting,) = met.encounters.itertuples()
    assert (meeting.mmsi, meeting.other_mmsi) == (ALPHA, CHARLIE)
    assert abs((meeting.start - instant(22.5 * H)).total_seconds()) <= 20 * 60
    assert abs((meeting.end - instant(25.5 * H)).total_seconds()) <= 20 * 60
    assert meeting.median_distance_m == pytest.approx(55.6, abs=5.0)
    assert len(met.loitering[met.loitering["mmsi"] == ALPHA]) <= 1


def test_it_is_told_once_of_each_ship_with_both_days_as_sources(met: Result) -> None:
    told = met.findings[met.findings["kind"] == "rendezvous"]
    assert sorted(told["mmsi"]) == sorted([ALPHA, CHARLIE])
    assert {len(sources) for sources in told["source_ids"]} == {2}


def test_one_file_with_all_rows_says_the_same(met: Result, tmp_path: Path) -> None:
    whole = scan(write_parquet(tmp_path / "whole.parquet", list(MEETING)))
    assert whole.encounters.equals(met.encounters)
    assert set(whole.findings["finding_id"]) == set(met.findings["finding_id"])


def crossing(mmsi: int, every_s: float, silent: tuple[float, float] | None = None, **said: Any) -> list[Any]:
    """A week off the west coast of Korea, north and south; with a silence between two hours if one is given."""
    rows = chain(
        *(
            lambda t, i=i: sail(
                mmsi, t, *((35.0, 124.6), (38.2, 124.3))[:: 1 if i % 2 else -1], every_s=every_s, **said
            )
            for i in range(10)
        )
    )
    return [row for row in rows if silent is None or not silent[0] * H < row["t"] < silent[1] * H]


def kinds_of(path: Path) -> set[str]:
    return set(scan(path).findings["kind"])


def test_satellite_data_of_one_report_in_six_hours_blame_no_silence(tmp_path: Path) -> None:
    rows = [
        row
        for number in range(8)
        for row in crossing(ALPHA + 10 * number, 6 * H, (40.0, 60.0) if number == 0 else None, transceiver="A")
    ]
    assert not kinds_of(write_parquet(tmp_path / "satellite.parquet", rows)) & SILENT_KINDS


def test_a_ship_alone_in_the_file_is_not_blamed_and_the_gap_says_that_nobody_can_know(tmp_path: Path) -> None:
    result = scan(write_parquet(tmp_path / "alone.parquet", crossing(ALPHA, 600.0, (40.0, 60.0), transceiver="A")))
    assert not set(result.findings["kind"]) & SILENT_KINDS
    assert set(result.gaps["reception"]) == {"unknown"}


def test_class_b_sets_alone_that_come_and_go_are_not_blamed(tmp_path: Path) -> None:
    rows = [
        row
        for number in range(12)
        for row in crossing(ALPHA + number, 900.0, transceiver="B", ship_type=37)
        if (row["t"] // (5 * H) + number) % 3
    ]
    assert not kinds_of(write_parquet(tmp_path / "yachts.parquet", rows)) & SILENT_KINDS


def test_a_file_of_one_minute_blames_nobody(tmp_path: Path) -> None:
    rows = [
        row
        for number in range(40)
        for row in sail(BRAVO + number, 0.0, (38.5, 124.0 + 0.01 * number), (38.5, 124.3), every_s=10.0)
        if row["t"] <= 60.0
    ]
    result = scan(write_parquet(tmp_path / "minute.parquet", rows))
    assert not set(result.findings["kind"]) & SILENT_KINDS
    assert not result.gaps["reception"].isin(["heard"]).any()
