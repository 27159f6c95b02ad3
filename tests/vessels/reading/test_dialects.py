"""Every provider's layout, from its header and one or two rows: ships are invented, headers are theirs."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from vessels.dialects import DIALECTS, bare, recognise
from vessels.errors import InputFileError, UsageError

ReadText = Callable[..., Any]


def us(*when: int) -> int:
    return round(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000


def test_marinecadastre_2015_to_2023(read_text: ReadText) -> None:
    got = read_text(
        "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,"
        "TransceiverClass\n"
        "366000001,2022-06-20T00:00:04,33.5,-118.25,102.3,360.0,511.0,TESTA,IMO2000004,WAA1,1004,0,120,20,7.5,70,A\n"
        "366000002,2022-06-20T00:00:05,33.5,-118.25,5.1,10.5,12.0,,IMO0000000,,,15,,,,,B\n"
    )
    assert got.dialect == "marinecadastre"
    assert got["time_us"] == [us(2022, 6, 20, 0, 0, 4), us(2022, 6, 20, 0, 0, 5)]
    assert (got["lat"], got["lon"]) == ([33.5, 33.5], [-118.25, -118.25])
    assert got["sog"] == [None, pytest.approx(5.1)]
    assert got["cog"] == [None, 10.5]
    assert got["heading"] == [None, 12.0]
    assert got["nav_status"] == [0, None]
    first, second = got.claims
    assert (first.imo_raw, first.name_raw, first.call_sign_raw) == ("IMO2000004", "TESTA", "WAA1")
    assert (first.ship_type, first.length_m, first.beam_m, first.transceiver) == (1004, 120.0, 20.0, "A")
    assert (second.imo_raw, second.name_raw, second.ship_type, second.transceiver) == ("IMO0000000", None, None, "B")


def test_marinecadastre_csv2_has_longitude_first(read_text: ReadText) -> None:
    got = read_text(
        "mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,"
        "width,draft,cargo,transceiver\n"
        "366000001,2025-01-01 00:00:00,-118.25,33.5,7.0,,,TESTA ONE,,,70,0,120,20,7.5,70,A\n"
    )
    assert (got.dialect, got["lat"], got["lon"]) == ("marinecadastre", [33.5], [-118.25])
    assert got["time_us"] == [us(2025, 1, 1)]


@pytest.mark.parametrize("plain", [True, False])
def test_geoparquet_takes_the_position_from_its_points(read: Callable[..., Any], tmp_path: Path, plain: bool) -> None:
    points = shapely.points([-118.25, 10.0], [33.5, -60.25])
    wkb = shapely.to_wkb(points if plain else shapely.set_srid(points, 4326), include_srid=not plain)
    table = pa.table(
        {
            "mmsi": [366000001, 366000002],
            "base_date_time": ["2024-01-01 00:00:00", "2024-01-01 00:00:01"],
            "geometry": pa.array(wkb.tolist(), pa.binary()),
        }
    )
    pq.write_table(table, tmp_path / "ais-2024-01-01.parquet")
    got = read(tmp_path / "ais-2024-01-01.parquet")
    assert (got.dialect, got["lat"], got["lon"]) == ("marinecadastre", [33.5, -60.25], [-118.25, 10.0])


def test_danish_files_write_the_day_first_and_words_for_codes(read_text: ReadText) -> None:
    header = (
        "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,"
        "Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type,"
        "A,B,C,D"
    )
    rows = (
        "05/03/2024 10:00:00,Class A,219000001,55.5,11.25,Under way using engine,,10.1,90.0,91,2000016,OWAA,TESTA,"
        "Cargo,No additional info,20,120,GPS,6.5,AARHUS,06/03/2024 10:00:00,AIS,100,20,10,10\n"
        "05/03/2024 10:00:01,Base Station,2190001,55.5,11.25,Unknown value,,,,,Unknown,Unknown,,"
        "Undefined,,,,,,,,AIS,,,,\n"
        "05/03/2024 10:00:02,Class B,219000002,91.0,181.0,Unknown value,,,,,Unknown,Unknown,TESTB,"
        "Undefined,,,,,,,,AIS,,,,\n"
    )
    got = read_text(f"{header}\n{rows}")
    assert got.dialect == "dma"
    assert got["time_us"] == [us(2024, 3, 5, 10), us(2024, 3, 5, 10, 0, 2)]
    assert got.reasons == {"not_a_vessel": 1}
    assert got["lat"] == [55.5, None]
    assert got["nav_status"] == [0, None]
    assert got.claims[0] == ("2000016", "TESTA", "OWAA", 70, 120.0, 20.0, "AARHUS", "A")
    assert got.claims[1] == (None, "TESTB", None, None, None, None, None, "B")


def test_older_danish_files_lack_the_reference_point(read_text: ReadText) -> None:
    got = read_text(
        "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,"
        "Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type\n"
        "31/12/2018 23:59:59,Class A,219000001,55.5,11.25,Moored,,0.0,,,Unknown,Unknown,,Undefined,,,,,,,,AIS\n"
    )
    assert (got.dialect, got["time_us"], got["nav_status"]) == ("dma", [us(2018, 12, 31, 23, 59, 59)], [5])


def test_kystverket_extract_and_its_older_form(read_text: ReadText) -> None:
    new = read_text(
        "date_time_utc,mmsi,longitude,latitude,status,course_over_ground,true_heading,speed_over_ground,rate_of_turn,"
        "maneuvre,data_source,ais_class,msg_type,geometry\n"
        "2024-05-01 12:00:00,257000001,5.25,60.5,5,10.0,20,0.1,0,0,g,A,3,POINT (5.25 60.5)\n"
        "2024-05-01 12:00:01,257000001,5.25,60.5,5,10.0,20,63,0,0,s,A,27,POINT (5.25 60.5)\n"
    )
    old = read_text(
        "mmsi;lon;lat;date_time_utc;sog;cog;true_heading;nav_status;rot;message_nr;source\n"
        "257000001;5.25;60.5;2013-05-01 12:00:00;0.1;10.0;20;5;0;1;g\n"
    )
    for got, year in ((new, 2024), (old, 2013)):
        assert (got.dialect, got["lat"][0], got["lon"][0], got["heading"][0]) == ("kystverket", 60.5, 5.25, 20.0)
        assert (got["nav_status"][0], got.claims[0].transceiver) == (5, "A")
        assert got["time_us"][0] == us(year, 5, 1, 12)
    assert new["sog"] == [pytest.approx(0.1), None], "63 knots in message 27 mean: not available"


def test_barentswatch_records(read_text: ReadText) -> None:
    got = read_text(
        "courseOverGround,latitude,longitude,name,rateOfTurn,shipType,speedOverGround,trueHeading,navigationalStatus,"
        "mmsi,msgtime\n"
        "10.5,60.5,5.25,TESTA,0,30,7.5,511,7,257000001,2024-05-01T14:00:00+02:00\n"
    )
    assert (got.dialect, got["time_us"], got["cog"], got["heading"]) == (
        "barentswatch",
        [us(2024, 5, 1, 12)],
        [10.5],
        [None],
    )
    assert (got.claims[0].name_raw, got.claims[0].ship_type, got["nav_status"]) == ("TESTA", 30, [7])


def test_digitraffic_takes_its_time_from_timestamp_external(read_text: ReadText) -> None:
    archive = read_text(
        "timestamp,timestampExternal,mmsi,lon,lat,sog,cog,navStat,rot,posAcc,raim,heading\n"
        "59,1660000000123,230000001,25.25,60.1,102.3,360,15,-128,true,false,511\n"
    )
    assert (archive.dialect, archive["time_us"]) == ("digitraffic", [1_660_000_000_123_000])
    assert (archive["lat"], archive["lon"]) == ([60.1], [25.25])
    assert (archive["sog"], archive["cog"], archive["heading"], archive["nav_status"]) == (
        [None],
        [None],
        [None],
        [None],
    )
    live = read_text(
        "mmsi,time,sog,cog,navStat,rot,posAcc,raim,heading,lon,lat\n230000001,1660000000,1.5,2,0,0,1,0,3,25.25,60.1\n"
    )
    assert (live.dialect, live["time_us"]) == ("digitraffic", [1_660_000_000_000_000])


def test_digitraffic_vessels_state_identities_only(read_text: ReadText) -> None:
    got = read_text(
        "mmsi,name,callSign,imo,shipType,draught,eta,destination,posType,referencePointA,referencePointB,"
        "referencePointC,referencePointD,timestamp\n"
        "230000001,TESTA,OJAA,2000028,70,65,1,HELSINKI,1,100,20,8,12,1660000000123\n"
    )
    assert (got.dialect, got["lat"], got["draught"]) == ("digitraffic_vessels", [None], [6.5])
    assert got.claims[0] == ("2000028", "TESTA", "OJAA", 70, 120.0, 20.0, "HELSINKI", None)


def test_spire_interleaves_static_messages(read_text: ReadText) -> None:
    got = read_text(
        "created_at,timestamp,mmsi,msg_type,latitude,longitude,speed,course,heading,rot,imo,name,call_sign\n"
        "2021-01-01T00:00:09.000Z,2021-01-01T00:00:01.000Z,273000001,1,43.0,132.0,102.3,360,511,-128,,,\n"
        "2021-01-01T00:00:09.000Z,2021-01-01T00:00:02.000Z,273000001,5,,,,,,,2000030,TESTA,UAAA\n"
        "2021-01-01T00:00:09.000Z,2021-01-01T00:00:03.000Z,273000001,8,,,,,,,,,\n"
        "2021-01-01T00:00:09.000Z,2021-01-01T00:00:04.000Z,2731000,4,43.0,132.0,,,,,,,\n"
    )
    assert (got.dialect, got["lat"]) == ("spire", [43.0, None])
    assert got["time_us"] == [us(2021, 1, 1, 0, 0, 1), us(2021, 1, 1, 0, 0, 2)]
    assert got.claims[1].name_raw == "TESTA"
    assert got.reasons == {"not_a_vessel": 1, "nothing_said": 1}


def test_marinetraffic_writes_tenths_of_knots_and_metres(read_text: ReadText) -> None:
    got = read_text(
        "MMSI,IMO,SHIP_ID,LAT,LON,SPEED,HEADING,COURSE,STATUS,TIMESTAMP,DSRC,UTC_SECONDS,SHIPNAME,SHIPTYPE,CALLSIGN,"
        "FLAG,LENGTH,WIDTH,DRAUGHT\n"
        "273000001,2000030,123,43.0,132.0,123,-1,90,0,2020-10-13T07:49:57,TER,57,TESTA,70,UAAA,RU,120.5,20,65\n"
        "273000001,2000030,123,300,132.0,123,900,90,97,2020-10-13T07:50:57,SAT,57,TESTA,70,UAAA,RU,120.5,20,65\n"
    )
    assert (got.dialect, got["sog"], got["draught"], got["heading"]) == (
        "marinetraffic",
        [pytest.approx(12.3)],
        [6.5],
        [None],
    )
    assert got.claims[0].length_m == 120.5
    assert got.reasons == {"not_a_vessel": 1}, "status 97 is a rescue aircraft"


def test_only_marinetraffic_is_divided_by_ten(read_text: ReadText) -> None:
    got = read_text("mmsi,timestamp,lat,lon,speed,draught\n273000001,2020-10-13T07:49:57Z,43.0,132.0,12.3,6.5\n")
    assert (got.dialect, got["sog"], got["draught"]) == ("wakewatch", [pytest.approx(12.3)], [6.5])


def test_global_fishing_watch_messages(read_text: ReadText) -> None:
    got = read_text(
        "ssvid,seg_id,vessel_id,msgid,timestamp,lat,lon,speed,course,heading,shipname,callsign,imo,shiptype,"
        "shiptype_text,type,receiver_type\n"
        "412000001,s,v,m,2020-01-01 00:00:00 UTC,38.0,121.0,7.5,10,511,,,,,,AIS.18,terrestrial\n"
        "412000001,s,v,m,2020-01-01 00:01:00 UTC,,,,,,TESTA,BAAA,,30,Fishing,AIS.24,terrestrial\n"
    )
    assert (got.dialect, got["mmsi"], got["time_us"][0]) == ("gfw", [412000001] * 2, us(2020, 1, 1))
    assert [claim.transceiver for claim in got.claims] == ["B", "B"]
    assert (got.claims[1].ship_type, got["lat"][1]) == (30, None)


def test_exactearth_interleaves_and_counts_milliseconds(read_text: ReadText) -> None:
    got = read_text(
        "MMSI,Message_ID,Repeat_indicator,Time,Millisecond,Vessel_Name,Call_sign,IMO,Ship_Type,Dimension_to_Bow,"
        "Dimension_to_stern,Dimension_to_port,Dimension_to_starboard,Draught,Destination,Navigational_status,SOG,"
        "Longitude,Latitude,COG,Heading\n"
        '"273000001","1","0","20210701_185151","680","","","","","","","","","","","0","13.6","132.0","43.0","314.8","315.0"\n'
        '"273000001","5","0","20210701_185252","5","TESTA","UAAA","2000030","71","100","20","8","12","87","NAKHODKA","","","","","",""\n'
    )
    assert got.dialect == "exactearth"
    assert got["time_us"] == [us(2021, 7, 1, 18, 51, 51) + 680_000, us(2021, 7, 1, 18, 52, 52) + 5_000]
    assert (got["lat"], got["draught"]) == ([43.0, None], [None, pytest.approx(8.7)])
    assert got.claims[1] == ("2000030", "TESTA", "UAAA", 71, 120.0, 20.0, "NAKHODKA", "A")


AISHUB = "MMSI,TIME,LONGITUDE,LATITUDE,COG,SOG,HEADING,NAVSTAT,IMO,NAME,CALLSIGN,TYPE,A,B,C,D,DRAUGHT,DEST,ETA\n"


def test_aishub_in_words_and_in_ais_units_say_the_same(read_text: ReadText) -> None:
    words = read_text(
        f"{AISHUB}273000001,2011-04-12 10:40:27 GMT,132.0,43.0,90.5,12.3,90,0,2000030,TESTA,UAAA,70,100,20,8,12,6.5,"
        "NAKHODKA,04-10 07:00\n"
    )
    units = read_text(
        f"{AISHUB}273000001,1302604827,79200000,25800000,905,123,90,0,2000030,TESTA,UAAA,70,100,20,8,12,65,NAKHODKA,123\n"
        "273000002,1302604827,108600000,54600000,3600,1023,511,15,0,,,0,0,0,0,0,0,,0\n"
    )
    assert (words.dialect, units.dialect) == ("aishub", "aishub_raw")
    assert units.rows()[0] == words.rows()[0]
    assert units["lat"] == [43.0, None]


def test_vesselfinder(read_text: ReadText) -> None:
    got = read_text(
        "MMSI,TIMESTAMP,LATITUDE,LONGITUDE,COURSE,SPEED,HEADING,NAVSTAT,IMO,NAME,CALLSIGN,TYPE,A,B,C,D,DRAUGHT,"
        "DESTINATION,ETA_AIS,ETA,SRC,ZONE\n"
        "273000001,2020-10-13 07:49:57 UTC,43.0,132.0,90.5,12.3,90,0,2000030,TESTA,UAAA,70,100,20,8,12,6.5,"
        "NAKHODKA,,,TER,\n"
    )
    assert (got.dialect, got["time_us"], got["sog"]) == (
        "vesselfinder",
        [us(2020, 10, 13, 7, 49, 57)],
        [pytest.approx(12.3)],
    )
    assert got.claims[0].beam_m == 20.0


def test_common_synonyms_in_any_case(read_text: ReadText) -> None:
    got = read_text(
        "Time_UTC,MMSI,Latitude_degrees,Longitude_degrees,COG_degrees,SOG_knots,ShipName,CallSign,Draft,Length,Beam\n"
        "2016-01-12 13:02:11.218,235000001,50.75,-1.25,157.8,5.9,TESTA,GAAA,3.5,20,5\n"
    )
    assert (got.dialect, got["lat"], got["lon"]) == ("wakewatch", [50.75], [-1.25])
    assert got["time_us"] == [us(2016, 1, 12, 13, 2, 11) + 218_000], "a column that says UTC needs no zone"
    assert got.claims[0] == (None, "TESTA", "GAAA", None, 20.0, 5.0, None, None)


def test_a_mapping_reads_any_other_table(read_text: ReadText) -> None:
    text = "vessel;when;phi;lambda\n235000001;2016-01-12T13:02:11;50.75;-1.25\n"
    columns = {"mmsi": "vessel", "timestamp": "WHEN", "lat": "phi", "lon": "lambda"}
    with pytest.raises(InputFileError, match="no column for mmsi"):
        read_text(text)
    got = read_text(text, columns=columns, timezone="Europe/London")
    assert (got["mmsi"], got["lat"], got["time_us"]) == ([235000001], [50.75], [us(2016, 1, 12, 13, 2, 11)])


def test_an_empty_mapping_leaves_a_field_unread(read_text: ReadText) -> None:
    text = "mmsi,timestamp,lat,lon,status\n235000001,2016-01-12T13:02:11Z,50.75,-1.25,5\n"
    assert read_text(text)["nav_status"] == [5]
    assert read_text(text, columns={"nav_status": ""})["nav_status"] == [None]


def test_a_dialect_can_be_forced(read_text: ReadText) -> None:
    text = "mmsi,timestamp,lat,lon,speed\n235000001,05/03/2024 10:00:00,50.75,-1.25,123\n"
    with pytest.raises(InputFileError) as caught:
        read_text(text)
    assert caught.value.reason == "ambiguous_date"
    got = read_text(text, dialect="dma")
    assert (got.dialect, got["time_us"]) == ("dma", [us(2024, 3, 5, 10)])
    with pytest.raises(UsageError, match="there are dma, marinecadastre"):
        read_text(text, dialect="danish")


def test_a_mapping_of_an_unknown_name_is_wrong_usage(read_text: ReadText) -> None:
    with pytest.raises(UsageError, match="velocity"):
        read_text("mmsi\n", columns={"velocity": "x"})


def test_dialect_names_are_distinct_and_marks_tell_one_dialect() -> None:
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
    for dialect in DIALECTS:
        for mark in dialect.marks:
            assert recognise(sorted(mark)).name == dialect.name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("\ufeff# MMSI ", "mmsi"), ("callSign", "callsign"), ("beam_m", "beam"), ("Speed (knots)", "speed")],
)
def test_column_names_are_compared_bare(name: str, expected: str) -> None:
    assert bare(name) == expected


def test_words_of_status_and_type_in_any_table(read_text: ReadText) -> None:
    got = read_text(
        "mmsi,timestamp,lat,lon,nav_status,ship_type\n"
        "235000001,2016-01-12T13:02:11Z,50.75,-1.25,At anchor,Tanker\n"
        "235000001,2016-01-12T13:02:12Z,50.75,-1.25,0.0,30.0\n"
        "235000001,2016-01-12T13:02:13Z,50.75,-1.25,??,??\n"
    )
    assert got["nav_status"] == [1, 0, None]
    assert [claim.ship_type for claim in got.claims] == [80, 30, None]
    assert got.counts.nulled == {"nav_status.unreadable": 1, "ship_type.unreadable": 1}


def test_chunk_arrays_have_the_declared_types(read_text: ReadText) -> None:
    got = read_text("mmsi,timestamp,lat,lon\n235000001,2016-01-12T13:02:11Z,50.75,-1.25\n")
    chunk = got.chunks[0]
    assert (chunk.mmsi.dtype, chunk.time_us.dtype, chunk.static.dtype) == (np.int64, np.int64, np.int32)
    assert {a.dtype.type for a in (chunk.sog, chunk.cog, chunk.heading, chunk.draught)} == {np.float32}
    assert (chunk.lat.dtype, chunk.nav_status.dtype) == (np.float64, np.int8)
