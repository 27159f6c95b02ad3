"""Destination texts: what is read, and what must not be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.destinations import Place, gazetteer_of, parse_destination, squash
from vessels.zones import read_zones

ZONES = read_zones()
GAZETTEER = gazetteer_of(ZONES)

READ = [
    ("KR PUS", "KR_BUSAN", "UN/LOCODE"),
    ("KRPUS", "KR_BUSAN", "UN/LOCODE"),
    ("KR_PUS", "KR_BUSAN", "UN/LOCODE"),
    ("KR-PUS", "KR_BUSAN", "UN/LOCODE"),
    ("KRPUS@@@@@@@@@@@", "KR_BUSAN", "UN/LOCODE"),
    ("  kr pus  ", "KR_BUSAN", "UN/LOCODE"),
    ("KRPUS ANCH", "KR_BUSAN", "UN/LOCODE"),
    ("KRPUS ETA 10/08", "KR_BUSAN", "UN/LOCODE"),
    ("KR PUS 0800LT", "KR_BUSAN", "UN/LOCODE"),
    ("SG SIN PEBGA", "SG_SINGAPORE", "UN/LOCODE"),
    ("CN DLC", "CN_DALIAN", "UN/LOCODE"),
    ("CN DLC>KR INC", "KR_INCHEON", "UN/LOCODE"),
    ("CN DLC > KR INC", "KR_INCHEON", "UN/LOCODE"),
    ("CNDLC>>KRINC", "KR_INCHEON", "UN/LOCODE"),
    ("CN DLC=>KR INC", "KR_INCHEON", "UN/LOCODE"),
    ("CN DLC->KR INC", "KR_INCHEON", "UN/LOCODE"),
    (">KR INC", "KR_INCHEON", "UN/LOCODE"),
    ("??>KR INC", "KR_INCHEON", "UN/LOCODE"),
    ("RU VVO/KR PUS", "KR_BUSAN", "UN/LOCODE"),
    ("BUSAN", "KR_BUSAN", "name"),
    ("PUSAN", "KR_BUSAN", "name"),
    ("BUSAN,KOREA", "KR_BUSAN", "name"),
    ("BUSAN, S.KOREA", "KR_BUSAN", "name"),
    ("BUSAN NEW PORT", "KR_BUSAN", "name"),
    ("BUSAN ANCH", "KR_BUSAN", "name"),
    ("P/S BUSAN", "KR_BUSAN", "name"),
    ("DALIAN CHINA", "CN_DALIAN", "name"),
    ("CHINA DALIAN", "CN_DALIAN", "name"),
    ("DALIAN,CN", "CN_DALIAN", "name"),
    ("TO DALIAN", "CN_DALIAN", "name"),
    ("BOUND FOR DALIAN", "CN_DALIAN", "name"),
    ("BUSAN TO DALIAN", "CN_DALIAN", "name"),
    ("BUSAN-DALIAN", "CN_DALIAN", "name"),
    ("BUSAN - DALIAN", "CN_DALIAN", "name"),
    ("BUSAN/DALIAN", "CN_DALIAN", "name"),
    ("TA-LIEN", "CN_DALIAN", "name"),
    ("LIAN YUN GANG", "CN_LIANYUNGANG", "name"),
    ("ZHOU SHAN", "CN_ZHOUSHAN", "name"),
    ("HONGKONG", "HK_HONGKONG", "name"),
    ("HONG KONG, CHINA", "HK_HONGKONG", "name"),
    ("SINGAPORE", "SG_SINGAPORE", "name"),
    ("SINGAPORE EBL", "SG_SINGAPORE", "name"),
    ("KAOHSIUNG,TAIWAN", "TW_KAOHSIUNG", "name"),
    ("XINGANG", "CN_TIANJIN", "name"),
    ("INCHON", "KR_INCHEON", "name"),
    ("DANGJIN", "KR_PYEONGTAEK", "name"),
    ("NAHODKA", "RU_NAKHODKA", "name"),
    ("\u041d\u0430\u0445\u043e\u0434\u043a\u0430", "RU_NAKHODKA", "name"),
    ("OFF ULSAN", "KR_ULSAN", "name"),
    ("BUSAN VIA VLADIVOSTOK", "KR_BUSAN", "name"),
    ("NAMPHO,DPRK", "KP_NAMPO", "name"),
    ("VVO", "RU_VLADIVOSTOK", "short code"),
    ("VLADIVOSTOCK", "RU_VLADIVOSTOK", "name with a typing error"),
    ("VLADVOSTOK", "RU_VLADIVOSTOK", "name with a typing error"),
    ("KAOSHIUNG", "TW_KAOHSIUNG", "name with a typing error"),
    ("LIANYUNGNAG", "CN_LIANYUNGANG", "name with a typing error"),
    ("CHOGJIN", "KP_CHONGJIN", "name with a typing error"),
]


@pytest.mark.parametrize(("text", "zone_id", "read_as"), READ)
def test_a_port_is_read(text, zone_id, read_as):
    declared = parse_destination(text, GAZETTEER)
    assert declared is not None
    assert declared.place == Place(zone_id, ZONES[zone_id].country or "")
    assert declared.read_as == read_as


@pytest.mark.parametrize(
    ("text", "country", "read_as"),
    [
        ("CHINA", "CN", "country name"),
        ("JAPAN", "JP", "country name"),
        ("RUSSIA", "RU", "country name"),
        ("INDIA", "IN", "country name"),
        ("S. KOREA", "KR", "country name"),
        ("SOUTH KOREA", "KR", "country name"),
        ("R.O.KOREA", "KR", "country name"),
        ("DPRK", "KP", "country name"),
        ("N.KOREA", "KP", "country name"),
        ("VIET NAM", "VN", "country name"),
        ("JP NGO", "JP", "country of UN/LOCODE"),
        ("JP YOK HM", "JP", "country of UN/LOCODE"),
        ("SE GOT>SE LAA", "SE", "country of UN/LOCODE"),
        ("BRPNG>>ARBUE", "AR", "country of UN/LOCODE"),
        ("CLSAI > NZTRG", "NZ", "country of UN/LOCODE"),
    ],
)
def test_where_the_port_is_not_known_its_country_is_read(text, country, read_as):
    declared = parse_destination(text, GAZETTEER)
    assert declared is not None
    assert (declared.place, declared.read_as) == (Place(None, country), read_as)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "@@@@", "UNKNOWN", "0", "12345", "P-63", "FOR ORDERS", "AWAITING ORDERS", "BUSAN FOR ORDERS",
        "FISHING", "FISHING GROUNDS", "DRIFTING", "ANCHORAGE", "OPL", "SEA TRIAL", "NIL", "TBN", "KOREA",
        "KR PUS>", "RUVVO<>KRPUS", "PCN<>WLG", "NO ETA", "AT SEA", "IN PORT", "LA PAZ", "US SEA", "TOKYO",
        "KRPUS>TOKYO", "CHIBA", "MOKPO", "MASAN", "JPCHB", "CNYTN", "SIN", "CAN", "HON", "MAR", "BUSAN MARU",
        "SAKAI SENBOKU", "KR PUS DALIAN", "BUSAN CHINA", "YANTIAN", "BEIHAI", "TAICANG", "NANTONG", "CANAL",
        "ZONA PESCA", "FREMANTLE", "DISKO", "<script>", "=cmd()", "'; DROP TABLE", "\u202e\u0007",
    ],
)  # fmt: skip
def test_what_names_no_port_is_not_read(text):
    assert parse_destination(text, GAZETTEER) is None


@pytest.mark.parametrize(
    ("text", "also"),
    [
        ("CN DLC>KR INC", {"CN_DALIAN"}),
        ("BUSAN-ULSAN", {"KR_BUSAN"}),
        ("NINGBO/ZHOUSHAN", {"CN_NINGBO"}),
        ("BUSAN VIA VLADIVOSTOK", {"RU_VLADIVOSTOK"}),
        ("BUSAN", set()),
        ("BUSAN>BUSAN", set()),
    ],
)
def test_the_other_places_named_are_kept(text, also):
    declared = parse_destination(text, GAZETTEER)
    assert declared is not None
    assert {place.zone_id for place in declared.also} == also


def test_a_name_of_two_ports_of_one_country_gives_the_country():
    declared = parse_destination("TANGSHAN", GAZETTEER)
    assert declared is not None
    assert declared.place == Place(None, "CN")


def test_the_last_letters_of_two_codes_are_no_short_code():
    assert "SIN" not in GAZETTEER.short_codes  # Singapore and Sinpo


@pytest.mark.parametrize("zone", [z for z in ZONES.zones if z.kind == "port"], ids=lambda z: z.zone_id)
def test_every_code_and_name_of_the_ports_table_reads_as_its_country(zone):
    for text in (*zone.unlocodes, *zone.alt_names, zone.name.partition("(")[0]):
        declared = parse_destination(text, GAZETTEER)
        assert declared is not None, text
        assert declared.place.country == zone.country, text


def test_one_slip_of_the_keys_never_reads_as_another_country():
    """Each long name with each letter left out reads as itself, or is not read at all."""
    long_names = {name: place for name, place in GAZETTEER.names.items() if len(name) >= 6}
    assert len(long_names) > 100
    for name, place in long_names.items():
        for i in range(1, len(name)):
            declared = parse_destination(name[:i] + name[i + 1 :], GAZETTEER)
            assert declared is None or declared.place.country == place.country, (name, i, declared)


@given(st.text(max_size=24))
def test_any_text_is_survived(text):
    declared = parse_destination(text, GAZETTEER)
    assert declared is None or len(declared.place.country) == 2


@given(st.sampled_from([text for text, _, _ in READ]), st.integers(0, 4))
def test_padding_and_case_change_nothing(text, n):
    assert parse_destination(" " * n + text.lower() + " " * n, GAZETTEER) == parse_destination(text, GAZETTEER)


def test_squashing_twice_is_squashing_once():
    for text, _, _ in READ:
        assert squash(squash(text)) == squash(text)
