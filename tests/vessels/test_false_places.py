"""False places teach reception nothing: hours heard where a ship cannot have been count for nobody."""

import numpy as np
import pytest

from tests.vessels.builders import ALPHA, BRAVO, T0_US, H, chain, facts_of, instant, lie, sail, segments_of
from tests.vessels.odd_tracks import StripLand
from vessels.events.false_places import false_rows
from vessels.events.odd import between_rows
from vessels.events.odd_positions import find_odd_positions
from vessels.history import combine
from vessels.intake import coverage_table
from vessels.reception.grid import cells_of
from vessels.reception.presence import ship_hours
from vessels.thinning import thin_rows
from vessels.units import US_PER_H
from vessels.zones import Zones

SEA, FAR = (36.0, 130.0), (40.0, 133.0)


def true_and_thrown_off():
    """A ship that sails for two days, and whose positions are thrown 250 nmi off for ten hours of it."""
    rows = sail(ALPHA, 0.0, SEA, (38.0, 131.0), speed_kn=4.0, every_s=600.0)
    off = lie(ALPHA, 15.0 * H + 300.0, FAR, 10.0, every_s=600.0)
    return [row for row in rows if not 15.0 * H <= row["t"] <= 25.2 * H], off


def hours_of(segments, **how):
    return ship_hours(segments, np.zeros(len(segments.offsets) - 1, dtype=np.bool_), **how)


def rows_of(hours):
    return sorted(zip(hours.cell.tolist(), hours.hour.tolist(), hours.is_heard.tolist(), strict=True))


def heard_at(place, table):
    cell = int(cells_of(np.array([place[0]]), np.array([place[1]]))[0])
    return sum(row["n_heard"] for row in table.to_pylist() if row["cell"] == cell)


def test_without_false_rows_nothing_changes():
    segments = segments_of(sail(ALPHA, 0.0, SEA, FAR))
    assert rows_of(hours_of(segments)) == rows_of(hours_of(segments, false_rows=false_rows(segments, [])))


def test_hours_heard_at_false_places_count_for_nothing_and_the_others_as_before():
    segments = segments_of(sail(ALPHA, 0.0, SEA, FAR))
    event = between_rows(segments, "held", 60, 120, 61)
    ranges = false_rows(segments, [event])
    assert ranges.tolist() == [[60, 120]]
    all_hours, left = hours_of(segments), hours_of(segments, false_rows=ranges)
    begin, end = (int(t) // US_PER_H for t in (event.start_us, event.end_us))
    outside = [row for row in rows_of(all_hours) if row[1] < begin or row[1] > end]
    assert set(outside) <= set(rows_of(left)) < set(rows_of(all_hours))
    assert not [row for row in rows_of(left) if begin < row[1] < end]
    assert left.slot_rows.tolist() == all_hours.slot_rows.tolist()
    assert left.heard_h.tolist() == all_hours.heard_h.tolist(), "how often its set is heard stays known"


def test_unheard_hours_from_or_to_a_false_place_go_unless_the_silence_is_judged():
    rows = chain(
        lambda t: lie(ALPHA, t, SEA, 3.0),
        lambda t: lie(ALPHA, t + 3.0 * H, SEA, 3.0),
        lambda t: lie(ALPHA, t + 8.0 * H, SEA, 3.0),
    )
    segments = segments_of(rows)
    ranges = np.array([[19, 37]])
    unheard = [row[1] - T0_US // US_PER_H for row in rows_of(hours_of(segments)) if not row[2]]
    left = [row[1] - T0_US // US_PER_H for row in rows_of(hours_of(segments, false_rows=ranges)) if not row[2]]
    judged = hours_of(segments, false_rows=ranges, judged_from_h=4.0)
    kept = [row[1] - T0_US // US_PER_H for row in rows_of(judged) if not row[2]]
    short, long = [h for h in unheard if h < 7], [h for h in unheard if h > 7]
    assert len(short) >= 2
    assert len(long) >= 6
    assert left == []
    assert kept == long, "they are taken off again when the silence is judged"


def test_ranges_that_overlap_or_lie_in_no_slot_are_fine():
    segments = segments_of(sail(ALPHA, 0.0, SEA, FAR, every_s=120.0))
    one, many = np.array([[200, 400]]), np.array([[200, 300], [250, 400], [300, 310], [301, 301]])
    assert rows_of(hours_of(segments, false_rows=one)) == rows_of(hours_of(segments, false_rows=many))
    nowhere = np.array([[slot, slot] for slot in (1, 2) if slot not in hours_of(segments).slot_rows])
    assert rows_of(hours_of(segments, false_rows=nowhere)) == rows_of(hours_of(segments))


EVEN = {"residual_m": 2.0}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        *((kind, {}) for kind in ("held", "on_land", "laps", "replay")),
        ("constant", EVEN | {"usual_residual_m": 30.0}),
        ("constant", {"residual_m": 0.0, "usual_residual_m": 0.5}),
    ],
)
def test_kinds_that_are_false_on_their_own_track_give_its_rows(kind, said):
    segments = segments_of(sail(ALPHA, 0.0, SEA, FAR), sail(BRAVO, 0.0, SEA, FAR))
    first = int(segments.offsets[1]) + 10
    event = between_rows(segments, kind, first, first + 5, 6, **said)
    assert false_rows(segments, [event]).tolist() == [[first, first + 5]]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param("jump", {"came_back": False}, id="a leap for good"),
        pytest.param("speed", {}, id="a belied speed"),
        pytest.param("constant", EVEN | {"usual_residual_m": 9.0}, id="even motion of a ship that is even elsewhere"),
        pytest.param("constant", EVEN, id="even motion of a ship of which nothing else is known"),
        pytest.param("constant", {"residual_m": 0.0, "usual_residual_m": 0.0}, id="a feed that fills in"),
    ],
)
def test_what_may_be_true_makes_no_row_false(kind, said):
    segments = segments_of(sail(ALPHA, 0.0, SEA, FAR))
    assert false_rows(segments, [between_rows(segments, kind, 10, 20, 11, **said)]).tolist() == []


def test_of_a_jump_away_and_back_the_track_thrown_off_is_false_and_not_the_ship_s_own():
    home, off = true_and_thrown_off()
    segments = segments_of([*home, *off])
    assert len(segments.offsets) == 3, "two tracks"
    found = find_odd_positions(segments, thin_rows(segments, 10.0), StripLand())
    (jump,) = [event for event in found if event.kind == "jump"]
    assert jump.came_back
    thrown = np.flatnonzero(segments.lat > 39.0)
    assert false_rows(segments, [jump]).tolist() == [[thrown[0], thrown[-1]]]
    assert all(first >= thrown[0] and last <= thrown[-1] for first, last in false_rows(segments, found).tolist())


def test_reception_does_not_learn_from_a_ship_thrown_off():
    home, off = true_and_thrown_off()
    (facts,) = facts_of([*home, *off])
    assert heard_at(FAR, facts.sea.reception) == 0
    assert heard_at(SEA, facts.sea.reception) > 0
    (honest,) = facts_of([*home, *({**row, "mmsi": BRAVO} for row in off)])
    assert heard_at(FAR, honest.sea.reception) == 10


def thrown_to_far(n):
    """A ship that lies far away, and its positions for eleven hours in which they are thrown to `FAR`."""
    rows = lie(273_500_010 + 10 * n, 0.0, (33.0 - 0.2 * n, 128.0), 48.0)
    off = lie(273_500_010 + 10 * n, 14.5 * H + 300.0, (FAR[0] + 0.01 * n, FAR[1]), 11.0)
    return [row for row in rows if not 14.5 * H <= row["t"] <= 25.8 * H], off


def test_ships_that_were_never_there_tell_of_nobody_that_he_would_have_been_heard():
    silent = chain(lambda t: lie(ALPHA, t, FAR, 14.0), lambda t: lie(ALPHA, t + 12.0 * H, FAR, 5.0))
    ships = [thrown_to_far(n) for n in range(6)]
    thrown = [row for rows, off in ships for row in (*rows, *off)]
    honest = [row for rows, off in ships for row in (*rows, *({**row, "mmsi": row["mmsi"] + 1} for row in off))]
    told = []
    for others in (honest, thrown):
        facts = facts_of([*silent, *others])
        coverage = coverage_table([part.tally for part in facts], ["file-0"])
        gaps = combine(facts, coverage, instant(48.0 * H), Zones(())).gaps.to_pylist()
        told.append(next(gap for gap in gaps if gap["mmsi"] == ALPHA and gap["end"] is not None))
    assert told[0]["reception"] == "heard"
    assert told[1]["reception"] == "outage", "nobody at all was heard where he was"
    assert told[0]["n_others"] > 5.0
    assert told[1]["n_others"] < 1.0
