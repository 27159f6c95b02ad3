"""Each parameter of odd positions bites, and values out of bounds fail at construction."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.vessels.builders import ALPHA, BRAVO, H, lie
from tests.vessels.odd_tracks import StripLand, box, odd, steamed, story
from vessels.events.odd_positions import PositionParameters

NOISE = {"error_m": 5.0, "sway_m": 30.0, "slip": 0.03}
PASSAGE = steamed([(0.0, 0.0), (0.0, 300.0)], **NOISE)


def off(first: float, last: float, north: float, rows: list[dict[str, Any]] = PASSAGE) -> list[dict[str, Any]]:
    return [{**r, "lat": r["lat"] + north} if first * H <= r["t"] < last * H else r for r in rows]


def silent(rows: list[dict[str, Any]], first: float, last: float) -> list[dict[str, Any]]:
    return [row for row in rows if not first * H < row["t"] < last * H]


def copies(rows: list[dict[str, Any]], hours: float, n: int = 1) -> list[list[dict[str, Any]]]:
    return [[{**row, "t": row["t"] + (1 + k) * hours * H, "mmsi": BRAVO + k} for row in rows] for k in range(n)]


def after(first: list[dict[str, Any]], hours: float, then: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some rows, a rest where they end, and others."""
    end = first[-1]
    rest = lie(ALPHA, end["t"] + 300.0, (end["lat"], end["lon"]), hours)
    return [*first, *rest, *({**row, "t": row["t"] + rest[-1]["t"] + 300.0} for row in then)]


THROWN = (5.0, -20.0, 30.0, -40.0, 45.0, -60.0)
SPELLS = [dict(row) for row in PASSAGE]
for _number, _north in enumerate(THROWN):
    SPELLS[24 + 48 * _number]["lat"] += _north
THREE_WAYS = off(20.0, 22.0, -2.0, off(10.0, 12.0, 1.5, off(5.0, 7.0, 3.0)))
FLICKER = [
    other if 8 * H <= one["t"] < 16 * H and number % 6 < 3 else one
    for number, (one, other) in enumerate(zip(PASSAGE, off(0.0, 100.0, 1.0), strict=True))
]
SPEECHLESS = [
    {**row, "sog": None}
    for part, t in (([(0.0, 0.0), (0.0, 60.0)], 0.0), ([(30.0, 60.0), (30.0, 120.0)], 6.5 * H))
    for row in steamed(part, t=t, **NOISE)
]
HELD = lie(ALPHA, 0.0, (33.0, 124.0), 4.0)
HELD = [{**row, "sog": 10.0 if i % 10 < 7 else 0.0} for i, row in enumerate(HELD)]
STRIP = StripLand(124.5, 125.5)
THERE_AND_BACK = steamed([(0.0, 0.0), (0.0, 150.0), (0.0, 0.0)], **NOISE)
DRAWN = steamed([(0.0, 0.0), (0.0, 50.0), (30.0, 50.0), (30.0, 120.0)])
LAPS = steamed(box(10), kn=6.0, error_m=5.0, slip=0.02)
AWAY = steamed([(0.0, 0.0), (0.0, 300.0), (0.0, 0.0)], kn=12.0, **NOISE)
VOYAGE = steamed([(0.0, 0.0), (0.0, 120.0)], every_s=60.0, **NOISE)
FAST = lie(ALPHA, 0.0, (33.0, 124.0), 5.0, every_s=60.0)
FAST = [{**row, "sog": 80.0} if 40 <= i < 43 or 150 <= i < 153 else row for i, row in enumerate(FAST)]
FLEET = [off(10.0, 14.0, 0.5, [{**row, "mmsi": BRAVO + k, "lat": row["lat"] + k} for row in PASSAGE]) for k in (0, 1)]
LATER = [FLEET[0], [{**row, "t": row["t"] + 9 * H} for row in FLEET[1]]]
ALONG = [steamed([(y, 0.0), (y, 300.0)], mmsi=BRAVO + int(y), **NOISE) for y in (0.0, 4.0)]

AGAIN = story()
LATER_ON = max(row["t"] for row in AGAIN) + 100 * H
AGAIN_TWICE = [*AGAIN, *story(t=LATER_ON, seed=11)]

BITES: dict[str, tuple[list[Any], Any, Any]] = {
    "jumps.min_off_nmi": ([off(10.0, 14.0, 0.5)], 40.0, None),
    "jumps.speed_factor": ([silent(off(10.1, 100.0, 0.2), 10.0, 10.5)], 4.0, None),
    "jumps.unknown_fastest_kn": ([SPEECHLESS], 60.0, None),
    "jumps.max_silence_h": ([silent(off(15.0, 100.0, 5.0), 11.0, 15.0)], 2.0, None),
    "jumps.merge_h": ([SPELLS], 5.0, None),
    "jumps.flicker_h": ([FLICKER], 1.0, None),
    "jumps.max_tracks": ([THREE_WAYS], 2, None),
    "jumps.max_per_track": ([SPELLS], 2, None),
    "held.min_held_h": ([HELD], 5.0, None),
    "held.min_reports": ([HELD], 100, None),
    "held.moving_kn": ([HELD], 12.0, None),
    "held.min_moving_share": ([HELD], 0.9, None),
    "held.max_per_track": ([[*HELD, *({**row, "t": row["t"] + 5 * H, "lat": 33.01} for row in HELD)]], 1, None),
    "on_land.min_inland_nmi": ([PASSAGE], 40.0, STRIP),
    "on_land.min_reports": ([PASSAGE], 200, STRIP),
    "on_land.min_run_h": ([PASSAGE], 20.0, STRIP),
    "on_land.merge_h": ([silent(PASSAGE, 4.0, 6.0)], 1.0, STRIP),
    "on_land.max_per_track": ([THERE_AND_BACK], 1, STRIP),
    "constant.max_off_m": ([steamed([(0.0, 0.0), (0.0, 120.0)], error_m=0.7)], 0.2, None),
    "constant.clock_s": ([[{**r, "t": r["t"] + (i // 2 % 2) * 0.9} for i, r in enumerate(DRAWN)]], 0.0, None),
    "constant.min_speed_kn": ([DRAWN], 12.0, None),
    "constant.max_interval_h": ([DRAWN], 0.1, None),
    "constant.min_even_h": ([DRAWN], 20.0, None),
    "constant.min_reports": ([DRAWN], 100, None),
    "constant.max_turns": ([DRAWN], 0, None),
    "constant.max_uneven_share": ([DRAWN], 0.0, None),
    "constant.max_per_track": ([after(DRAWN, 5.0, steamed([(30.0, 120.0), (0.0, 240.0)]))], 1, None),
    "laps.window_h": ([LAPS], 240.0, None),
    "laps.min_folds": ([LAPS], 30.0, None),
    "laps.min_speed_kn": ([LAPS], 9.0, None),
    "laps.min_moving_share": ([after(LAPS[: len(LAPS) // 2], 1.0, LAPS[: len(LAPS) // 2])], 1.0, None),
    "laps.min_laps": ([LAPS], 20, None),
    "laps.max_off_m": ([LAPS], 1.0, None),
    "laps.max_speed_spread": ([LAPS], 0.001, None),
    "laps.max_silence_h": ([LAPS[::9]], 0.5, None),
    "laps.max_per_track": ([after(after(LAPS, 1.0, AWAY), 1.0, LAPS)], 1, None),
    "replays.traces_per_h": ([VOYAGE, *copies(VOYAGE, 100.0)], 0.1, None),
    "replays.moving_kn": ([VOYAGE, *copies(VOYAGE, 100.0)], 12.0, None),
    "replays.min_lag_h": ([VOYAGE, *copies(VOYAGE, 100.0)], 150.0, None),
    "replays.tolerance_min": (
        [VOYAGE, [{**r, "t": 100 * H + r["t"] * 1.05, "mmsi": BRAVO} for r in VOYAGE]],
        0.1,
        None,
    ),
    "replays.min_matches": ([VOYAGE, *copies(VOYAGE, 100.0)], 900, None),
    "replays.min_share": ([VOYAGE[::2], *copies(VOYAGE, 100.0)], 0.9, None),
    "replays.min_replay_h": ([VOYAGE, *copies(VOYAGE, 100.0)], 20.0, None),
    "replays.min_way_nmi": ([VOYAGE, *copies(VOYAGE, 100.0)], 200.0, None),
    "replays.max_alike": ([VOYAGE, *copies(VOYAGE, 100.0, 3)], 2, None),
    "paths.moving_kn": ([AGAIN], 5.0, None),
    "paths.min_lag_h": ([AGAIN], 150.0, None),
    "paths.tolerance_min": ([AGAIN], 0.1, None),
    "paths.min_returns": ([AGAIN], 900, None),
    "paths.max_off_m": ([AGAIN], 1.0, None),
    "paths.min_contrast": ([AGAIN], 1e5, None),
    "paths.min_path_h": ([AGAIN], 100.0, None),
    "paths.min_reports": ([AGAIN], 5000, None),
    "paths.min_extent_nmi": ([AGAIN], 200.0, None),
    "paths.max_per_track": ([AGAIN_TWICE], 1, None),
    "speeds.min_reported_kn": ([FAST], 90.0, None),
    "speeds.min_excess_kn": ([FAST], 90.0, None),
    "speeds.window_h": ([FAST], 0.001, None),
    "speeds.merge_h": ([FAST], 3.0, None),
    "speeds.max_per_track": ([FAST], 1, None),
    "others.near_nmi": (FLEET, 10.0, None),
    "others.near_h": (LATER, 48.0, None),
    "others.place_nmi": (ALONG, 12.0, STRIP),
}


def records() -> dict[str, type[BaseModel]]:
    return {name: type(getattr(PositionParameters(), name)) for name in PositionParameters.model_fields}


def test_each_parameter_is_tried_here():
    assert set(BITES) == {f"{name}.{field}" for name, record in records().items() for field in record.model_fields}


@pytest.mark.parametrize("name", sorted(BITES))
def test_each_parameter_bites(name):
    files, value, land = BITES[name]
    record, field = name.split(".")
    changed = PositionParameters(**{record: {field: value}})
    assert odd(*files, land=land, parameters=changed) != odd(*files, land=land)


@pytest.mark.parametrize("name", sorted(BITES))
def test_parameters_out_of_bounds_fail_at_construction(name):
    record, field = name.split(".")
    with pytest.raises(ValidationError):
        PositionParameters(**{record: {field: -1}})


@pytest.mark.parametrize("name", sorted(BITES))
def test_each_parameter_names_its_source(name):
    record, field = name.split(".")
    assert "Source: " in (records()[record].model_fields[field].description or "")
