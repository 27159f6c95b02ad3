"""Anchors: a history over the last weeks names what a history over all time names, and without anchors nothing changes.

The law: a history from a boundary on, with the anchors that an earlier history left there, has the same tracks, hulls,
visits and voyages, ids, starts and origins, as a history over all time, for everything that reaches past the boundary.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    EVER,
    T0,
    T0_US,
    TABLES,
    H,
    Row,
    chain,
    disc,
    end_of,
    gathered,
    instant,
    lie,
    sail,
    zones_of,
)
from vessels.anchors import ANCHORS, MAX_SILENCE_DAYS, NO_ANCHORS
from vessels.errors import UsageError
from vessels.gather import bucket_of
from vessels.history import DEFAULT_FACTS, History, combine, derive
from vessels.instants import times_us
from vessels.schema import COVERAGE
from vessels.units import US_PER_S
from vessels.zones import Zones

DAY = 24 * H
EAST, WEST = (40.0, 130.0), (40.0, 128.0)
ZONES = zones_of(
    disc("XX_EAST", *EAST, 8.0),
    disc("XX_INNER", *EAST, 2.0, "anchorage"),
    disc("XX_WEST", *WEST, 8.0),
    disc("XX_BELT", 40.0, 129.0, 20.0, "sts_zone"),
)
SAID = {"name": "CHILBO 7", "imo": "2318669", "call_sign": "HMZQ", "ship_type": 70, "length_m": 110.0, "beam_m": 17.0}
OTHER = {"name": "ULAAN 2", "imo": "2573403", "call_sign": "JVQZ5", "ship_type": 80, "length_m": 182.0, "beam_m": 32.0}

LAW: Mapping[str, tuple[tuple[str, ...], str]] = {
    "segments": (("segment_id", "hull_id", "mmsi", "start", "end", "start_lat", "n_positions"), "end"),
    "port_visits": (
        ("visit_id", "hull_id", "segment_id", "zone_id", "start", "end", "entry_seen", "exit_seen", "confidence"),
        "last_seen",
    ),
    "zone_presences": (("presence_id", "hull_id", "segment_id", "start", "end", "n_positions"), "end"),
    "voyages": (
        (
            *("voyage_id", "hull_id", "segment_id", "mmsi", "start", "end", "is_open", "origin", "destination"),
            *("origin_visit_id", "destination_visit_id", "span_start", "span_end", "last_seen"),
        ),
        "span_end",
    ),
}
"""What must be the same, and the time that says whether something reaches past the boundary."""


def us(t: float) -> int:
    return T0_US + round(t * US_PER_S)


def history(
    rows: Sequence[Row],
    since: float | None = None,
    until: float | None = None,
    *,
    zones: Zones = ZONES,
    anchors: pa.Table = NO_ANCHORS,
    boundaries: Sequence[float] = (),
    n_buckets: int = 1,
) -> History:
    """The history of the rows between two times, anchors given to the buckets of their MMSI."""
    gatherer = gathered([rows], n_buckets=n_buckets)
    span = (EVER[0] if since is None else us(since), EVER[1] if until is None else us(until))
    bucket = bucket_of(anchors["mmsi"].to_numpy(), n_buckets)
    facts = [
        derive(
            gatherer.block(b, span),
            gatherer.register.claims(),
            zones,
            DEFAULT_FACTS,
            anchors.filter(pa.array(bucket == b)),
            [us(t) for t in boundaries],
        )
        for b in range(n_buckets)
    ]
    return combine(facts, COVERAGE.empty(), T0, zones)


def reaching(found: History, name: str, since_us: int) -> set[tuple[Any, ...]]:
    columns, last = LAW[name]
    table = getattr(found, name)
    table = table.filter(pa.array(times_us(table[last]) >= since_us))
    return {tuple(row.values()) for row in table.select(list(columns)).to_pylist()}


def assert_same(full: History, window: History, since_us: int, *, but: Sequence[str] = ()) -> None:
    for name in LAW:
        if name not in but:
            told, known = reaching(window, name, since_us), reaching(full, name, since_us)
            assert told == known, (name, sorted(known - told, key=str), sorted(told - known, key=str))


def law(rows: Sequence[Row], boundary: float, known_until: float | None = None, **how: Any) -> tuple[History, History]:
    """A history of all rows and one from the boundary on, which must agree."""
    full = history(rows, **how)
    earlier = history(rows, until=known_until, boundaries=[boundary], **how)
    window = history(rows, since=boundary, anchors=earlier.anchors, **how)
    assert_same(full, window, us(boundary))
    return full, window


def moored() -> list[Row]:
    """A ship that comes from the west, lies for two months, and leaves."""
    return chain(
        lambda t: lie(ALPHA, t, WEST, 9.0, **SAID),
        lambda t: sail(ALPHA, t, WEST, EAST, draught=6.5),
        lambda t: lie(ALPHA, t, EAST, 60 * 24.0, every_s=3 * H, **SAID),
        lambda t: sail(ALPHA, t, EAST, WEST, draught=3.5),
    )


@pytest.mark.parametrize("known_until", [40 * DAY, None])
@pytest.mark.parametrize("boundary", [20 * DAY, 35 * DAY + 1.0])
def test_a_ship_moored_for_months_keeps_its_visit_and_the_voyage_that_brought_it(boundary, known_until):
    rows = moored()
    full, window = law(rows, boundary, known_until)
    (visit,) = [v for v in window.port_visits.to_pylist() if v["zone_id"] == "XX_INNER"]
    (known,) = [v for v in full.port_visits.to_pylist() if v["zone_id"] == "XX_INNER"]
    assert visit == {**known, "lat": visit["lat"], "lon": visit["lon"]}
    assert visit["start"] < instant(DAY)
    assert visit["confidence"] == 4
    assert visit["draught_in_m"] == 6.5
    brought = window.voyages.to_pylist()[0]
    assert brought == next(v for v in full.voyages.to_pylist() if v["voyage_id"] == brought["voyage_id"])
    assert brought["distance_nmi"] > 80.0, "a voyage that had ended is told with all its measures"


def test_a_voyage_open_across_the_boundary_keeps_its_start_and_origin():
    rows = chain(lambda t: lie(ALPHA, t, WEST, 9.0, **SAID), lambda t: sail(ALPHA, t, WEST, (35.0, 128.0)))
    boundary = 20.0 * H
    _, window = law(rows, boundary)
    (voyage,) = window.voyages.to_pylist()
    assert (voyage["origin"], voyage["is_open"]) == ("XX_WEST", True)
    assert voyage["start"] < instant(boundary)
    assert voyage["duration_h"] == pytest.approx((end_of(rows) - boundary) / H, abs=1.0), "measured since the boundary"


def round_trip(pause_h: float = 3.0) -> list[Row]:
    return chain(
        lambda t: lie(ALPHA, t, WEST, pause_h, **SAID),
        lambda t: sail(ALPHA, t, WEST, EAST, draught=4.5),
        lambda t: lie(ALPHA, t, EAST, pause_h),
        lambda t: sail(ALPHA, t, EAST, WEST, draught=3.0, name="SAEBYOL 5"),
        lambda t: lie(ALPHA, t, WEST, pause_h),
        lambda t: sail(ALPHA, t, WEST, (38.0, 128.0)),
    )


def test_the_law_holds_wherever_the_boundary_falls():
    rows = round_trip()
    boundaries = np.arange(300.0, end_of(rows), 2_900.0).tolist()
    full = history(rows, boundaries=boundaries)
    for boundary in boundaries:
        window = history(rows, since=boundary, anchors=anchors_at(full, boundary))
        assert_same(full, window, us(boundary))


@pytest.mark.parametrize("known_h", [0.0, 0.7])
def test_the_law_holds_however_little_of_what_follows_was_known(known_h):
    rows = round_trip()
    for boundary in np.arange(600.0, end_of(rows), 11_000.0).tolist():
        law(rows, boundary, boundary + known_h * H)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_the_law_holds_for_any_ships(data):
    places = st.tuples(st.floats(39.8, 40.2), st.floats(127.5, 130.5))
    legs: list[Any] = []
    for mmsi in (ALPHA, ALPHA, BRAVO):
        own: list[Row] = lie(mmsi, data.draw(st.floats(0.0, 50_000.0)), data.draw(places), 0.5)
        for _ in range(data.draw(st.integers(1, 6))):
            t = end_of(own) + data.draw(st.sampled_from([600.0, 600.0, 7 * H, 3 * DAY]))
            place = (own[-1]["lat"], own[-1]["lon"])
            if data.draw(st.booleans()):
                port = data.draw(st.sampled_from([EAST, WEST, (40.075, 130.0)]))
                own += sail(mmsi, t, place, data.draw(st.sampled_from([port, data.draw(places)])))
            else:
                own += lie(mmsi, t, place, data.draw(st.floats(0.2, 30.0)), sog=data.draw(st.sampled_from([0.0, 0.3])))
        legs += own
    boundary = data.draw(st.floats(min(r["t"] for r in legs) + 1.0, max(r["t"] for r in legs)))
    law(sorted(legs, key=lambda r: r["t"]), boundary, data.draw(st.sampled_from([None, boundary + DAY])))


@pytest.mark.xfail(strict=True, reason="a stay in the outer of two fences was not yet a call when the anchor was left")
def test_a_voyage_keeps_its_end_where_a_later_stop_makes_an_outer_port_its_arrival():
    rows = lie(ALPHA, 0.0, (40.0, 128.0), 0.5)
    rows += sail(ALPHA, end_of(rows) + 600.0, (40.0, 128.0), (40.0, 130.0))
    for wait in (600.0, 600.0, 600.0, 600.0, 7 * H):
        rows += lie(ALPHA, end_of(rows) + wait, (40.0, 130.0), 1.0, sog=0.0)
    law(rows, 32_378.0, 32_378.0)


def shared(hours: float = 100.0, end_of_one_h: float = 100.0) -> list[Row]:
    """Two hulls under one number, 400 nmi apart, of which the second falls silent for good after so many hours."""
    rows = [
        *lie(ALPHA, 0.0, EAST, hours, every_s=1_800.0, **SAID),
        *lie(ALPHA, 400.0, (34.0, 125.0), end_of_one_h, every_s=1_800.0, **OTHER),
    ]
    return sorted(rows, key=lambda row: row["t"])


@pytest.mark.parametrize("known_until", [50.2 * H, None])
def test_two_ships_on_one_number_stay_two_across_the_boundary(known_until):
    _, window = law(shared(), 50 * H, known_until)
    assert window.segments.num_rows == 2
    assert len(set(window.segments["hull_id"].to_pylist())) == 2


def test_a_few_reports_after_the_boundary_belong_to_the_track_they_go_on():
    _, window = law(shared(end_of_one_h=50.4), 50 * H)
    assert window.segments.num_rows == 2
    assert window.vessels["n_noise"].to_pylist() == [0]


def test_a_track_that_ended_before_the_boundary_is_not_in_the_tables_and_is_no_noise():
    _, window = law(shared(end_of_one_h=40.0), 50 * H)
    assert window.segments.num_rows == 1
    assert window.vessels["n_noise"].to_pylist() == [0]


def test_a_track_silent_over_the_boundary_goes_on_when_it_is_heard_again_on_a_shared_number():
    rows = [*shared(end_of_one_h=40.0), *lie(ALPHA, 70 * H, (34.0, 125.05), 20.0, every_s=1_800.0, **OTHER)]
    for known_until in (60 * H, None):
        _, window = law(sorted(rows, key=lambda row: row["t"]), 50 * H, known_until)
        assert window.segments.num_rows == 2


def test_late_rows_before_the_first_known_after_the_boundary_change_no_id():
    rows = round_trip()
    boundary = 6.0 * H
    known = [row for row in rows if not boundary <= row["t"] < boundary + 4 * H]
    full = history(rows)
    for until in (boundary, None):
        anchors = history(known, until=until, boundaries=[boundary]).anchors
        assert_same(full, history(rows, since=boundary, anchors=anchors), us(boundary))


def test_a_silence_across_the_boundary_is_seen_whole():
    rows = [*lie(ALPHA, 0.0, EAST, 30.0), *sail(ALPHA, 80 * H, (38.0, 130.0), (37.0, 130.0))]
    _, window = law(rows, 60 * H)
    (silence,) = window.silences.to_pylist()
    assert (silence["start"], silence["end"]) == (instant(30 * H), instant(80 * H))


def test_what_a_ship_claimed_before_the_boundary_is_known_after_it():
    silent_since = chain(lambda t: lie(ALPHA, t, EAST, 30.0, **SAID), lambda t: lie(ALPHA, t, EAST, 30.0))
    _, window = law(silent_since, 40 * H)
    (spell,) = window.identities.to_pylist()
    assert (spell["name"], spell["imo"], spell["length_m"]) == ("CHILBO 7", 2318669, 110.0)


@pytest.mark.parametrize("known_until", [8 * DAY, None])
def test_an_identity_that_returns_on_another_hull_across_the_boundary_is_another_track(known_until):
    rows = [
        *lie(ALPHA, 0.0, EAST, 48.0, every_s=1_800.0, **SAID),
        *lie(ALPHA, 12 * DAY, WEST, 48.0, every_s=1_800.0, **{**OTHER, "name": SAID["name"], "imo": SAID["imo"]}),
    ]
    full, window = law(rows, 7 * DAY, known_until)
    assert full.segments.num_rows == 2
    assert window.segments.num_rows == 1


@pytest.mark.parametrize("swing_km", [8.4, 9.5])
def test_a_ship_swinging_on_the_border_of_a_fence_makes_one_visit_across_the_boundary(swing_km):
    border = (40.0 + swing_km / 111.195, 130.0)
    rows = chain(
        lambda t: sail(ALPHA, t, WEST, EAST),
        lambda t: lie(ALPHA, t, EAST, 10.0),
        lambda t: lie(ALPHA, t, border, 10.0),
        lambda t: lie(ALPHA, t, EAST, 10.0),
        lambda t: sail(ALPHA, t, EAST, WEST),
    )
    full, _ = law(rows, 24.0 * H)
    own = [v for v in full.port_visits.to_pylist() if v["zone_id"] == "XX_EAST"]
    assert len(own) == (1 if swing_km < 9.0 else 2)


@pytest.mark.parametrize("boundary", [59 * H, 61 * H, 63 * H])
def test_a_stop_too_short_on_either_side_of_the_boundary_is_a_stay(boundary):
    rows = chain(
        lambda t: lie(ALPHA, t, WEST, 50.0),
        lambda t: sail(ALPHA, t, WEST, (40.0, 129.95)),
        lambda t: lie(ALPHA, t, (40.0, 129.95), 0.6, every_s=120.0),
        lambda t: sail(ALPHA, t, (40.0, 129.95), (40.0, 131.0)),
    )
    stop = next(row["t"] for row in rows if row["sog"] == 0.0 and row["t"] > 50 * H + 600)
    law(rows, stop + 0.3 * H)
    law(rows, boundary)


BERTH = (40.0, 130.05)


def renamed(at: tuple[float, float], gap_h: float = 6.0) -> tuple[list[Row], float]:
    """A ship that bears another number after some hours of silence, and the middle of the silence."""
    before = chain(
        lambda t: lie(ALPHA, t, WEST, 30.0, **SAID),
        lambda t: sail(ALPHA, t, WEST, at, draught=5.0, **SAID),
        lambda t: lie(ALPHA, t, at, 12.0, draught=5.0, **SAID),
    )
    t = end_of(before) + gap_h * H
    after = chain(
        lambda since: lie(BRAVO, since + t, at, 12.0, draught=5.0, **{**SAID, "name": "ULAAN 2"}),
        lambda since: sail(BRAVO, since, at, (36.0, 131.0), draught=5.0, **{**SAID, "name": "ULAAN 2"}),
    )
    return [*before, *after, *others()], t - gap_h / 2 * H


def others() -> list[Row]:
    """Ships that lie elsewhere all the time, so that a change of number is told from the end of the data."""
    return [
        row
        for i in range(12)
        for row in lie(CHARLIE + i, 0.0, (30.0 + i / 3, 120.0), 120.0, every_s=H, length_m=60.0 + 10 * i, beam_m=12.0)
    ]


@pytest.mark.parametrize("at", [BERTH, (39.0, 129.0)], ids=["in port", "at sea"])
@pytest.mark.parametrize("off_h", [-8.0, 0.0, 8.0])
def test_a_hull_keeps_its_id_and_voyage_over_a_change_of_number_about_the_boundary(at, off_h):
    rows, middle = renamed(at)
    boundary = middle + off_h * H
    full = history(rows)
    assert full.hull_links["is_strong"].to_pylist() == [True]
    window = history(rows, since=boundary, anchors=history(rows, boundaries=[boundary]).anchors)
    assert_same(full, window, us(boundary), but=["voyages"])
    ids = [set(reaching_column(found, "voyage_id", us(boundary))) for found in (full, window)]
    assert ids[0] == ids[1]
    assert window.voyages.num_rows == len(set(window.voyages["voyage_id"].to_pylist()))
    hull = full.segments.filter(pc.equal(full.segments["mmsi"], BRAVO))["hull_id"].to_pylist()
    assert set(window.segments.filter(pc.equal(window.segments["mmsi"], BRAVO))["hull_id"].to_pylist()) == set(hull)


def reaching_column(found: History, name: str, since_us: int) -> list[Any]:
    place = LAW["voyages"][0].index(name)
    return [row[place] for row in reaching(found, "voyages", since_us)]


def away() -> list[Row]:
    """A ship that falls silent at sea, bears another number for ten hours, and comes back under the first."""
    a, b, c = (39.0, 129.0), (38.0, 129.0), (37.0, 129.0)
    other = {**SAID, "name": "ULAAN 2"}
    first = chain(lambda t: lie(ALPHA, t, WEST, 30.0, **SAID), lambda t: sail(ALPHA, t, WEST, a, **SAID))
    second = sail(BRAVO, end_of(first) + 2 * H, (38.6, 129.0), b, speed_kn=6.0, **other)
    third = chain(
        lambda t: sail(ALPHA, t + end_of(second) + 2 * H, (37.6, 129.0), c, **SAID),
        lambda t: lie(ALPHA, t, c, 30.0, **SAID),
    )
    return [*first, *second, *third, *others()]


@pytest.mark.parametrize("where", ["before", "meanwhile", "after", "back"])
def test_a_hull_that_is_away_under_another_number_at_the_boundary_comes_back_to_its_voyage(where):
    rows = away()
    own = [row["t"] for row in rows if row["mmsi"] == ALPHA]
    other = [row["t"] for row in rows if row["mmsi"] == BRAVO]
    left, back = max(t for t in own if t < other[0]), min(t for t in own if t > other[-1])
    boundary = {
        "before": (left + other[0]) / 2,
        "meanwhile": (other[0] + other[-1]) / 2,
        "after": (other[-1] + back) / 2,
        "back": back + H,
    }[where]
    full = history(rows)
    assert full.hull_links["is_strong"].to_pylist() == [True, True]
    window = history(rows, since=boundary, anchors=history(rows, boundaries=[boundary]).anchors)
    assert_same(full, window, us(boundary))


def test_a_roll_of_windows_keeps_ids_as_one_window_does():
    rows = [*moored(), *round_trip_of(BRAVO), *shared_with(CHARLIE)]
    full = history(rows)
    anchors, begin, step, look = NO_ANCHORS, 0.0, 7 * DAY, 21 * DAY
    found = full
    while begin + look < end_of(moored()) + step:
        boundaries = np.arange(begin + step, begin + look, step).tolist()
        own = anchors.filter(pa.array(times_us(anchors["boundary"]) == us(begin)))
        found = history(rows, begin, begin + look, anchors=own, boundaries=boundaries, n_buckets=3)
        anchors, begin = found.anchors, begin + step
    last = begin - step
    assert_same(history(rows, until=last + look), found, us(last))


def round_trip_of(mmsi: int) -> list[Row]:
    rows: list[Row] = []
    while not rows or end_of(rows) < 60 * DAY:
        t = end_of(rows) + 600.0 if rows else 0.0
        rows += [{**row, "mmsi": mmsi, "t": row["t"] + t} for row in round_trip(30.0)]
        rows += sail(mmsi, end_of(rows) + 600.0, (38.0, 128.0), WEST)
    return rows


def shared_with(mmsi: int) -> list[Row]:
    return [{**row, "mmsi": mmsi} for row in shared(60 * 24.0, 25 * 24.0)]


def test_leaving_anchors_changes_no_table():
    rows = [*round_trip(), *shared_with(CHARLIE)]
    plain, left = history(rows), history(rows, boundaries=[6 * H, 30 * H])
    for name in (*TABLES, "silences", "hull_links", "voyage_parts", "gaps", "loitering", "position_events"):
        assert getattr(plain, name).equals(getattr(left, name)), name
    assert plain.anchors.num_rows == 0
    assert plain.anchors.schema.equals(ANCHORS.arrow)
    assert set(times_us(left.anchors["boundary"]).tolist()) == {us(6 * H), us(30 * H)}


def test_anchors_do_not_depend_on_buckets_or_order():
    rows = [*round_trip(), *shared_with(CHARLIE), *round_trip_of(BRAVO)]
    one = history(rows, boundaries=[9 * H, 30 * H])
    other = history(rows[::-1], boundaries=[30 * H, 9 * H, 9 * H], n_buckets=5)
    assert one.anchors.equals(other.anchors)
    windows = [history(rows, since=9 * H, anchors=anchors_at(one, 9 * H), n_buckets=n) for n in (1, 4)]
    for name in TABLES:
        assert getattr(windows[0], name).equals(getattr(windows[1], name)), name


def anchors_at(found: History, t: float) -> pa.Table:
    return found.anchors.filter(pa.array(times_us(found.anchors["boundary"]) == us(t)))


def test_a_ship_not_heard_in_a_window_is_carried_on_for_a_year_and_no_longer():
    first = history(lie(ALPHA, 0.0, EAST, 10.0, **SAID), boundaries=[7 * DAY])
    limit = MAX_SILENCE_DAYS * DAY + 10 * H
    later = history(
        lie(BRAVO, 8 * DAY, WEST, 10.0),
        since=7 * DAY,
        anchors=first.anchors,
        boundaries=[14 * DAY, limit, limit + 60.0],
        n_buckets=2,
    )
    kept = later.anchors.filter(pc.equal(later.anchors["mmsi"], ALPHA))
    assert times_us(kept["boundary"]).tolist() == [us(14 * DAY), us(limit)]
    same = [name for name in ANCHORS.names if name != "boundary"]
    assert kept.select(same).slice(0, 1).equals(first.anchors.select(same))
    assert ALPHA not in later.vessels["mmsi"].to_pylist()


def test_a_number_of_many_tracks_is_anchored_by_those_heard_last():
    rows = [row for i in range(40) for row in lie(ALPHA, i * H, (i * 2.0 - 40.0, i * 4.0 - 80.0), 0.5)]
    anchors = history(rows, boundaries=[50 * H], zones=Zones(())).anchors
    heard = sorted(times_us(anchors["timestamp"]).tolist())
    assert heard == [us(i * H + 0.5 * H) for i in range(8, 40)]


def test_the_stay_that_names_a_call_may_have_ended_before_the_boundary():
    rows = chain(
        lambda t: lie(ALPHA, t, WEST, 9.0),
        lambda t: sail(ALPHA, t, WEST, EAST),
        lambda t: lie(ALPHA, t, EAST, 30.0),
        lambda t: sail(ALPHA, t, EAST, BERTH, speed_kn=4.0),
        lambda t: lie(ALPHA, t, BERTH, 60.0),
        lambda t: sail(ALPHA, t, BERTH, WEST),
    )
    for now_h, named in ((15.0, "XX_INNER"), (1_000.0, "XX_EAST")):
        known = [row for row in rows if row["t"] < (53.0 + now_h) * H]
        _, window = law(known, 55 * H)
        assert window.voyages.to_pylist()[0]["destination"] == named, now_h
        later = history(rows, since=55 * H, anchors=history(known, boundaries=[55 * H]).anchors)
        assert_same(history(rows), later, us(55 * H))


def test_anchors_of_zones_that_are_no_more_are_left_out():
    rows = moored()
    anchors = history(rows, boundaries=[20 * DAY]).anchors
    window = history(rows, since=20 * DAY, anchors=anchors, zones=zones_of(disc("YY_EAST", *EAST, 8.0)))
    (visit,) = window.port_visits.to_pylist()
    assert visit["zone_id"] == "YY_EAST"


def test_anchors_of_another_boundary_are_refused():
    rows = round_trip()
    found = history(rows, boundaries=[6 * H, 9 * H])
    with pytest.raises(UsageError, match="2 boundaries"):
        history(rows, since=9 * H, anchors=found.anchors)
    with pytest.raises(UsageError, match="must not begin before their boundary"):
        history(rows, since=6 * H, anchors=anchors_at(found, 9 * H))
