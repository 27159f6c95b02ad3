"""Relay voyages."""

from datetime import UTC, datetime, timedelta

import pytest

KIND = "relay_voyage"
SIMPLE = [("KP_CHONGJIN", 0, 2), ("RU_KHOLMSK", 6, 9), ("KR_POHANG", 13, 15)]


def relay(ship, calls, **more):
    vessel = ship(**more)
    for zone_id, start, end, *draught in calls:
        vessel.calls(zone_id, start, end, draught=draught[0] if draught else (None, None))
    return vessel


@pytest.mark.parametrize(
    "calls",
    [
        SIMPLE,
        [("KP_NAMPO", 0, 2), ("RU_NAKHODKA", 9, 12), ("JP_MAIZURU", 20, 21)],
        [("KP_WONSAN", 0, 2), ("RU_NAKHODKA_VOSTOK_BAY", 4, 5), ("RU_NAKHODKA", 5.1, 9), ("CN_QINGDAO", 20, 21)],
        [("KP_RAJIN", 0, 2), ("RU_VOSTOCHNY", 4, 5), ("TW_KAOHSIUNG", 20, 21)],
        [("KP_CHONGJIN", 0, 2), ("RU_NAKHODKA", 4, 6), ("RU_VLADIVOSTOK", 7, 8), ("VN_CAM_PHA", 25, 27)],
        [("KP_CHONGJIN", 0, 2), ("RU_NAKHODKA", 4, 6), ("CN_DANDONG", 12, 14), ("KR_BUSAN", 20, 21)],
    ],
)
def test_a_dprk_port_a_relay_port_and_a_market_in_order_are_a_relay(calls, ship, find):
    (finding,) = find(KIND, relay(ship, calls))
    assert finding.strength >= 0.85
    assert finding.voyage_id is not None


def test_a_relay_belongs_to_the_voyage_that_reached_the_market(ship, find):
    vessel = relay(ship, SIMPLE)
    (finding,) = find(KIND, vessel)
    assert finding.voyage_id == "voyage RU_KHOLMSK to KR_POHANG"
    assert (finding.start, finding.end) == (vessel.at(2), vessel.at(13))
    assert "Chongjin, then at Kholmsk, then at Pohang" in finding.headline


@pytest.mark.parametrize(
    "calls",
    [
        [("RU_KHOLMSK", 0, 2), ("KP_CHONGJIN", 6, 9), ("KR_POHANG", 13, 15)],
        [("RU_KHOLMSK", 0, 2), ("KR_POHANG", 13, 15)],
        [("KP_CHONGJIN", 0, 2), ("KR_POHANG", 13, 15)],
        [("KP_CHONGJIN", 0, 2), ("RU_VLADIVOSTOK", 4, 6), ("KR_POHANG", 13, 15)],
        [("KP_CHONGJIN", 0, 2), ("RU_KHOLMSK", 30, 32), ("KR_POHANG", 40, 41)],
        [("KP_CHONGJIN", 0, 2), ("RU_KHOLMSK", 4, 6), ("KR_POHANG", 60, 61)],
        [("KP_CHONGJIN", 0, 2), ("RU_KHOLMSK", 4, 6), ("KP_CHONGJIN", 8, 9), ("KR_POHANG", 12, 13)],
        [("KP_CHONGJIN", 0, 2), ("RU_KHOLMSK", 4, 6), ("RU_VANINO", 8, 9)],
        [("CN_DANDONG", 0, 2), ("RU_NAKHODKA", 6, 9), ("KR_POHANG", 13, 15)],
    ],
)
def test_other_orders_and_longer_times_are_no_relay(calls, ship, find):
    assert not find(KIND, relay(ship, calls))


def test_each_call_in_the_dprk_has_at_most_one_relay(ship, find):
    again = [(zone, start + 30, end + 30) for zone, start, end in SIMPLE]
    assert len(find(KIND, relay(ship, SIMPLE + again + [("KR_BUSAN", 50, 51)]))) == 2


def test_two_ships_do_not_make_one_relay(ship, find):
    one = relay(ship, SIMPLE[:2])
    other = relay(ship, SIMPLE[2:], mmsi=353001870)
    assert not find(KIND, one, other)


def test_passing_the_relay_port_without_a_stop_is_no_relay(ship, find):
    vessel = ship().calls("KP_CHONGJIN", 0, 2).calls("RU_KHOLMSK", 6, 7, confidence=1).calls("KR_POHANG", 13, 15)
    assert not find(KIND, vessel)


@pytest.mark.parametrize(
    ("landing", "banned"),
    [((2017, 8, 1), False), ((2017, 8, 4), False), ((2017, 8, 5), True), ((2017, 8, 10), True), ((2018, 1, 1), True)],
)
def test_a_relay_before_the_ban_is_another_weaker_finding(landing, banned, ship, find):
    first_day = datetime(*landing, 12, tzinfo=UTC) - timedelta(days=13)
    (finding,) = find(KIND, relay(ship, SIMPLE, first_day=first_day), as_of=first_day + timedelta(days=20))
    assert finding.strength == (0.9 if banned else 0.35)
    assert ("before UNSCR 2371 (2017-08-05)" in finding.headline) is not banned
    measures = [line.observed for line in finding.evidence if line.what == "UN measure in force"]
    assert measures[0].startswith("UNSCR 2371 since 2017-08-05" if banned else "none of UNSCR 2371")


def test_leaving_before_the_ban_and_landing_after_it_is_a_caveat(ship, find):
    first_day = datetime(2017, 8, 1, tzinfo=UTC)
    (finding,) = find(KIND, relay(ship, SIMPLE, first_day=first_day))
    assert any("left the DPRK before UNSCR 2371" in caveat for caveat in finding.caveats)


def test_an_unfinished_relay_is_weaker_and_keeps_its_id_when_the_market_is_reached(ship, find):
    vessel = relay(ship, SIMPLE)
    (unfinished,) = find(KIND, relay(ship, SIMPLE[:2]), as_of=vessel.at(12))
    (finished,) = find(KIND, vessel)
    assert unfinished.strength < finished.strength / 2
    assert unfinished.end is None
    assert unfinished.finding_id == finished.finding_id
    assert unfinished.voyage_id == "voyage RU_KHOLMSK to None"


def test_a_ship_still_at_the_relay_port_is_unfinished(ship, find):
    vessel = ship().calls("KP_CHONGJIN", 0, 2).calls("RU_KHOLMSK", 6, None)
    (finding,) = find(KIND, vessel, as_of=vessel.at(7))
    assert finding.voyage_id == "voyage KP_CHONGJIN to RU_KHOLMSK"


def test_a_port_whose_exit_was_not_seen_still_begins_a_relay(ship, find):
    vessel = relay(ship, SIMPLE)
    for visit in vessel.visits[:2]:
        visit.update(end=None, exit_seen=False, confidence=3)
    (finding,) = find(KIND, vessel)
    assert finding.end == vessel.at(13)


def test_an_unfinished_relay_is_dropped_when_its_time_is_over(ship, find):
    vessel = relay(ship, SIMPLE[:2])
    assert find(KIND, vessel, as_of=vessel.at(9 + 42))
    assert not find(KIND, vessel, as_of=vessel.at(9 + 43))


def test_what_was_seen_bounds_the_strength(ship, find):
    (full,) = find(KIND, relay(ship, SIMPLE))
    for weak_one in range(3):
        vessel = ship()
        for i, (zone_id, start, end) in enumerate(SIMPLE):
            vessel.calls(zone_id, start, end, confidence=2 if i == weak_one else 4)
        (weaker,) = find(KIND, vessel)
        assert weaker.strength == pytest.approx(full.strength * 0.75)


def test_draughts_and_calls_in_between_shift_the_strength(ship, find):
    def strength(calls):
        return find(KIND, relay(ship, calls))[0].strength

    plain = strength(SIMPLE)
    loaded = strength([("KP_CHONGJIN", 0, 2, (4.0, 8.0)), ("RU_KHOLMSK", 6, 9), ("KR_POHANG", 13, 15, (8.0, 4.0))])
    brought = strength([("KP_CHONGJIN", 0, 2, (8.0, 4.0)), ("RU_KHOLMSK", 6, 9), ("KR_POHANG", 13, 15)])
    between = strength([SIMPLE[0], ("CN_DALIAN", 3, 4), *SIMPLE[1:]])
    assert max(brought, between) < plain < loaded


def test_coal_of_other_origin_through_rajin_is_a_caveat(ship, find):
    (finding,) = find(KIND, relay(ship, [("KP_RAJIN", 0, 2), ("RU_NAKHODKA", 4, 6), ("CN_QINGDAO", 12, 13)]))
    assert any("Rajin" in caveat and "exempts" in caveat for caveat in finding.caveats)


def test_a_hull_that_changed_its_number_on_the_way_is_followed(ship, find):
    vessel = relay(ship, SIMPLE)
    vessel.visits[2]["mmsi"] = 677001870
    (finding,) = find(KIND, vessel)
    assert (finding.mmsi, finding.other_mmsi) == (677001870, (352001870,))


def test_a_relay_goes_on_when_the_hull_takes_another_identity(ship, find):
    """The hull was SU RI 7 in Chongjin, GOLDEN LILY after; one `hull_id` spans both."""
    old = {"mmsi": 445000123, "segment_id": "old track"}
    vessel = ship().calls("KP_CHONGJIN", 0, 2, **old).calls("RU_KHOLMSK", 6, 9).calls("KR_POHANG", 13, 15)
    vessel.says(None, -30, 3, name="SU RI 7", **old).says(None, 4, 400)
    (finding,) = find(KIND, vessel)
    assert (finding.mmsi, finding.other_mmsi) == (vessel.mmsi, (445000123,))
    assert finding.voyage_id == "voyage RU_KHOLMSK to KR_POHANG"
    assert finding.headline == (
        "GOLDEN LILY (MMSI 352001870) called at Chongjin as SU RI 7 (MMSI 445000123), then at Kholmsk, then at Pohang"
    )
    assert ("that call was made as", "SU RI 7 (MMSI 445000123)") in {(e.what, e.observed) for e in finding.evidence}
    (call,) = [one for one in find("watched_port_call", vessel) if "Chongjin" in one.headline]
    assert (call.mmsi, call.hull_id) == (445000123, finding.hull_id)


def test_a_market_under_a_third_identity_is_named_by_it(ship, find):
    vessel = ship().calls("KP_CHONGJIN", 0, 2).calls("RU_KHOLMSK", 6, 9)
    vessel.calls("KR_POHANG", 13, 15, mmsi=273000222, segment_id="new track")
    vessel.says(None, -30, 12).says(None, 12, 40, mmsi=273000222, segment_id="new track", name="MIRAE 3")
    (finding,) = find(KIND, vessel)
    assert finding.headline.startswith("MIRAE 3 (MMSI 273000222) called at Chongjin as GOLDEN LILY (MMSI 352001870)")
