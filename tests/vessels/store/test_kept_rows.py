"""Which reports of a file the store keeps: against a slow twin, and by the laws that thinning must obey."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.vessels.builders import ALPHA, BRAVO, T0_US, Row, block_of, chain, disc, lie, sail, segments_of, zones_of
from vessels.events.port_visits import DEFAULT_STAYS
from vessels.geodesy import distance_nmi
from vessels.motion import DEFAULT_MOTION
from vessels.segments import separate
from vessels.store.kept_rows import DEFAULT_THINNING, Kept, ThinParameters, kept_rows
from vessels.track import TrackBlock
from vessels.zones import Zones

PORT = (42.0, 133.0)
ZONES = zones_of(disc("RU_A", *PORT, 4.0), disc("RU_B", 42.06, 133.0, 3.0), disc("RU_C", 10.0, 50.0, 5.0))
NOWHERE = Zones(())


def kept_of(*files: Sequence[Row], zones: Zones = NOWHERE, **parameters: float) -> tuple[TrackBlock, Kept]:
    block = block_of(*files)
    return block, kept_rows(block, zones, ThinParameters(**parameters))


def times(block: TrackBlock, rows: Any) -> list[float]:
    """Seconds after the start of the tests of some positions."""
    return ((block.time_us[rows] - T0_US) / 1e6).tolist()


def kept_times(*files: Sequence[Row], zones: Zones = NOWHERE, **parameters: float) -> list[float]:
    block, kept = kept_of(*files, zones=zones, **parameters)
    return times(block, kept.positions)


# The slow twin: the same rules, report by report.


def slowly_kept(block: TrackBlock, zones: Zones, parameters: ThinParameters) -> Kept:
    keep: set[int] = set()
    tracks = list(tracks_of(block))
    for track in tracks:
        keep |= set(of_one_track(block, track, zones, parameters))
    in_tracks = {row for track in tracks for row in track}
    noise = [row for row in range(len(block)) if row not in in_tracks]
    seen: dict[Any, int] = defaultdict(int)
    for row in noise:
        place = floor(block.lat[row] / 0.05), floor(block.lon[row] / 0.05)
        key = (vessel_of(block, row), slot(block.time_us[row], parameters), place)
        seen[key] += 1
        if seen[key] <= 3:
            keep.add(row)
    said: set[int] = set()
    statements = block.statements
    for vessel in range(len(block.mmsi)):
        rows = [i for i, v in enumerate(statements.vessel.tolist()) if v == vessel]
        said |= set(firsts_of_slots(rows, statements.time_us, parameters))
        said |= set(changes(rows, lambda i: int(statements.static[i]) or None))
        said |= set(changes(rows, lambda i: none_if_nan(statements.draught[i])))
    return Kept(np.array(sorted(keep), np.int64), np.array(sorted(said), np.int64))


def tracks_of(block: TrackBlock) -> Iterator[list[int]]:
    """The rows of each track, found again by what they say."""
    where: dict[Any, list[int]] = defaultdict(list)
    for row in range(len(block)):
        where[said_by(block, block.mmsi[vessel_of(block, row)], row)].append(row)
    segments = separate(block)
    for s, (begin, end) in enumerate(zip(segments.offsets[:-1], segments.offsets[1:], strict=True)):
        mmsi = segments.mmsi[segments.vessel[s]]
        yield sorted(where[said_by(segments, mmsi, row)].pop(0) for row in range(begin, end))


def said_by(rows: Any, mmsi: int, row: int) -> tuple[Any, ...]:
    names = ("time_us", "lat", "lon", "sog", "cog", "heading", "draught", "nav_status", "static")
    return (int(mmsi), *(repr(getattr(rows, name)[row]) for name in names))


def vessel_of(block: TrackBlock, row: int) -> int:
    return int(np.searchsorted(block.offsets, row, side="right")) - 1


def slot(time_us: int, parameters: ThinParameters) -> int:
    return int(time_us) // round(parameters.thin_s * 1e6)


def none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def firsts_of_slots(rows: list[int], time_us: Any, parameters: ThinParameters) -> Iterator[int]:
    for i, row in enumerate(rows):
        if i in (0, len(rows) - 1) or slot(time_us[row], parameters) != slot(time_us[rows[i - 1]], parameters):
            yield row


def changes(rows: list[int], value: Any) -> Iterator[int]:
    """Rows at which a value is first and last known, and on both sides of a change."""
    known = [(row, value(row)) for row in rows if value(row) is not None]
    if known:
        yield known[0][0]
        yield known[-1][0]
    for (row, one), (after, other) in pairwise(known):
        if one != other:
            yield row
            yield after


def of_one_track(block: TrackBlock, rows: list[int], zones: Zones, parameters: ThinParameters) -> Iterator[int]:
    yield from firsts_of_slots(rows, block.time_us, parameters)
    yield from rows[: 10 if (block.time_us[rows[-1]] - block.time_us[rows[0]]) / 1e6 >= parameters.gap_s else 3]
    fences = [zones.index.sets[i] for i in zones.index.lookup(block.lat[rows], block.lon[rows]).tolist()]
    for i in range(1, len(rows)):
        row, before = rows[i], rows[i - 1]
        silence_s = (block.time_us[row] - block.time_us[before]) / 1e6
        places = (v[[r]] for r in (before, row) for v in (block.lat, block.lon))
        if silence_s >= parameters.gap_s or distance_nmi(*places)[0] >= 1.0 or fences[i] != fences[i - 1]:
            yield from (before, row)
        if silence_s >= parameters.gap_s:
            yield from rows[i : i + 10]
    yield from changes(rows, lambda row: int(block.static[row]) or None)
    yield from changes(rows, lambda row: none_if_nan(block.draught[row]))
    yield from changes(rows, lambda row: int(block.nav_status[row]) if block.nav_status[row] >= 0 else None)
    yield from claims_in_slots(block, rows, parameters)
    state = None
    for i, row in enumerate(rows):
        speed = block.sog[row]
        sure = 1 if speed < DEFAULT_STAYS.stop_begin_kn else -1 if speed > DEFAULT_STAYS.stop_end_kn else None
        if fences[i] and sure is not None:
            if state is not None and sure != state:
                yield from (rows[i - 1], row)
            state = sure


def claims_in_slots(block: TrackBlock, rows: list[int], parameters: ThinParameters) -> Iterator[int]:
    last = None
    for row in rows:
        if block.static[row]:
            if slot(block.time_us[row], parameters) != last:
                yield row
            last = slot(block.time_us[row], parameters)


@st.composite
def reports(draw: st.DrawFn) -> list[Row]:
    """Reports of one or two MMSI about two ports, each of one or two hulls far apart, in their order."""
    rows: list[Row] = []
    for mmsi in (ALPHA, BRAVO)[: draw(st.integers(1, 2))]:
        n_hulls = draw(st.integers(1, 2))
        t = draw(st.integers(0, 200))
        north = [0.0] * n_hulls
        for _ in range(draw(st.integers(0, 60))):
            hull = draw(st.integers(0, n_hulls - 1))
            t += draw(st.sampled_from([0, 1, 5, 5, 5, 20, 59, 61, 300, 1799, 1800, 5000]))
            north[hull] += draw(st.sampled_from([0.0, 0.0, 0.001, 0.004, -0.004, 0.018, 0.03]))
            row: dict[str, Any] = {"mmsi": mmsi, "t": t}
            if draw(st.integers(0, 9)):
                row |= {"lat": 41.95 + north[hull] - 30.0 * hull, "lon": 133.0 - 80.0 * hull}
                row["sog"] = draw(st.sampled_from([None, 0.0, 0.1, 0.3, 0.4, 0.6, 9.0]))
                row["nav_status"] = draw(st.sampled_from([None, 0, 0, 0, 5]))
            row["name"] = draw(st.sampled_from([None, None, None, "ONE", "ONE", "OTHER"]))
            row["draught"] = draw(st.sampled_from([None, None, 4.0, 4.0, 7.5]))
            rows.append(row)
    return rows


PARAMETERS = st.builds(
    ThinParameters, thin_s=st.sampled_from([1.0, 7.5, 60.0, 600.0]), gap_s=st.sampled_from([60.0, 1800.0])
)


@settings(deadline=None)
@given(reports(), PARAMETERS)
def test_what_is_kept_is_what_the_slow_twin_keeps(rows: list[Row], parameters: ThinParameters) -> None:
    block = block_of(rows)
    fast, slow = kept_rows(block, ZONES, parameters), slowly_kept(block, ZONES, parameters)
    assert fast.positions.tolist() == slow.positions.tolist()
    assert fast.statements.tolist() == slow.statements.tolist()


@settings(deadline=None)
@given(reports(), PARAMETERS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[Row], parameters: ThinParameters, random: Any) -> None:
    block = block_of(rows)
    mixed = block_of(random.sample(rows, len(rows)))
    first, second = kept_rows(block, ZONES, parameters), kept_rows(mixed, ZONES, parameters)
    assert first.positions.tolist() == second.positions.tolist()
    assert first.statements.tolist() == second.statements.tolist()


def rows_of(block: TrackBlock, kept: Kept) -> TrackBlock:
    """The block with the kept rows only."""
    names = ("time_us", "lat", "lon", "sog", "cog", "heading", "draught", "nav_status", "static", "source")
    vessel = np.searchsorted(block.offsets, kept.positions, side="right") - 1
    return replace(
        block,
        offsets=np.searchsorted(vessel, np.arange(len(block.mmsi) + 1)),
        statements=block.statements.take(kept.statements),
        **{name: getattr(block, name)[kept.positions] for name in names},
    )


def one_hull_each(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.get("lat") is None or row["lat"] > 30]


@settings(deadline=None)
@given(reports().map(one_hull_each), PARAMETERS)
def test_what_was_thinned_is_not_thinned_again(rows: list[Row], parameters: ThinParameters) -> None:
    block = block_of(rows)
    once = rows_of(block, kept_rows(block, ZONES, parameters))
    again = kept_rows(once, ZONES, parameters)
    assert len(again.positions) == len(once)
    assert len(again.statements) == len(once.statements.vessel)


@settings(deadline=None)
@given(reports())
def test_a_slot_of_one_second_keeps_every_second(rows: list[Row]) -> None:
    whole, kept = kept_of(rows, thin_s=1.0, zones=ZONES)
    times = set(zip(np.searchsorted(whole.offsets, np.arange(len(whole)), side="right"), whole.time_us, strict=True))
    left = kept.positions
    assert {(np.searchsorted(whole.offsets, r, side="right"), whole.time_us[r]) for r in left.tolist()} == times
    # what is left out says nothing new, a second time within its second
    assert len(left) >= len(times)


def every_ten_seconds(**said: Any) -> list[Row]:
    """Two hours of a ship under way."""
    return sail(ALPHA, 0.0, (41.0, 133.0), (41.4, 133.0), speed_kn=12.0, every_s=10.0, **said)


def test_a_ship_under_way_is_kept_once_a_minute() -> None:
    rows = every_ten_seconds()
    block, kept = kept_of(rows)
    assert len(block) == 721
    minutes = [60.0 * i for i in range(121)]
    assert times(block, kept.positions) == sorted({*minutes, *(10.0 * i for i in range(10))})
    assert kept_times(rows, thin_s=600.0) == [*(10.0 * i for i in range(10)), *(600.0 * i for i in range(1, 13))]
    assert kept_times(rows[:100]) == [0.0, 10.0, 20.0, *(60.0 * i for i in range(1, 17)), 990.0]


def test_the_length_of_a_slot_bites() -> None:
    rows = every_ten_seconds()
    n_kept = [len(kept_times(rows, thin_s=thin_s)) for thin_s in (1, 10, 20, 60, 120, 600, 3600)]
    assert n_kept[0] == n_kept[1] == len(rows)
    assert n_kept[1:] == sorted(set(n_kept), reverse=True)


def test_the_length_of_a_silence_bites() -> None:
    before = lie(ALPHA, 0.0, (41.0, 133.0), 2.0, every_s=10.0)[:-2]
    after = lie(ALPHA, 7180.0 + 990.0, (41.0, 133.0), 1.0, every_s=10.0)
    rows = [*before, *after]  # silent from 7180 s on, which begins no minute, to 8170 s
    assert before[-1]["t"] == 7180.0
    assert 7180.0 not in kept_times(rows)
    assert {7180.0, *(8170.0 + 10.0 * i for i in range(10))} <= set(kept_times(rows, gap_s=990.0))
    assert 7180.0 not in kept_times(rows, gap_s=991.0)


@pytest.mark.parametrize(
    "bad", [{"thin_s": 0.5}, {"thin_s": 4000.0}, {"gap_s": 59.0}, {"gap_s": 90_000.0}, {"thin": 60}]
)
def test_what_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ThinParameters(**bad)


def test_both_ends_of_a_silence_are_kept_whatever_the_minute() -> None:
    rows = [row for row in every_ten_seconds() if not 1970.0 < row["t"] < 5050.0]
    assert {1970.0, 5050.0} <= set(kept_times(rows))


def test_both_sides_of_a_fence_are_kept() -> None:
    rows = sail(ALPHA, 3.0, (41.9, 133.0), (42.2, 133.0), every_s=10.0)
    block, kept = kept_of(rows, zones=ZONES)
    fence = ZONES.index.lookup(block.lat, block.lon)
    crossings = np.flatnonzero(fence[1:] != fence[:-1])
    assert len(crossings) == 8  # two ports, each within a wider fence
    assert set(crossings) | set(crossings + 1) <= set(kept.positions.tolist())
    without = kept_of(rows)[1].positions
    assert not set(crossings.tolist()) <= set(without.tolist())


def test_both_sides_of_a_leap_are_kept() -> None:
    rows = every_ten_seconds()
    leapt = [{**row, "lat": row["lat"] + (0.017 if row["t"] > 3030.0 else 0.0)} for row in rows]
    assert segments_of(leapt).noise.tolist() == [0]
    assert {3030.0, 3040.0} <= set(kept_times(leapt))
    assert not {3030.0, 3040.0} & set(kept_times(rows))


def test_stopping_and_going_is_kept_in_port_and_not_at_sea() -> None:
    quay = lie(ALPHA, 0.0, PORT, 1.0, every_s=10.0)
    for row in quay:
        row["sog"] = 0.0 if 615.0 < row["t"] < 2445.0 else 3.0
    assert {610.0, 620.0, 2440.0, 2450.0} <= set(kept_times(quay, zones=ZONES))
    assert not {610.0, 2440.0, 2450.0} & set(kept_times(quay))


@pytest.mark.parametrize(
    "change",
    [{"name": "OTHER"}, {"destination": "NAMPO"}, {"imo": "2000017"}, {"draught": 7.5}, {"nav_status": 5}],
    ids=lambda change: next(iter(change)),
)
def test_both_sides_of_a_change_are_kept(change: dict[str, Any]) -> None:
    rows = [
        {**row, "name": "ONE", "draught": 4.0, "nav_status": 0, **(change if 3010.0 <= row["t"] < 4030.0 else {})}
        for row in every_ten_seconds()
    ]
    assert {3000.0, 3010.0, 4020.0, 4030.0} <= set(kept_times(rows))


def test_a_change_is_found_among_reports_that_say_nothing() -> None:
    rows = [
        {**row, "name": {1: "ONE", 4: "OTHER"}.get(int(row["t"]) % 600 // 100) if row["t"] % 100 == 30 else None}
        for row in every_ten_seconds()
    ]
    said = [row["t"] for row in rows if row["name"]]
    assert len(said) == 24
    assert set(said) <= set(kept_times(rows))


def test_claims_are_heard_as_often_as_there_are_slots_though_few_reports_carry_any() -> None:
    rows = [{**row, "name": "ONE" if row["t"] % 350 == 340 else None} for row in every_ten_seconds()]
    assert {row["t"] for row in rows if row["name"]} <= set(kept_times(rows))
    assert [row["t"] for row in rows if row["name"]][1] not in kept_times([{**row, "name": None} for row in rows])


@pytest.mark.parametrize("phase_s", [1.0, 5.0, 9.0])
def test_two_hulls_that_report_in_turn_under_one_number_are_both_kept(phase_s: float) -> None:
    """One always reports at the start of the minute: thinned as one ship, the other would vanish."""
    one = sail(ALPHA, 0.0, (41.0, 133.0), (41.4, 133.0), every_s=60.0)
    other = sail(ALPHA, phase_s, (36.0, 124.0), (36.4, 124.0), every_s=60.0)
    block, kept = kept_of(one, other, thin_s=600.0)
    west = block.lon[kept.positions] < 130
    assert west.sum() == (~west).sum() == 10 + 12
    whole, left = separate(block), separate(rows_of(block, kept))
    for segments in (whole, left):
        assert len(segments.offsets) == 3
    assert whole.time_us[whole.offsets[:-1]].tolist() == left.time_us[left.offsets[:-1]].tolist()
    assert whole.time_us[whole.offsets[1:] - 1].tolist() == left.time_us[left.offsets[1:] - 1].tolist()


def test_noise_is_kept_by_minute_and_place() -> None:
    rows = every_ten_seconds()
    spikes = [
        {"mmsi": ALPHA, "t": 3000.0 + i, "lat": 10.0 + 20.0 * (i % 3), "lon": -100.0 + 90.0 * (i % 3)} for i in range(6)
    ]
    block, kept = kept_of([*rows, *spikes])
    assert segments_of([*rows, *spikes]).noise.tolist() == [6]
    spiked = [t for t in times(block, kept.positions) if 3000.0 < t < 3006.0]
    assert spiked == [3001.0, 3002.0, 3003.0, 3004.0, 3005.0]


def test_a_number_that_a_hundred_sets_send_does_not_fill_the_store() -> None:
    rng = np.random.default_rng(1)
    rows = [
        {"mmsi": ALPHA, "t": float(t), "lat": float(rng.integers(-60, 60)), "lon": float(rng.integers(-180, 180))}
        for t in range(0, 1200, 4)
        for _ in range(2)
    ]
    still = [{**row, "lat": -50.0, "lon": 20.0} for row in rows[::2]]
    block, kept = kept_of(rows, still)
    assert separate(block).noise[0] > 500
    lying = (block.lat == -50.0) & (block.lon == 20.0)
    assert 20 <= lying[kept.positions].sum() <= 70


def test_static_only_rows_are_kept_by_slot_and_change() -> None:
    rows = [{"mmsi": ALPHA, "t": 10.0 * i, "name": "ONE" if i < 40 else "OTHER", "draught": 4.0} for i in range(80)]
    block, kept = kept_of([*every_ten_seconds(), *rows])
    said = ((block.statements.time_us[kept.statements] - T0_US) / 1e6).tolist()
    assert said == sorted({*(60.0 * i for i in range(14)), 390.0, 400.0, 790.0})


def test_nothing_gives_nothing() -> None:
    block, kept = kept_of([])
    assert len(block) == len(kept.positions) == len(kept.statements) == 0
    block, kept = kept_of([{"mmsi": ALPHA, "t": 5.0, "name": "ONE"}], zones=ZONES)
    assert (len(kept.positions), len(kept.statements)) == (0, 1)


def test_the_default_keeps_little_more_than_a_report_a_minute_of_an_ordinary_day() -> None:
    """In at dawn, six hours alongside, out again: rules beside the slots must cost next to nothing."""
    rows = chain(
        lambda t: sail(ALPHA, t, (41.2, 133.0), (41.99, 133.0), every_s=10.0, name="ONE", draught=6.0),
        lambda t: lie(ALPHA, t, (41.99, 133.0), 6.0, every_s=180.0, name="ONE", draught=6.0),
        lambda t: sail(ALPHA, t, (41.99, 133.0), (41.2, 133.0), every_s=10.0, name="ONE", draught=4.0),
    )
    block, kept = kept_of(rows, zones=ZONES)
    slots = len({t // 60 for t in times(block, slice(None))})
    assert len(block) > 2900
    assert slots < len(kept.positions) < slots + 30
    assert DEFAULT_THINNING.thin_s == 60.0
    assert DEFAULT_MOTION.slack_nmi == 1.0  # the twin's bare number
