"""False destinations."""

import pytest

KIND = "false_destination"


def bound(ship, text, *, reached="KP_NAMPO", left="CN_QINGDAO", **more):
    """A ship that called at `left` until day 2, set `text` on day 1.9, and reached `reached` on day 5."""
    vessel = ship(**more).calls(left, 0, 2).calls(reached, 5, 8)
    return vessel.says("QINGDAO", -5, 1.8).says(text, 1.9, 20)


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("CN DLC>KR INC", 0.85),
        ("KR PUS", 0.85),
        ("BUSAN,KOREA", 0.85),
        ("VLADIVOSTOK", 0.85),
        ("JP NGO", 0.7225),
        ("TAIWAN", 0.7225),
        ("VVO", 0.7225),
        ("VLADIVOSTOCK", 0.595),
        ("NAMPO", None),
        ("KP NAM", None),
        ("DPRK", None),
        ("WONSAN", None),  # the DPRK all the same
        ("KOREA", None),
        ("FOR ORDERS", None),
        ("FISHING", None),
        ("DRIFTING", None),
        ("ANCHORAGE", None),
        ("XXQQZZ", None),
        ("KR INC VIA NAMPO", None),
        ("BUSAN/NAMPO", None),
        (None, None),
        ("@@@@", None),
    ],
)
def test_another_country_declared_and_the_dprk_reached_is_a_finding(text, strength, ship, find):
    assert [f.strength for f in find(KIND, bound(ship, text))] == ([] if strength is None else [strength])


def test_the_finding_tells_the_text_how_it_was_read_and_where_she_went(ship, find):
    (finding,) = find(KIND, bound(ship, "CN DLC>KR INC"))
    assert finding.headline == "GOLDEN LILY (MMSI 352001870) declared Incheon and called at Nampo"
    assert "'CN DLC>KR INC', read as Incheon (KR_INCHEON) by UN/LOCODE" in finding.evidence[0].observed
    assert finding.voyage_id == "voyage CN_QINGDAO to KP_NAMPO"


@pytest.mark.parametrize(
    ("spells", "n"),
    [
        ([("QINGDAO", -5, 1.8), ("BUSAN", 1.9, 9)], 1),
        ([("QINGDAO", -5, 1.8), ("BUSAN", 2.5, 9)], 1),  # set under way
        ([("BUSAN", -20, 20)], 0),  # never touched
        ([("QINGDAO", -20, -10), ("BUSAN", -9, 20)], 0),  # an earlier leg's
        ([("QINGDAO", -20, 1.8)], 0),  # the port left
        ([("QINGDAO", -20, 1.8), ("CHINA", 1.9, 9)], 0),  # no more than its country
        ([("QINGDAO", -5, 1.8), ("BUSAN", 1.9, 4), ("NAMPO", 4.1, 9)], 0),  # put right before arrival
        ([("QINGDAO", -5, 1.8), ("BUSAN", 1.9, 4), (None, 4.1, 9)], 0),  # taken down
        ([("QINGDAO", -5, 1.8), ("NAMPO", 1.9, 4.9), ("BUSAN", 4.95, 9)], 0),  # the next leg's, set before arrival
        ([("BUSAN", -9, -5), (None, -4, 1.8), ("BUSAN", 1.9, 9)], 0),  # a blank does not make it new
        ([("BUSAN", -9, 1.8), ("KR PUS", 1.9, 9)], 0),  # another spelling neither
        ([(None, -9, 1.8), ("BUSAN", 1.9, 9)], 1),
        ([("QINGDAO", -5, 1.8), ("BUSAN", 1.9, 3), ("KRPUS", 3.1, 9)], 1),
        ([], 0),
    ],
)
def test_stale_text_is_no_lie(spells, n, ship, find):
    vessel = ship().calls("CN_QINGDAO", 0, 2).calls("KP_NAMPO", 5, 8)
    for text, start, end in spells:
        vessel.says(text, start, end)
    assert len(find(KIND, vessel)) == n


def test_a_text_heard_once_is_not_enough(ship, find):
    vessel = ship().calls("CN_QINGDAO", 0, 2).calls("KP_NAMPO", 5, 8)
    vessel.says("QINGDAO", -5, 1.8).says("BUSAN", 2.5, 2.5, n_reports=1)
    assert not find(KIND, vessel)


def test_when_the_port_left_was_not_seen_only_a_text_set_under_way_counts(ship, find):
    before = ship().calls("KP_NAMPO", 5, 8).says("QINGDAO", -40, -33).says("BUSAN", -32, 20)
    under_way = ship().calls("KP_NAMPO", 5, 8).says("QINGDAO", -40, -20).says("BUSAN", -19, 20)
    assert not find(KIND, before)
    assert len(find(KIND, under_way)) == 1


@pytest.mark.parametrize(
    ("text", "reached", "strength"),
    [
        ("BUSAN", "RU_VLADIVOSTOK", 0.15),
        ("BUSAN", "CN_DALIAN", 0.15),
        ("VLADIVOSTOK", "RU_NAKHODKA", None),  # one country
        ("NAKHODKA", "RU_VOSTOCHNY", None),
        ("CN SHA", "CN_DALIAN", None),
        ("NAMPO", "CN_DALIAN", None),  # a text that names the DPRK hides nothing
        ("BUSAN", "KR_ULSAN", None),
        ("BUSAN", "JP_MOJI", None),  # an ordinary diversion
    ],
)
def test_at_elevated_ports_a_contradiction_is_weak_and_elsewhere_none(text, reached, strength, ship, find):
    findings = find(KIND, bound(ship, text, reached=reached, left="SG_SINGAPORE"))
    assert [f.strength for f in findings] == ([] if strength is None else [strength])


def test_a_call_on_the_way_to_the_declared_port_is_no_lie_at_an_elevated_one(ship, find):
    def onward(reached):
        return bound(ship, "BUSAN", reached=reached, left="SG_SINGAPORE").calls("KR_BUSAN", 11, 12)

    assert not find(KIND, onward("RU_VLADIVOSTOK"))
    (hidden,) = find(KIND, onward("KP_NAMPO"))
    assert "the port declared was reached afterwards" in hidden.caveats


def test_dandong_declared_and_the_other_bank_of_the_yalu_reached(ship, find):
    (near,) = find(KIND, bound(ship, "DANDONG", reached="KP_YALU", left="KR_INCHEON"))
    assert near.strength < 0.4
    assert not find(KIND, bound(ship, "DANDONG", reached="KP_YALU", left="KR_INCHEON").calls("CN_DANDONG", 9, 10))


def test_another_port_of_the_country_left_may_be_declared_falsely(ship, find):
    assert len(find(KIND, bound(ship, "VOSTOCHNY", reached="KP_RAJIN", left="RU_VLADIVOSTOK"))) == 1
    assert not find(KIND, bound(ship, "VOSTOCHNY", reached="KP_RAJIN", left="RU_NAKHODKA"))


def test_the_text_of_another_track_under_the_number_is_not_hers(ship, find):
    vessel = ship().calls("CN_QINGDAO", 0, 2).calls("KP_NAMPO", 5, 8).says("QINGDAO", -5, 20)
    other = ship(track="track-2").says("QINGDAO", -5, 1.8).says("BUSAN", 1.9, 20)
    assert not find(KIND, vessel, other)


def test_text_from_strangers_is_cleaned(ship, find):
    (finding,) = find(KIND, bound(ship, "KR\u202e PUS\x1b\x07"))
    assert "'KR PUS'" in finding.evidence[0].observed
    assert all(line.observed.isprintable() for line in finding.evidence)
