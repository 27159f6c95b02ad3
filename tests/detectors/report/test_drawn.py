"""What is drawn of one voyage: its tracks, silences, stays, claims, links and findings as plain records."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
import shapely

from detectors.batch.outputs import write_result
from detectors.explain import Cases
from detectors.links import Link
from detectors.report.drawer import Drawer, _borne
from detectors.report.drawn import Bar
from detectors.run_folder import load_run, run_in_memory
from detectors.run_tables import TRACKS
from tests.detectors.histories import at, spell, table
from tests.detectors.hulls import link
from vessels.instants import instant_us


@pytest.fixture
def run(finished, tmp_path):
    return run_in_memory(finished, tmp_path)


def drawn(run, voyage_id, **tables):
    run = replace(run, tables={**run.tables, **tables})
    return Drawer(run).drawn(Cases(run).case(voyage_id))


def spells(run, voyage_id, *claims):
    """Identity spells of the voyage's hull, a day each: what each says."""
    (voyage,) = [row for row in run.tables["voyages"].to_pylist() if row["voyage_id"] == voyage_id]
    own = {name: voyage[name] for name in ("hull_id", "segment_id", "mmsi")}
    rows = [
        {**own, "first_seen": at(i), "last_seen": at(i + 1), "n_reports": 9, **said} for i, said in enumerate(claims)
    ]
    return table("identities", rows)


def columns(rows):
    return {name: [row[name] for row in rows] for name in TRACKS.names}


def bars(found, field):
    return [(bar.value, bar.start_us, bar.end_us) for bar in found.bars if bar.field == field]


def test_a_voyage_of_the_run_is_drawn_with_all_that_the_run_has_of_it(run, relay_voyage_id):
    found = drawn(run, relay_voyage_id)
    (track,) = found.tracks
    assert track.role == "own"
    assert (np.diff(track.time_us) > 0).all()
    assert len(track.time_us) == len(track.lat) == len(track.sog_kn) > 2
    assert found.start_us <= track.time_us[-1] <= found.as_of_us
    assert [mark.number for mark in found.marks] == [1]
    assert found.marks[0].kind == "relay_voyage"
    assert found.line.geom_type == "LineString"
    assert "PAEKSONG 2" in found.title
    assert {stay.zone_id for stay in found.stays} >= {"KP_NAMPO", "KR_POHANG"}
    assert found.stays == tuple(sorted(found.stays, key=lambda stay: stay.start_us))


def test_a_run_read_back_draws_the_same(finished, tmp_path, relay_voyage_id):
    from_memory = drawn(run_in_memory(finished, tmp_path), relay_voyage_id)
    write_result(finished, tmp_path / "out")
    read_back = drawn(load_run(tmp_path / "out"), relay_voyage_id)
    for field in ("title", "start_us", "end_us", "as_of_us", "silences", "stays", "marks", "bars", "links", "line"):
        assert getattr(from_memory, field) == getattr(read_back, field), field
    for one, other in zip(from_memory.tracks, read_back.tracks, strict=True):
        assert one.time_us.tolist() == other.time_us.tolist()


def test_a_claim_is_one_bar_until_another_is_made_and_what_was_not_sent_is_none(run, relay_voyage_id):
    claims = spells(
        run,
        relay_voyage_id,
        {"name": "ALPHA", "imo": 2_000_014, "destination": "BUSAN"},
        {"name": "ALPHA", "imo": None, "destination": "ULSAN"},
        {"name": "BRAVO", "imo": 2_000_014},
        {"name": "ALPHA", "imo": 2_000_014},
    )
    found = drawn(run, relay_voyage_id, identities=claims)
    day = [instant_us(at(i)) for i in range(5)]
    assert bars(found, "name") == [("ALPHA", day[0], day[2]), ("BRAVO", day[2], day[3]), ("ALPHA", day[3], day[4])]
    assert bars(found, "imo") == [("2000014", day[0], day[1]), ("2000014", day[2], day[4])]
    assert [value for value, _, _ in bars(found, "destination")] == ["BUSAN", "ULSAN"]
    assert bars(found, "call_sign") == []
    assert [value for value, _, _ in bars(found, "flag")] == ["KP"]
    assert all(isinstance(bar, Bar) and bar.probability == 1.0 for bar in found.bars)


def test_a_claim_is_not_drawn_over_a_time_in_which_the_ship_was_not_heard(run, relay_voyage_id):
    claims = spells(run, relay_voyage_id, {"name": "ALPHA"}, {"name": "ALPHA"}, {"name": "BRAVO"})
    (voyage,) = [row for row in run.tables["voyages"].to_pylist() if row["voyage_id"] == relay_voyage_id]
    rows = [
        {"event_id": f"gap-{i}", "hull_id": voyage["hull_id"], "start": first, "end": last, "duration_h": 12.0}
        for i, (first, last) in enumerate([(at(0, 6), at(0, 18)), (at(1.5), at(2.5)), (at(2.75), None)])
    ]
    found = drawn(run, relay_voyage_id, identities=claims, gaps=table("gaps", rows))
    assert bars(found, "name") == [
        ("ALPHA", instant_us(at(0)), instant_us(at(0, 6))),
        ("ALPHA", instant_us(at(0, 18)), instant_us(at(1.5))),
        ("BRAVO", instant_us(at(2.5)), instant_us(at(2.75))),
    ]


def test_a_number_is_not_drawn_while_the_hull_was_under_another():
    suri = spell(445_000_123, at(0), at(10), name="SU RI 7")
    mirae = spell(273_000_222, at(4, 6), at(7), name="MIRAE 3")
    away = link(suri, mirae, ended=at(4), from_silence=True)
    back = link(mirae, suri, began=at(7, 6), to_silence=True)
    borne = list(_borne([suri, mirae], [Link.of(away), Link.of(back)]))
    assert [(row["name"], row["first_seen"], row["last_seen"]) for row in borne] == [
        ("SU RI 7", at(0), at(4)),
        ("SU RI 7", at(7, 6), at(10)),
        ("MIRAE 3", at(4, 6), at(7)),
    ]


def test_a_claim_that_was_sent_once_is_a_bar_of_no_length(run, relay_voyage_id):
    (one,) = spells(run, relay_voyage_id, {"name": "ALPHA"}).to_pylist()
    claims = table("identities", [{**one, "last_seen": one["first_seen"]}])
    (voyage,) = [row for row in run.tables["voyages"].to_pylist() if row["voyage_id"] == relay_voyage_id]
    gap = {"event_id": "gap", "hull_id": voyage["hull_id"], "mmsi": voyage["mmsi"], "start": at(9), "end": at(10)}
    found = drawn(run, relay_voyage_id, identities=claims, gaps=table("gaps", [gap]))
    assert bars(found, "name") == [("ALPHA", instant_us(at(0)), instant_us(at(0)))]


def test_text_from_a_radio_is_one_line_that_turns_nothing_about(run, relay_voyage_id):
    claims = spells(run, relay_voyage_id, {"name": "AB\u202eC\x1b[31m\n" + "X" * 10_000, "destination": "\u2066>X"})
    found = drawn(run, relay_voyage_id, identities=claims)
    (name,) = [bar.value for bar in found.bars if bar.field == "name"]
    assert name.startswith("ABC[31m X")
    assert len(name) == 200
    assert [value for value, _, _ in bars(found, "destination")] == [">X"]


def test_silences_that_touch_the_voyage_are_drawn_with_what_reception_says(run, relay_voyage_id):
    (voyage,) = [row for row in run.tables["voyages"].to_pylist() if row["voyage_id"] == relay_voyage_id]
    begin, end = voyage["span_start"], voyage["span_end"] or voyage["last_seen"]
    hour = timedelta(hours=1)
    spans = {
        "before": (begin - 9 * hour, begin - hour),
        "into": (begin - hour, begin + 5 * hour),
        "open": (end - hour, None),
        "after": (end + hour, end + 9 * hour),
    }
    rows = [
        {"event_id": name, "hull_id": voyage["hull_id"], "mmsi": voyage["mmsi"], "start": first, "end": last}
        | {"start_lat": 40.0, "start_lon": 131.0, "duration_h": 6.0, "reception": "outage"}
        for name, (first, last) in spans.items()
    ]
    found = drawn(run, relay_voyage_id, gaps=table("gaps", rows))
    assert [silence.start_us for silence in found.silences] == [instant_us(spans[name][0]) for name in ("into", "open")]
    assert found.silences[0].text == "not heard for 6.0 h; nobody was heard: the feed was down"
    assert found.silences[1].end_us is None
    assert "so far" in found.silences[1].text


def test_hours_without_reports_that_are_no_gap_are_drawn_unheard_and_cut_the_bars(run, relay_voyage_id):
    tracks = run.tables["tracks"].to_pylist()
    own = [row for row in tracks if row["voyage_id"] == relay_voyage_id and row["role"] == "own"]
    first = own[0]["timestamp"]
    kept = [row for row in own if not timedelta(hours=6) < row["timestamp"] - first < timedelta(hours=12)]
    before, after = kept[[row["timestamp"] - first > timedelta(hours=6) for row in kept].index(True) - 1 :][:2]
    (one,) = spells(run, relay_voyage_id, {"name": "ALPHA"}).to_pylist()
    claims = table("identities", [{**one, "first_seen": first, "last_seen": own[-1]["timestamp"]}])
    found = drawn(run, relay_voyage_id, tracks=TRACKS.build(columns(kept)), identities=claims, gaps=table("gaps", []))
    (silence,) = found.silences
    assert (silence.start_us, silence.end_us) == (instant_us(before["timestamp"]), instant_us(after["timestamp"]))
    assert silence.reception == "unjudged"
    assert silence.text.startswith("not heard for about 6 h; ")
    assert [(start, end) for _, start, end in bars(found, "name")] == [
        (instant_us(first), silence.start_us),
        (silence.end_us, instant_us(own[-1]["timestamp"])),
    ]


def test_a_finding_that_goes_on_is_drawn_to_the_end_of_the_data(run, relay_voyage_id):
    findings = run.tables["findings"]
    place = findings.schema.get_field_index("end")
    open_end = findings.set_column(place, findings.schema.field(place), pa.nulls(len(findings), findings["end"].type))
    found = drawn(run, relay_voyage_id, findings=open_end)
    assert [mark.end_us for mark in found.marks] == [found.as_of_us]


def test_a_voyage_as_it_was_told_before_has_its_line_alone(run):
    (row,) = run.tables["flagged_voyages"].to_pylist()
    without = {name: run.tables[name].slice(0, 0) for name in ("voyages", "findings", "tracks")}
    found = Drawer(replace(run, tables={**run.tables, **without})).as_told(row)
    assert found.line is not None
    assert (found.tracks, found.marks, found.bars) == ((), (), ())
    assert found.start_us < found.end_us


def test_fences_are_found_where_a_frame_beyond_180_has_them(run):
    zones = run.tables["zones"].slice(0, 1)
    east = pa.array([shapely.to_wkb(shapely.box(178.0, 10.0, 179.0, 11.0))], pa.binary())
    moved = zones.set_column(zones.column_names.index("geometry"), "geometry", east)
    drawer = Drawer(replace(run, tables={**run.tables, "zones": moved}))
    (here,) = drawer.fences(170.0, 0.0, 190.0, 20.0)
    assert here.shape.bounds == (178.0, 10.0, 179.0, 11.0)
    (there,) = drawer.fences(-190.0, 0.0, -170.0, 20.0)
    assert there.shape.bounds == (-182.0, 10.0, -181.0, 11.0)
    assert drawer.fences(0.0, 0.0, 20.0, 20.0) == ()
