"""Tracks broken at silences: a line goes only where a ship was heard."""

import numpy as np
import pytest

from detectors.exports.parts import broken
from detectors.run_tables import HEARD_H
from tests.detectors.exports.runs import at, gap, gaps_of, reports, tracks_of
from vessels.instants import instant_us

STEADY = [(i / 3, 130.0 + i / 20, 40.0) for i in range(12)]
"""Four hours under way, a report in 20 minutes."""


def parts_and_silences(rows, gaps=()):
    return broken(tracks_of(rows), gaps_of(gaps))


def test_reports_close_in_time_are_one_part():
    (part,), silences = parts_and_silences(reports("v", *STEADY))
    assert len(part.time_us) == len(STEADY)
    assert part.sog_kn.tolist() == [10.0] * len(STEADY)
    assert silences == ()


def test_a_silence_of_the_run_breaks_the_line_and_carries_its_row():
    after = [(hours + 12, lon + 2, lat) for hours, lon, lat in STEADY]
    silence = gap((STEADY[-1][0] + 0.2, 130.6, 40.0), after[0])
    (before, later), (unheard,) = parts_and_silences(reports("v", *STEADY, *after), [silence])
    assert [len(before.time_us), len(later.time_us)] == [12, 12]
    assert unheard.gap["event_id"] == silence["event_id"]
    assert (unheard.start_us, unheard.end_us) == (instant_us(silence["start"]), instant_us(silence["end"]))
    # Drawn from report to report, so that it meets the two parts.
    assert unheard.begun == (before.lon[-1], before.lat[-1])
    assert unheard.to == (later.lon[0], later.lat[0])


def test_a_step_over_an_hour_under_way_is_unheard_too_though_no_row_says_so():
    late = [(STEADY[-1][0] + 1.5, 131.0, 40.0), (STEADY[-1][0] + 1.8, 131.1, 40.0)]
    parts, (unheard,) = parts_and_silences(reports("v", *STEADY, *late))
    assert [len(part.time_us) for part in parts] == [12, 2]
    assert unheard.gap is None
    assert unheard.end_us - unheard.start_us == pytest.approx(1.5 * 3.6e9)


def test_a_ship_that_swings_at_anchor_is_one_part_unless_the_run_has_a_silence_there():
    lying = [(3.0 * i, 130.0 + 0.0005 * (i % 2), 40.0) for i in range(6)]
    (part,), silences = parts_and_silences(reports("v", *lying))
    assert len(part.time_us) == 6
    assert silences == ()
    parts, silences = parts_and_silences(reports("v", *lying), [gap(lying[2], lying[3])])
    assert [len(part.time_us) for part in parts] == [3, 3]
    assert len(silences) == 1


def test_a_silence_that_goes_on_begins_at_the_last_report_and_has_no_end():
    parts, (unheard,) = parts_and_silences(reports("v", *STEADY), [gap((STEADY[-1][0] + 0.3, 130.6, 40.0), None)])
    assert len(parts) == 1
    assert unheard.to is None
    assert unheard.end_us is None
    assert unheard.begun == (130.6, 40.0)


def test_a_silence_over_a_change_of_number_leads_to_where_the_hull_was_heard_again():
    changed = gap(STEADY[-1], (20.0, 133.0, 41.0), next_mmsi=457000001, next_segment_id="segment-b")
    rows = [*reports("v", *STEADY), *reports("v", (20.0, 133.0, 41.0), mmsi=457000001, segment_id="segment-b")]
    parts, (unheard,) = parts_and_silences(rows, [changed])
    assert [part.mmsi for part in parts] == [445012340, 457000001]
    assert unheard.to == (133.0, 41.0)


@pytest.mark.parametrize("hours", [-30.0, 40.0])
def test_silences_of_the_track_at_other_times_are_left_to_other_voyages(hours):
    other = gap((hours, 120.0, 30.0), (hours + 6, 121.0, 30.0))
    _, silences = parts_and_silences(reports("v", *STEADY), [other])
    assert silences == ()


def test_tracks_of_one_voyage_are_kept_apart_and_so_are_voyages():
    rows = [
        *reports("v", *STEADY),
        *reports("v", *STEADY, role="met", mmsi=457000001, segment_id="segment-b"),
        *reports("w", *STEADY, mmsi=457000001, segment_id="segment-b"),
    ]
    parts, _ = parts_and_silences(rows)
    assert [(part.voyage_id, part.role, part.mmsi) for part in parts] == [
        ("v", "own", 445012340),
        ("v", "met", 457000001),
        ("w", "own", 457000001),
    ]


def test_between_two_times_at_which_a_ship_met_is_shown_nothing_is_called_unheard():
    away = [(hours + 60, lon + 5, lat) for hours, lon, lat in STEADY]
    rows = reports("v", *STEADY, *away, role="met", mmsi=457000001, segment_id="segment-b")
    spans = [tuple(instant_us(at(hours)) for hours in span) for span in ((-1, 12), (50, 80))]
    parts, silences = broken(tracks_of(rows), gaps_of([]), {("v", 457000001): spans})
    assert [len(part.time_us) for part in parts] == [12, 12]
    assert silences == ()
    known = gap(STEADY[-1], away[0], mmsi=457000001, segment_id="segment-b")
    assert len(broken(tracks_of(rows), gaps_of([known]), {("v", 457000001): spans})[1]) == 1
    whole = {("v", 457000001): [(spans[0][0], spans[1][1])]}
    assert len(broken(tracks_of(rows), gaps_of([]), whole)[1]) == 1


def test_every_report_is_in_one_part_whatever_the_silences():
    hours = np.cumsum(np.random.default_rng(5).exponential(1.0, 200))
    rows = reports("v", *((h, 130.0 + i / 30, 40.0) for i, h in enumerate(hours)))
    parts, silences = parts_and_silences(rows)
    times = np.concatenate([part.time_us for part in parts])
    assert times.tolist() == [instant_us(at(h)) for h in hours]
    assert len(silences) == len(parts) - 1 > 20
    assert max((np.diff(part.time_us) / 3.6e9).max(initial=0.0) for part in parts) <= HEARD_H


def test_no_tracks_give_nothing():
    assert parts_and_silences([]) == ((), ())
