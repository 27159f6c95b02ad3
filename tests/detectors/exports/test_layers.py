"""The layers of an export: what an analyst wants of each thing, flat, with its place."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import shapely

from detectors.exports.layers import layers_of
from tests.detectors.exports.runs import at, gap, reports, with_finding, with_flagged, with_rows, with_tracks

WAY = [(i / 3, 130.0 + i / 10, 40.0) for i in range(4)]


def rows(layer):
    return layer.table.to_pylist()


def test_every_row_of_every_layer_has_a_geometry_of_its_layers_type_within_the_world(run, voyage_id):
    after = [(hours + 12, lon + 3, lat + 1) for hours, lon, lat in WAY]
    for layer in layers_of(with_tracks(run, reports(voyage_id, *WAY, *after))).in_order:
        assert layer.table.num_rows == len(layer.shapes) > 0
        assert {shape.geom_type for shape in layer.shapes} <= {
            layer.geometry_type,
            layer.geometry_type.removeprefix("Multi"),
        }
        west, south, east, north = shapely.total_bounds(layer.shapes).tolist()
        assert -180.0 <= west <= east <= 180.0
        assert -90.0 <= south <= north <= 90.0
        assert all(shapely.is_valid(layer.shapes))


def test_a_track_says_which_voyage_it_is_of_and_when_it_was_sailed(run, voyage_id):
    found = layers_of(with_tracks(run, reports(voyage_id, *WAY)))
    (track,) = rows(found.tracks)
    assert (track["rank"], track["band"], track["score"], track["status"]) == (1, "critical", 0.934, "new")
    assert (track["start"], track["end"], track["n_reports"]) == (at(0), at(1), 4)
    assert (track["flag_state"], track["max_sog_kn"], track["made_of"]) == ("KP", 10.0, "reports")
    assert track["voyage_name"] == "PAEKSONG 2"
    assert track["label"] == "1. PAEKSONG 2"
    assert shapely.get_num_coordinates(found.tracks.shapes[0]) == 4
    assert [row["time"] for row in rows(found.positions)] == [at(hours) for hours, _, _ in WAY]


def test_no_line_is_drawn_through_a_silence(run, voyage_id):
    after = [(hours + 12, lon + 3, lat + 1) for hours, lon, lat in WAY]
    silence = gap(WAY[-1], after[0], reception="outage")
    found = layers_of(with_tracks(run, reports(voyage_id, *WAY, *after), [silence]))
    sailed = shapely.union_all(found.tracks.shapes)
    (unheard,) = found.silences.shapes
    (row,) = rows(found.silences)
    assert sailed.intersection(unheard).length == 0.0
    assert list(unheard.coords) == [WAY[-1][1:], after[0][1:]]
    assert row["reception"] == "outage"
    assert "nobody was heard: the feed was down" in row["text"]
    assert "not heard for 11.0 h" in row["label"]


def test_a_pause_is_told_from_a_silence(run, voyage_id):
    late = [(WAY[-1][0] + hours, 130.3 + hours / 4, 40.5) for hours in (2.0, 2.3, 7.0, 7.3)]
    found = rows(layers_of(with_tracks(run, reports(voyage_id, *WAY, *late))).silences)
    assert [(row["kind"], row["event_id"], row["reception"]) for row in found] == [
        ("pause", None, None),
        ("silence", None, None),
    ]


def test_a_silence_that_goes_on_has_its_place_in_columns_and_lasts_to_the_end_of_the_data(run, voyage_id):
    found = layers_of(with_tracks(run, reports(voyage_id, *WAY), [gap(WAY[-1], None)]))
    (row,) = rows(found.silences)
    assert found.silences.shapes == [None]
    assert row["kind"] == "silence"
    assert (row["start_lon"], row["start_lat"], row["end_lon"], row["end"]) == (*WAY[-1][1:], None, None)
    assert row["is_open"]
    assert "so far" in row["text"]
    as_of = datetime.fromisoformat(run.run["as_of"])
    assert row["duration_h"] == pytest.approx((as_of - at(1)) / timedelta(hours=1), abs=0.01)


def test_a_voyage_across_180_is_cut_there_in_tracks_and_silences(run, voyage_id):
    west = [(i / 3, 179.0 + i / 4, 50.0) for i in range(4)]
    east = [(1 + i / 3, -179.8 + i / 4, 50.0) for i in range(1, 4)]
    later = [(30 + i / 3, 178.0 + i / 4, 50.0) for i in range(3)]
    found = layers_of(with_tracks(run, reports(voyage_id, *west, *east, *later), [gap(east[-1], later[0])]))
    crossing = found.tracks.shapes[0]
    assert crossing.geom_type == "MultiLineString"
    assert crossing.length == pytest.approx(east[-1][1] + 360.0 - west[0][1])
    (silence,) = found.silences.shapes
    assert silence.length == pytest.approx(360.0 - 178.0 + east[-1][1])
    for shape in (crossing, silence):
        assert shape.bounds[0] == -180.0
        assert shape.bounds[2] == 180.0


def test_a_voyage_of_one_report_has_no_line_but_a_place(run, voyage_id):
    found = layers_of(with_tracks(run, reports(voyage_id, WAY[2])))
    assert rows(found.tracks) == []
    assert found.positions.table.num_rows == 1
    assert found.flagged_voyages.shapes[0].coords[0] == WAY[2][1:]


def test_a_voyage_as_told_before_keeps_its_line_and_says_what_it_is(run):
    line = shapely.MultiLineString([[(179.0, 50.0), (180.0, 50.0)], [(-180.0, 50.0), (-179.0, 50.5)]])
    told = with_flagged(
        with_tracks(run, []), voyage_id="voyage-00ff00ff00ff00ff", geometry=line.wkb, changes=["told last in May"]
    )
    found = layers_of(with_rows(told, "findings", []))
    (track,) = rows(found.tracks)
    assert (track["made_of"], track["n_reports"], track["segment_id"]) == ("line as told", None, None)
    assert found.tracks.shapes[0].equals(line)
    (row,) = rows(found.flagged_voyages)
    assert (row["lon"], row["lat"], row["changes"]) == (-179.0, 50.5, "told last in May")
    assert rows(found.findings) == rows(found.positions) == []


def test_a_voyage_as_told_before_that_never_moved_has_a_point_alone(run):
    told = with_flagged(with_tracks(run, []), geometry=shapely.Point(130.5, 41.5).wkb)
    found = layers_of(told)
    assert rows(found.tracks) == []
    assert found.flagged_voyages.shapes[0].coords[0] == (130.5, 41.5)


def test_a_voyage_without_tracks_or_line_keeps_its_row(run):
    found = layers_of(with_flagged(with_tracks(run, []), geometry=None))
    assert found.flagged_voyages.shapes == [None]
    assert rows(found.flagged_voyages)[0]["name"] == "PAEKSONG 2"
    assert rows(found.tracks) == []


def test_no_flagged_voyage_gives_empty_layers_and_the_fences(make_run, run):
    found = layers_of(replace(run, tables=make_run(flagged=False).tables))
    assert {layer.name: layer.table.num_rows for layer in found.in_order if layer.table.num_rows} == {
        "fences": run.tables["zones"].num_rows
    }


def test_a_finding_is_flat_and_numbered_as_in_the_case(run):
    (first,) = run.tables["findings"].to_pylist()
    lighter = first | {"finding_id": "finding-1", "weight_db": 1.0, "lat": None, "lon": None, "kind": "dark_gap"}
    found = layers_of(with_rows(run, "findings", [lighter, first]))
    heavy, light = rows(found.findings)
    assert (heavy["number"], heavy["label"]) == (1, "1.1 relay voyage")
    assert (light["number"], light["label"]) == (2, "1.2 dark gap")
    assert heavy["evidence"] == (
        "days from Nampo to Nakhodka [d]: 7.0 (expected: over 30); draught leaving Nampo [m]: 8.0"
    )
    assert heavy["caveats"] == "two reports an hour: short calls may be missing"
    assert (heavy["other_mmsi"], heavy["sources"]) == ("457300610", "ais-2024-04.csv")
    assert found.findings.shapes[1] is None


def test_a_thousand_findings_are_a_thousand_rows(run):
    (first,) = run.tables["findings"].to_pylist()
    many = [first | {"finding_id": f"finding-{i:04d}", "weight_db": 20.0 - i / 100} for i in range(1000)]
    found = rows(layers_of(with_rows(run, "findings", many)).findings)
    assert [row["number"] for row in found] == list(range(1, 1001))


def test_earlier_identities_are_said_in_words(run):
    (row,) = rows(layers_of(run).flagged_voyages)
    assert row["earlier_identities"].startswith("PAEKSONG 2 (MMSI 457300610, IMO 2318669, call sign JVQZ5) ")
    assert row["earlier_identities"].endswith("same IMO")
    assert row["kinds"] == "relay_voyage"
    assert row["ship_type_name"]


def test_only_the_voyages_wanted_and_no_finding_of_others(run, voyage_id):
    assert layers_of(run, [voyage_id]).findings.table.num_rows == 1
    found = layers_of(run, [])
    assert found.findings.table.num_rows == found.tracks.table.num_rows == found.positions.table.num_rows == 0
    assert found.fences.table.num_rows > 0


def test_a_ship_that_was_met_goes_by_its_own_name(run, voyage_id):
    spells = run.tables["identities"].to_pylist()
    named = [row | {"segment_id": "segment-b", "mmsi": 457000001, "name": "SOMEONE ELSE"} for row in spells[:1]]
    tracks = [*reports(voyage_id, *WAY), *reports(voyage_id, *WAY, role="met", mmsi=457000001, segment_id="segment-b")]
    found = rows(layers_of(with_rows(with_tracks(run, tracks), "identities", [*spells, *named])).tracks)
    met = found[1]
    assert (met["role"], met["name"], met["flag_state"]) == ("met", "SOMEONE ELSE", "MN")
    assert met["label"] == "met by 1: SOMEONE ELSE"
    assert met["voyage_name"] == "PAEKSONG 2"


@pytest.mark.parametrize("name", ["A\x1b[31mB", "A\u202eB", "A\x00B\nC", "A\u200b\ufeffB"])
def test_radio_text_loses_what_commands_a_reader(run, name):
    hostile = with_finding(with_flagged(run, name=name, headline=name, call_sign=name), headline=name, caveats=[name])
    for layer in layers_of(hostile).in_order:
        for row in rows(layer):
            for value in row.values():
                assert not isinstance(value, str) or value.isprintable(), (layer.name, value)


def test_a_name_of_ten_thousand_characters_makes_no_long_label(run):
    (row,) = rows(layers_of(with_flagged(run, name="A" * 10_000)).flagged_voyages)
    assert len(row["label"]) < 70
    assert len(row["name"]) == 10_000


def test_the_same_run_gives_the_same_layers_whatever_the_order_of_its_rows(run):
    (first,) = run.tables["findings"].to_pylist()
    twins = [first | {"finding_id": f"finding-{i}"} for i in range(5)]
    one, other = (layers_of(with_rows(run, "findings", order)) for order in (twins, twins[::-1]))
    assert one.findings.table.equals(other.findings.table)
