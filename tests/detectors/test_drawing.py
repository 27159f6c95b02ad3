"""The tables by which people see a run: tracks of flagged voyages, of ships they met, and the fences in force."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
import shapely

from detectors.batch.drawing import AROUND, tracks_table, zones_table
from detectors.finding import Evidence, Finding
from detectors.run_tables import FENCES, TRACKS
from tests.detectors.histories import at, history, sailed, voyage, zone
from vessels.zones import Zones

ALPHA, BRAVO, CHARLIE = 273_412_340, 445_012_350, 477_012_360
SQUARE = shapely.box(120, 30, 121, 31)
NORTH, SOUTH = (42.0, 132.0), (36.0, 130.0)


def flagged(*voyages):
    return pa.table({"voyage_id": pa.array([row["voyage_id"] for row in voyages], pa.string())})


def meeting(row, start, end, *others):
    return Finding(
        "tester", "1", "rendezvous", row["mmsi"], start, end, 0.5, "met", (Evidence("distance", "20", "", "m"),),
        other_mmsi=others, voyage_id=row["voyage_id"],
    )  # fmt: skip


def reports(table, voyage_id, role="own"):
    rows = [row for row in table.to_pylist() if row["voyage_id"] == voyage_id and row["role"] == role]
    return [(row["mmsi"], row["timestamp"]) for row in rows]


def test_a_flagged_voyage_has_its_reports_stays_at_both_ends_included_and_no_others():
    sailing = voyage(ALPHA, at(5), at(9), span_start=at(4), span_end=at(10), last_seen=at(9))
    quiet = voyage(BRAVO, at(5), at(9))
    track = sailed(ALPHA, at(0), 15 * 24, NORTH, SOUTH, sog=9.5, draught=6.1) + sailed(BRAVO, at(0), 360, NORTH, SOUTH)
    table = tracks_table(history(as_of=at(20), voyages=[sailing, quiet], sketches=track), flagged(sailing), [])
    assert table.schema.equals(TRACKS.arrow)
    assert set(table["voyage_id"].to_pylist()) == {sailing["voyage_id"]}
    times = table["timestamp"].to_pylist()
    assert (min(times), max(times)) == (at(4), at(10))
    assert times == sorted(times)
    assert table.num_rows == 6 * 24 * 3 + 1
    assert set(table["sog"].to_pylist()) == {9.5}
    assert np.allclose(table["draught"].to_numpy(), 6.1)


def test_an_open_voyage_is_drawn_to_its_last_report():
    sailing = voyage(ALPHA, at(5), None, span_start=at(5), span_end=None, last_seen=at(8))
    track = sailed(ALPHA, at(0), 8 * 24, NORTH, SOUTH)
    table = tracks_table(history(as_of=at(20), voyages=[sailing], sketches=track), flagged(sailing), [])
    assert max(table["timestamp"].to_pylist()) == at(8)


def test_a_voyage_over_a_change_of_number_has_the_tracks_of_both():
    sailing = voyage(BRAVO, at(1), at(9), span_start=at(0), span_end=at(10))
    parts = [
        {"voyage_id": sailing["voyage_id"], "segment_id": f"segment-{m}", "mmsi": m, "start": at(0), "end": at(10)}
        for m in (BRAVO, ALPHA)
    ]
    track = sailed(ALPHA, at(0), 96, NORTH, SOUTH) + sailed(BRAVO, at(5), 96, SOUTH, NORTH)
    past = history(as_of=at(20), voyages=[sailing], voyage_parts=parts, sketches=track)
    assert {mmsi for mmsi, _ in reports(tracks_table(past, flagged(sailing), []), sailing["voyage_id"])} == {
        ALPHA,
        BRAVO,
    }


def test_a_ship_met_is_drawn_around_the_finding_that_names_it_once():
    sailing = voyage(ALPHA, at(2), at(12))
    track = [row for mmsi in (ALPHA, BRAVO, CHARLIE) for row in sailed(mmsi, at(0), 480, NORTH, SOUTH)]
    past = history(as_of=at(20), voyages=[sailing], sketches=track)
    found = [
        meeting(sailing, at(6), at(6) + timedelta(hours=5), BRAVO, ALPHA),
        meeting(sailing, at(6), at(6) + timedelta(hours=4), BRAVO),
        meeting(voyage(CHARLIE, at(2), at(3)), at(2), at(3), ALPHA),
    ]
    table = tracks_table(past, flagged(sailing), found)
    met = reports(table, sailing["voyage_id"], "met")
    assert {mmsi for mmsi, _ in met} == {BRAVO}
    times = [when for _, when in met]
    assert (min(times), max(times)) == (at(6) - AROUND, at(6) + timedelta(hours=5) + AROUND)
    assert len(times) == len(set(times))
    assert len(reports(table, sailing["voyage_id"])) == 10 * 24 * 3 + 1


def test_a_finding_that_goes_on_for_ever_does_not_bring_the_other_ships_whole_life():
    sailing = voyage(ALPHA, at(8), at(10))
    track = [row for mmsi in (ALPHA, BRAVO) for row in sailed(mmsi, at(0), 480, NORTH, SOUTH)]
    past = history(as_of=at(20), voyages=[sailing], sketches=track)
    table = tracks_table(past, flagged(sailing), [meeting(sailing, at(0), None, BRAVO)])
    times = [when for _, when in reports(table, sailing["voyage_id"], "met")]
    assert (min(times), max(times)) == (at(8) - AROUND, at(10) + AROUND)


def test_another_track_under_the_same_number_is_drawn_for_the_time_of_the_finding():
    sailing = voyage(ALPHA, at(2), at(12))
    other = sailed(ALPHA, at(0), 480, SOUTH, NORTH, segment_id="segment-other")
    past = history(as_of=at(20), voyages=[sailing], sketches=sailed(ALPHA, at(0), 480, NORTH, SOUTH) + other)
    table = tracks_table(past, flagged(sailing), [meeting(sailing, at(6), at(7))])
    met = [row for row in table.to_pylist() if row["role"] == "met"]
    assert {row["segment_id"] for row in met} == {"segment-other"}
    assert (met[0]["timestamp"], met[-1]["timestamp"]) == (at(6), at(7))
    assert {row["segment_id"] for row in table.to_pylist() if row["role"] == "own"} == {f"segment-{ALPHA}"}


def test_the_order_of_rows_and_findings_changes_nothing():
    voyages = [voyage(ALPHA, at(2), at(12)), voyage(BRAVO, at(3), at(9))]
    track = [row for mmsi in (ALPHA, BRAVO, CHARLIE) for row in sailed(mmsi, at(0), 480, NORTH, SOUTH)]
    found = [meeting(voyages[0], at(6), at(7), CHARLIE), meeting(voyages[1], at(4), at(5), CHARLIE, ALPHA)]
    one = tracks_table(history(as_of=at(20), voyages=voyages, sketches=track), flagged(*voyages), found)
    past = history(as_of=at(20), voyages=voyages[::-1], sketches=track)
    mixed = np.random.default_rng(3).permutation(past.sketches.num_rows)
    past = history(as_of=at(20), voyages=voyages[::-1], sketches=past.sketches.take(pa.array(mixed)).to_pylist())
    assert tracks_table(past, flagged(*voyages[::-1]), found[::-1]).equals(one)
    assert one.num_rows > 0


@pytest.mark.parametrize("told", [(), (voyage(CHARLIE, at(1), at(2)),)])
def test_nothing_flagged_or_only_what_was_told_before_has_no_tracks(told):
    past = history(
        as_of=at(20), voyages=[voyage(ALPHA, at(2), at(12))], sketches=sailed(ALPHA, at(0), 99, NORTH, SOUTH)
    )
    table = tracks_table(past, flagged(*told), [])
    assert table.num_rows == 0
    assert table.schema.equals(TRACKS.arrow)


def test_every_fence_in_force_is_kept_with_its_watch_level():
    fences = Zones((zone("AA_PORT", "high", geometry=shapely.box(129, 35, 130, 36)), zone("BB_PORT", geometry=SQUARE)))
    table = zones_table(fences)
    assert table.schema.equals(FENCES.arrow)
    assert table["zone_id"].to_pylist() == ["AA_PORT", "BB_PORT"]
    assert table["watch"].to_pylist() == ["high", None]
    shapes = shapely.from_wkb(table["geometry"].to_pylist())
    assert [a.equals(b.geometry) for a, b in zip(shapes, fences.zones, strict=True)] == [True, True]
