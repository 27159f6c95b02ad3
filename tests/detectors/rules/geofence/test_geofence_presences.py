"""Watched zone presences."""

import pytest

FISHING, TANKER = 30, 80
KP_FLAG = 445012340
KIND = "watched_zone_presence"
BY_EDGE = {"lat": 38.5, "lon": 124.625}
"""Just inside the western edge of the roads of Nampo."""
OPEN_SEA = {"lat": 29.0, "lon": 125.0}
OFF_ZHOUSHAN = {"lat": 30.0, "lon": 122.9}


@pytest.mark.parametrize(
    ("start", "end", "more", "n"),
    [
        (1.0, 2.0, {}, 1),
        (1.0, 1.03, {}, 1),  # 43 minutes are more than a clip
        (1.0, 1.01, BY_EDGE, 0),
        (1.0, 1.01, {}, 1),  # short, but deep inside
        (1.0, 1.0, {"n_positions": 1}, 1),
        (1.0, 1.0, {"n_positions": 1, **BY_EDGE}, 0),
        (1.0, 1.0, {"n_positions": 1, "lat": None, "lon": None}, 0),
    ],
)
def test_time_in_high_watch_waters_is_a_finding_unless_it_clips_the_fence(start, end, more, n, ship, find):
    assert len(find(KIND, ship().inside("KP_NAMPO_ROADS", start, end, **more))) == n


def test_a_single_report_and_a_fishing_boat_weigh_less(ship, find):
    (full,) = find(KIND, ship().inside("KP_NAMPO_ROADS", 1, 2))
    (single,) = find(KIND, ship().inside("KP_NAMPO_ROADS", 1, 1, n_positions=1))
    (fishing,) = find(KIND, ship(ship_type=FISHING).inside("KP_NAMPO_ROADS", 1, 2))
    (own,) = find(KIND, ship(KP_FLAG).inside("KP_NAMPO_ROADS", 1, 2))
    (slow,) = find(KIND, ship().inside("KP_NAMPO_ROADS", 1, 2, slow_h=5.0))
    assert max(single.strength, fishing.strength, own.strength) < full.strength < slow.strength
    assert single.caveats
    assert fishing.caveats


def test_a_visit_without_a_stop_in_the_dprk_is_a_presence(ship, find):
    vessel = ship().calls("KP_HAEJU", 1, 1.2, confidence=1)
    (finding,) = find(KIND, vessel)
    assert "no call was seen" in finding.headline
    assert not find("watched_port_call", vessel)


def test_a_call_explains_the_presence(ship, find):
    assert not find(KIND, ship().calls("KP_NAMPO", 1, 3).inside("KP_NAMPO_ROADS", 3.1, 3.4))
    assert len(find(KIND, ship().calls("KP_NAMPO", 1, 3).inside("KP_NAMPO_ROADS", 5, 6))) == 1
    assert len(find(KIND, ship().calls("KP_NAMPO", 1, 3).inside("KP_YALU", 3.1, 3.4))) == 1


def test_presences_half_a_day_apart_are_one_finding(ship, find):
    vessel = ship()
    for hour in range(0, 48, 6):
        vessel.inside("KP_YALU", hour / 24, hour / 24 + 0.1)
    assert len(find(KIND, vessel)) == 1


@pytest.mark.parametrize(
    "zone_id", ["ECS_STS", "YELLOW_SEA_MID", "TONKIN", "CN_LIANYUNGANG_ROADS", "CN_NINGBO_ZHOUSHAN_STS"]
)
def test_crossing_a_belt_on_passage_says_nothing(zone_id, ship, find):
    assert not find(KIND, ship().inside(zone_id, 1, 2, slow_h=1.0))


@pytest.mark.parametrize(
    "zone_id", ["GATE_BOHAI", "GATE_KOREA_STRAIT_W", "RU_NAKHODKA", "CN_DALIAN", "KR_BUSAN", "FUJIAN_SANSHA"]
)
def test_presence_elsewhere_says_nothing(zone_id, ship, find):
    assert not find(KIND, ship().inside(zone_id, 1, 5, slow_h=50.0))


def test_a_gate_is_never_a_watched_zone_even_at_high(ship, find, zones):
    changed = zones.with_levels({"GATE_BOHAI": "high"})
    assert not find(KIND, ship().inside("GATE_BOHAI", 1, 5, slow_h=50.0), zones=changed)


@pytest.mark.parametrize(
    ("zone_id", "ship_type", "slow_h", "where", "strength"),
    [
        ("ECS_STS", 70, 9.0, OPEN_SEA, 0.12),
        ("ECS_STS", TANKER, 9.0, OPEN_SEA, 0.12),
        ("YELLOW_SEA_MID", TANKER, 9.0, {}, 0.12),
        ("ECS_STS", TANKER, 7.0, OPEN_SEA, None),
        ("ECS_STS", FISHING, 60.0, OPEN_SEA, None),
        ("ECS_STS", None, 60.0, OPEN_SEA, None),
        ("ECS_STS", TANKER, 60.0, OFF_ZHOUSHAN, None),  # the belt's edge is also a port's waiting ground
        ("CN_NINGBO_ZHOUSHAN_STS", TANKER, 60.0, {}, None),
        ("CN_LIANYUNGANG_ROADS", 70, 60.0, {}, None),
        ("TONKIN", 70, 60.0, {}, None),
    ],
)
def test_slow_hours_count_in_open_belts_for_ships_that_carry_cargo(
    zone_id, ship_type, slow_h, where, strength, ship, find
):
    findings = find(KIND, ship(ship_type=ship_type).inside(zone_id, 1, 5, slow_h=slow_h, **where))
    assert [f.strength for f in findings] == ([] if strength is None else [strength])


@pytest.mark.parametrize("zone_id", ["CN_NINGBO_ZHOUSHAN_STS", "CN_LIANYUNGANG_ROADS", "ECS_STS"])
def test_a_ship_tied_to_high_watch_waters_is_looked_at_more_closely(zone_id, ship, find):
    for vessel in (
        ship(KP_FLAG, ship_type=FISHING),
        ship().calls("KP_NAMPO", -9, -8),
        ship().inside("KP_YALU", -9, -8),
    ):
        (finding,) = [f for f in find(KIND, vessel.inside(zone_id, 1, 2, slow_h=3.0)) if f.subject == zone_id]
        assert finding.strength == 0.3


def test_one_stay_in_two_belts_that_overlap_is_one_finding(ship, find):
    vessel = ship(KP_FLAG).inside("ECS_STS", 1, 2, slow_h=9.0).inside("CN_NINGBO_ZHOUSHAN_STS", 1.1, 1.8, slow_h=9.0)
    assert len(find(KIND, vessel)) == 1
