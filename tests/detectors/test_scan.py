"""A scan from files to flagged voyages: end to end, and the same bytes however the work is shared out."""

import itertools
import json
from datetime import timedelta
from importlib import resources

import geopandas
import pandas as pd
import pytest

from detectors.batch.outputs import write_result
from detectors.batch.scan import scan
from detectors.batch.settings import Settings, load_settings
from detectors.catalogue import make_detectors
from detectors.run_folder import TABLES
from tests.vessels.builders import ALPHA, chain, end_of, instant, lie, sail, write_parquet
from vessels import read_tracks
from vessels.errors import NothingReadableError, SettingsError, UsageError
from vessels.zones import read_zones

PAEKSONG, TRADER, FERRY = 445_012_340, 273_412_340, 440_123_450
DAY = 86_400.0
NAMPO, NAKHODKA, POHANG = (38.72, 125.35), (42.79, 132.89), (36.05, 129.45)
SEA_ROUTE = [(38.5, 124.3), (34.0, 124.9), (33.9, 128.8), (36.5, 130.4), (42.3, 132.6)]


def passage(mmsi, t, places, **said):
    """Leg after leg through these places."""
    rows = []
    for here, there in itertools.pairwise(places):
        rows += sail(mmsi, end_of(rows) + 600.0 if rows else t, here, there, every_s=3600.0, **said)
    return rows


def relay(mmsi):
    """Coal: loaded at Nampo, landed and loaded again at Nakhodka, carried to Pohang."""
    papers = {"name": "PAEKSONG 2", "imo": "2318669", "call_sign": "HMZQ", "ship_type": 70, "transceiver": "A"}
    return chain(
        lambda t: lie(mmsi, t, NAMPO, 40.0, every_s=3600.0, **papers, draught=8.0),
        lambda t: passage(mmsi, t, [NAMPO, *SEA_ROUTE, NAKHODKA], **papers, draught=8.0),
        lambda t: lie(mmsi, t, NAKHODKA, 40.0, every_s=3600.0, **papers, draught=4.0),
        lambda t: passage(mmsi, t, [NAKHODKA, SEA_ROUTE[-1], (36.6, 130.4), POHANG], **papers, draught=8.0),
        lambda t: lie(mmsi, t, POHANG, 30.0, every_s=3600.0, **papers, draught=8.0),
    )


def shuttle(mmsi, n):
    """An honest coaster between Pohang and Busan, each way a little off the one before."""
    papers = {"name": f"HAEMA {mmsi % 100}", "call_sign": "DSAB9", "ship_type": 70}
    busan = (35.1, 129.1)
    rows = lie(mmsi, 0.0, POHANG, 6.0, every_s=3600.0, **papers)
    for trip in range(n):
        for here, there in ((POHANG, busan), (busan, POHANG)):
            out = 129.7 + 0.013 * trip
            way = [here, (here[0] - 0.02, out), (there[0] - 0.02, out), there]
            rows += passage(mmsi, end_of(rows) + 600.0, way, **papers)
            rows += lie(mmsi, end_of(rows) + 600.0, there, 8.0, every_s=3600.0, **papers)
    return rows


ROWS = [
    *relay(PAEKSONG),
    *shuttle(FERRY, 3),
    *shuttle(FERRY + 10, 2),
    {"mmsi": TRADER, "t": 60.0, "lat": 91.0, "lon": 181.0},
]
RULES = tuple(d for d in make_detectors(Settings()) if d.name != "isolation_forest")


@pytest.fixture(scope="module")
def zones():
    return read_zones()


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    return write_parquet(tmp_path_factory.mktemp("tracks") / "ais.parquet", ROWS, row_group_size=150)


@pytest.fixture(scope="module")
def result(tracks, zones):
    return scan(tracks, zones=zones)


def test_the_relay_from_nampo_comes_first_and_says_why(result):
    first = result.flagged.iloc[0]
    assert (first["mmsi"], first["name"], first["flag_state"], first["rank"]) == (PAEKSONG, "PAEKSONG 2", "KP", 1)
    assert (first["origin"], first["destination"]) == ("RU_NAKHODKA", "KR_POHANG")
    assert first["kinds"][0] == "relay_voyage"
    assert str(PAEKSONG) in first["headline"]
    calls = result.port_visits[result.port_visits["confidence"] >= 2]
    own = calls[calls["mmsi"] == PAEKSONG].sort_values("start")
    assert own["zone_id"].tolist() == ["KP_NAMPO", "RU_NAKHODKA", "KR_POHANG"]


def test_honest_coasters_are_not_flagged(result):
    assert set(result.flagged["mmsi"]) == {PAEKSONG}


def test_every_result_is_a_frame_of_its_table(result):
    assert isinstance(result.flagged, geopandas.GeoDataFrame)
    assert result.flagged.crs == "OGC:CRS84"
    assert result.flagged.geometry.is_valid.all()
    for name in ("findings", "voyages", "port_visits", "identities", "rejects"):
        frame = getattr(result, name)
        assert isinstance(frame, pd.DataFrame)
        assert list(frame.columns) == result.tables[name].column_names
    assert set(result.tables) == set(TABLES)


def test_tables_refer_to_each_other(result):
    voyages, visits = set(result.voyages["voyage_id"]), set(result.port_visits["visit_id"])
    assert set(result.flagged["voyage_id"]) <= voyages
    assert set(result.findings["voyage_id"].dropna()) <= voyages
    assert set(result.voyages["origin_visit_id"].dropna()) <= visits
    sources = {item["source_id"] for item in result.run.inputs}
    assert {source for ids in result.findings["source_ids"] for source in ids} <= sources
    assert result.findings["finding_id"].is_unique


def test_findings_carry_evidence_weight_and_a_headline(result):
    for row in result.findings.to_dict("records"):
        assert 0.0 <= row["strength"] <= 1.0
        assert row["weight_db"] >= 0.0
        assert len(row["evidence"]) > 0
        assert row["headline"]


def test_the_run_record_counts_what_went_in_and_came_out(result, tracks):
    run = result.run
    assert run.n_rows == len(ROWS)
    assert (run.n_vessels, run.n_voyages) == (3, len(result.voyages))
    assert (run.n_findings, run.n_flagged) == (len(result.findings), len(result.flagged))
    (source,) = run.inputs
    assert (source["names"], source["n_rows"], source["n_rejected"]) == ([str(tracks)], len(ROWS), 1)
    assert sum(run.rejects.values()) == 1
    assert run.as_of == instant(max(row["t"] for row in ROWS if "name" in row))
    assert [card["name"] for card in run.detectors] == [d.name for d in make_detectors(Settings())]
    assert set(run.stages) == {"settings", "read", "facts", "detect", "tables"} - ({"tables"} - set(run.stages))


def written(result, folder):
    write_result(result, folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix == ".parquet"}


def test_the_same_input_gives_the_same_bytes_whatever_the_number_of_jobs(tmp_path, tracks, zones, result):
    again = scan(tracks, zones=zones, jobs=1)
    assert written(again, tmp_path / "one") == written(result, tmp_path / "all")
    one, other = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("one", "all"))
    assert {**one, "stages": 0} == {**other, "stages": 0}


def tables_of(result, *ignoring):
    return {
        name: [
            {k: v for k, v in row.items() if k not in ("source_ids", "source_id", *ignoring)}
            for row in table.to_pylist()
        ]
        for name, table in result.tables.items()
        if name != "rejects"
    }


@pytest.fixture(scope="module")
def by_rules(tracks, zones):
    return tables_of(scan(tracks, zones=zones, detectors=RULES))


def test_files_order_and_repeats_change_no_table(tmp_path, zones, by_rules):
    for name, rows in (("b", ROWS[::3][::-1]), ("a", ROWS[1::3]), ("c", ROWS[2::3]), ("d", ROWS[:40])):
        write_parquet(tmp_path / f"{name}.parquet", rows)
    assert tables_of(scan(tmp_path, zones=zones, detectors=RULES)) == by_rules


def test_detectors_in_another_order_find_the_same(tracks, zones, by_rules):
    assert tables_of(scan(tracks, zones=zones, detectors=RULES[::-1])) == by_rules


def test_tracks_read_before_can_be_scanned_twice(tracks, zones, by_rules):
    with read_tracks(tracks) as read:
        assert tables_of(scan(read, zones=zones, detectors=RULES)) == by_rules
        assert tables_of(scan(read, zones=zones, detectors=RULES)) == by_rules


def test_a_spill_folder_changes_no_table(tmp_path, tracks, zones, by_rules, monkeypatch):
    monkeypatch.setattr("vessels.intake.ROWS_IN_MEMORY", 10)
    monkeypatch.setattr("vessels.intake.ROWS_PER_BUCKET", 100)
    assert tables_of(scan(tracks, zones=zones, detectors=RULES, spill_dir=tmp_path)) == by_rules
    assert list(tmp_path.iterdir()) == []


def test_an_as_of_hides_what_came_later(tmp_path, tracks, zones):
    cut = 7 * DAY
    early = write_parquet(tmp_path / "early.parquet", [row for row in ROWS if row["t"] <= cut])
    one, other = (scan(path, zones=zones, detectors=RULES, as_of=instant(cut)) for path in (tracks, early))
    assert tables_of(one) == tables_of(other)
    assert one.run.as_of == instant(cut)
    assert one.run.rejects["time_outside_span"] == sum(row["t"] > cut for row in ROWS)


def test_shifting_time_by_whole_days_changes_no_verdict_within_the_same_rules(tmp_path, zones, by_rules):
    shift = 28 * DAY
    later = write_parquet(tmp_path / "later.parquet", [{**row, "t": row["t"] + shift} for row in ROWS])
    moved = tables_of(scan(later, zones=zones, detectors=RULES))
    for name in ("score", "band", "rank", "kinds", "mmsi", "origin", "destination"):
        assert [row[name] for row in moved["flagged_voyages"]] == [row[name] for row in by_rules["flagged_voyages"]]
    starts = [[row["start"] for row in tables["flagged_voyages"]] for tables in (moved, by_rules)]
    assert starts[0] == [start + timedelta(seconds=shift) for start in starts[1]]


def test_a_watch_list_goes_into_the_scan(tmp_path, tracks, zones):
    listed = tmp_path / "list.csv"
    listed.write_text(f"imo,mmsi,name\n,{FERRY},HAEMA 50\n", encoding="utf-8")
    found = scan(tracks, zones=zones, detectors=RULES, watchlist=listed)
    assert FERRY in set(found.flagged["mmsi"])
    assert "listed_vessel" in set(found.findings["kind"])


def test_settings_choose_detectors_levels_and_budget(tmp_path, tracks, zones):
    file = tmp_path / "wakewatch.toml"
    text = "[detect.isolation_forest]\nenabled = false\n[detect.identity]\nenabled = false\n[alerts]\nbudget = 1\n"
    file.write_text(text + '[watch.levels]\nKP_NAMPO = "none"\n', encoding="utf-8")
    found = scan(tracks, zones=zones, settings=file)
    assert "identity" not in {card["name"] for card in found.run.detectors}
    assert found.run.n_flagged <= 1
    assert "KP_NAMPO" not in str(found.findings[found.findings["kind"] == "watched_port_call"]["headline"].tolist())
    assert found.run.settings == load_settings(file).effective()


def test_a_users_zone_takes_part(tmp_path, tracks):
    square = [[129.6, 35.5], [129.8, 35.5], [129.8, 35.7], [129.6, 35.7], [129.6, 35.5]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [square]},
        "properties": {"zone_id": "XX_GATE", "kind": "gate"},
    }
    file = tmp_path / "zones.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    found = scan(tracks, zones=file, detectors=RULES)
    assert "XX_GATE" in found.history.zone_presences["zone_id"].to_pylist()


def test_an_input_of_no_rows_gives_empty_tables(tmp_path, zones):
    empty = write_parquet(tmp_path / "empty.parquet", [])
    found = scan(empty, zones=zones)
    assert {name: table.num_rows for name, table in found.tables.items()} == {
        **dict.fromkeys(TABLES, 0),
        "zones": len(zones.zones),
    }
    assert len(found.flagged) == 0
    assert found.flagged.crs == "OGC:CRS84"
    write_result(found, tmp_path / "out")


def test_a_broken_file_is_named_and_the_others_are_scanned(tmp_path, tracks, zones, by_rules):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(tracks.read_bytes()[:500])
    found = scan([tracks, broken], zones=zones, detectors=RULES)
    assert [item["name"] for item in found.run.set_aside] == [str(broken)]
    assert tables_of(found) == by_rules
    with pytest.raises(NothingReadableError, match=r"broken\.parquet"):
        scan(broken, zones=zones, detectors=RULES)


def test_wrong_usage_is_said_before_anything_is_read(tmp_path, tracks, zones):
    with pytest.raises(UsageError):
        scan([], zones=zones)
    with pytest.raises(SettingsError, match=r"missing\.geojson"):
        scan(tracks, zones=tmp_path / "missing.geojson")
    with pytest.raises(UsageError, match="time zone"):
        scan(tracks, zones=zones, detectors=RULES, as_of=instant(0).replace(tzinfo=None))


def test_progress_is_told_by_stage(tracks, zones):
    stages = []
    scan(tracks, zones=zones, detectors=RULES, progress=lambda stage, _done, _total: stages.append(stage))
    assert list(dict.fromkeys(stages)) == ["digest", "read", "facts", "detect"]


def test_the_packaged_zones_are_the_default(tracks):
    found = scan(tracks, detectors=RULES)
    assert resources.files("vessels").joinpath("data", "ports.geojson").is_file()
    assert "KP_NAMPO" in set(found.port_visits["zone_id"])


def test_paths_may_be_text(tmp_path):
    zones = tmp_path / "zones.geojson"
    zones.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    settings = tmp_path / "settings.toml"
    settings.write_text("[alerts]\nbudget = 3\n", encoding="utf-8")
    watchlist = tmp_path / "watch.csv"
    watchlist.write_text("imo,mmsi,name\n2345675,,MIRAE 3\n", encoding="utf-8")
    tracks = tmp_path / "tracks.parquet"
    write_parquet(tracks, lie(ALPHA, 0.0, (40.0, 130.0), 2.0))
    result = scan(str(tracks), settings=str(settings), zones=str(zones), watchlist=str(watchlist))
    assert result.run.settings["alerts"]["budget"] == 3
    assert result.run.n_vessels == 1
