"""NMEA logs: sentences are made with pyais from invented ships."""

from collections.abc import Callable
from typing import Any

import pytest
from pyais.encode import encode_dict

ReadText = Callable[..., Any]
T = 1_635_731_889
"""2021-11-01 01:58:09 UTC."""
POSITION = {"msg_type": 1, "mmsi": 273000001, "lat": 43.0, "lon": 132.0, "speed": 12.3, "course": 90.5, "heading": 91}
STATIC = {
    "msg_type": 5,
    "mmsi": 273000001,
    "imo": 2000030,
    "callsign": "UAAA",
    "shipname": "TESTA",
    "ship_type": 70,
    "to_bow": 100,
    "to_stern": 20,
    "to_port": 8,
    "to_starboard": 12,
    "draught": 6.5,
    "destination": "NAKHODKA",
}


def sentences(talker: str = "AI", channel: str = "A", sequence: int | None = None, **data: Any) -> list[str]:
    return encode_dict(data, talker_id=talker, sentence_type="VDM", radio_channel=channel, seq_id=sequence)


def tagged(sentence: str, fields: str) -> str:
    check = 0
    for char in fields:
        check ^= ord(char)
    return f"\\{fields}*{check:02X}\\{sentence}"


def log(*lines: str) -> str:
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("talker", ["AI", "BS", "AB"])
@pytest.mark.parametrize("form", ["tag s", "tag ms", "tail", "lead", "lead epoch"])
def test_every_way_of_stating_the_time(read_text: ReadText, talker: str, form: str) -> None:
    (sentence,) = sentences(talker, **POSITION, status=0)
    line = {
        "tag s": tagged(sentence, f"s:2573345,c:{T}"),
        "tag ms": tagged(sentence, f"g:1-1-12,c:{T}000,t:x"),
        "tail": f"{sentence},{T}",
        "lead": f"2021-11-01T01:58:09Z {sentence}",
        "lead epoch": f"{T} {sentence}",
    }[form]
    got = read_text(log(line), "x.log")
    assert (got.format, got.dialect) == ("nmea", "nmea")
    assert (got["mmsi"], got["time_us"], got["lat"], got["lon"]) == ([273000001], [T * 1_000_000], [43.0], [132.0])
    assert (got["sog"], got["cog"], got["heading"]) == ([pytest.approx(12.3)], [90.5], [91.0])
    assert (got["nav_status"], got.claims[0].transceiver) == ([0], "A")


def test_not_available_codes_become_null(read_text: ReadText) -> None:
    (sentence,) = sentences(
        msg_type=1, mmsi=273000001, lat=43.0, lon=132.0, speed=102.3, course=360, heading=511, status=15
    )
    (long_range,) = sentences(msg_type=27, mmsi=273000001, lat=43.0, lon=132.0, speed=63, course=511, status=15)
    got = read_text(log(tagged(sentence, f"c:{T}"), tagged(long_range, f"c:{T}")))
    assert got["sog"] == got["cog"] == got["heading"] == got["nav_status"] == [None, None]


def test_parts_are_joined_by_sequence_and_channel(read_text: ReadText) -> None:
    one = sentences(channel="A", sequence=3, **STATIC)
    other = sentences(channel="B", sequence=3, **{**STATIC, "mmsi": 273000002, "shipname": "TESTB"})
    got = read_text(log(tagged(one[0], f"c:{T}"), tagged(other[0], f"c:{T + 1}"), other[1], one[1]))
    assert sorted(zip(got["mmsi"], got["time_us"], [c.name_raw for c in got.claims], strict=True)) == [
        (273000001, T * 1_000_000, "TESTA"),
        (273000002, (T + 1) * 1_000_000, "TESTB"),
    ]
    assert got["lat"] == [None, None]
    assert got.claims[0][3:7] == (70, 120.0, 20.0, "NAKHODKA")
    assert got.claims[0].imo_raw == "2000030"
    assert got["draught"] == [6.5, 6.5]


def test_parts_are_joined_by_the_group_of_their_tag_block(read_text: ReadText) -> None:
    one = sentences(sequence=3, **STATIC)
    other = sentences(sequence=3, **{**STATIC, "mmsi": 273000002})
    got = read_text(
        log(
            tagged(one[0], f"g:1-2-7,c:{T}"),
            tagged(other[0], f"g:1-2-8,c:{T}"),
            tagged(one[1], "g:2-2-7"),
            tagged(other[1], "g:2-2-8"),
        )
    )
    assert (got["mmsi"], got.reasons) == ([273000001, 273000002], {})


def test_both_parts_of_message_24_make_one_claim(read_text: ReadText) -> None:
    (name,) = sentences(msg_type=24, mmsi=412000001, partno=0, shipname="TESTB")
    (rest,) = sentences(
        msg_type=24,
        mmsi=412000001,
        partno=1,
        ship_type=30,
        callsign="BAAA",
        to_bow=10,
        to_stern=5,
        to_port=2,
        to_starboard=3,
    )
    near = read_text(log(f"{name},{T}", f"{rest},{T + 60}"))
    assert near.claims[0] == (None, "TESTB", None, None, None, None, None, "B")
    assert near.claims[1] == (None, "TESTB", "BAAA", 30, 15.0, 5.0, None, "B")
    far = read_text(log(f"{name},{T}", f"{rest},{T + 3600}"))
    assert far.claims[1].name_raw is None


def test_the_dimensions_of_a_craft_are_its_parents_number(read_text: ReadText) -> None:
    (sentence,) = sentences(
        msg_type=24, mmsi=982730001, partno=1, ship_type=30, callsign="A000001", mothership_mmsi=273000001
    )
    got = read_text(log(f"{sentence},{T}"))
    assert (got.claims[0].length_m, got.claims[0].call_sign_raw) == (None, "A000001")


def test_what_cannot_be_used_is_counted_with_its_line(read_text: ReadText) -> None:
    (good,) = sentences(**POSITION)
    (base,) = sentences(msg_type=4, mmsi=2731000, lat=43.0, lon=132.0)
    (binary,) = sentences(msg_type=8, mmsi=273000001, dac=1, fid=0, data=b"abc")
    part, _ = sentences(sequence=1, **STATIC)
    got = read_text(
        log(
            "$GPGGA,000000,not,ais*00",
            f"{good},{T}",
            good,
            f"{good[:-1]}{'0' if good[-1] != '0' else '1'},{T}",
            f"{base},{T}",
            f"{binary},{T}",
            f"{part},{T}",
            "!AIVDM,1,1,,A,cut",
        )
    )
    assert got.n == 1
    assert got.reasons == {
        "time_missing": 1,
        "sentence_checksum": 1,
        "not_a_vessel": 1,
        "nothing_said": 1,
        "sentence_incomplete": 1,
        "sentence_unreadable": 1,
    }
    first = {reason: reject.first_row for reason, reject in got.counts.rejects.items()}
    assert first == {
        "time_missing": 2,
        "sentence_checksum": 3,
        "not_a_vessel": 4,
        "nothing_said": 5,
        "sentence_incomplete": 6,
        "sentence_unreadable": 7,
    }


def test_a_long_log_comes_in_pieces_with_nothing_lost(read_text: ReadText, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vessels.nmea_files._MESSAGES_PER_BATCH", 7)
    (good,) = sentences(**POSITION)
    got = read_text(log(*(f"{good},{T + i}" for i in range(100))))
    assert got["time_us"] == [(T + i) * 1_000_000 for i in range(100)]
    assert len(got.chunks) > 10


def test_a_class_b_report_with_its_static_data(read_text: ReadText) -> None:
    (sentence,) = sentences(
        msg_type=19,
        mmsi=412000001,
        lat=38.0,
        lon=121.0,
        speed=5.0,
        course=10.0,
        heading=511,
        shipname="TESTB",
        ship_type=30,
    )
    got = read_text(log(f"{sentence},{T}"))
    assert (got["lat"], got.claims[0].name_raw, got.claims[0].transceiver) == ([pytest.approx(38.0)], "TESTB", "B")
