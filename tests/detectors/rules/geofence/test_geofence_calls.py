"""Watched port calls."""

import pytest

from detectors.rules.geofence.detector import Geofence

TUG, FISHING = 52, 30
KP_FLAG, RU_FLAG, PA_FLAG = 445012340, 273451230, 352001870


@pytest.mark.parametrize(
    ("zone_id", "strength"),
    [
        ("KP_NAMPO", 0.8),
        ("KP_CHONGJIN", 0.8),
        ("KP_YALU", 0.8),
        ("RU_NAKHODKA", 0.12),
        ("RU_KHOLMSK", 0.12),
        ("CN_DANDONG", 0.12),
        ("CN_DALIAN", 0.12),
    ],
)
def test_a_call_at_a_watched_port_is_a_finding_by_its_level(zone_id, strength, ship, find):
    (finding,) = find("watched_port_call", ship().calls(zone_id, 1, 3))
    assert finding.strength == strength
    assert finding.subject == zone_id
    assert finding.segment_id == "352001870-track-1"
    assert "GOLDEN LILY (MMSI 352001870)" in finding.headline


@pytest.mark.parametrize("zone_id", ["KR_BUSAN", "CN_SHANGHAI", "RU_POSYET", "SG_SINGAPORE"])
def test_a_call_at_an_unwatched_port_is_none(zone_id, ship, scene):
    from_scene = scene(ship().calls(zone_id, 1, 3))
    assert not Geofence().detect(from_scene)


def test_the_users_levels_count(ship, find, zones):
    changed = zones.with_levels({"RU_NAKHODKA": "none", "KR_BUSAN": "high"})
    (finding,) = find("watched_port_call", ship().calls("RU_NAKHODKA", 1, 3).calls("KR_BUSAN", 9, 10), zones=changed)
    assert (finding.subject, finding.strength) == ("KR_BUSAN", 0.8)


def test_passing_through_a_fence_is_no_call(ship, find):
    assert not find("watched_port_call", ship().calls("KP_NAMPO", 1, 1.2, confidence=1))


def test_the_less_was_seen_the_weaker_the_call(ship, find):
    strengths = [find("watched_port_call", ship().calls("KP_NAMPO", 1, 3, confidence=c))[0].strength for c in (2, 3, 4)]
    assert strengths == sorted(set(strengths))


def test_roads_and_port_of_one_place_are_one_call_led_by_the_port(ship, find):
    vessel = ship().calls("RU_NAKHODKA_VOSTOK_BAY", 1, 2).calls("RU_NAKHODKA", 2.1, 3).calls("RU_VOSTOCHNY", 3.2, 3.4)
    (finding,) = find("watched_port_call", vessel)
    assert "called at Nakhodka" in finding.headline
    assert (finding.start, finding.end) == (vessel.at(1), vessel.at(3.4))
    also = [line.observed for line in finding.evidence if line.what == "also inside"]
    assert len(also) == 2
    assert any("RU_NAKHODKA_VOSTOK_BAY" in text for text in also)


def test_calls_days_apart_or_at_far_fences_are_findings_of_their_own(ship, find):
    assert len(find("watched_port_call", ship().calls("RU_NAKHODKA", 1, 2).calls("RU_NAKHODKA", 4, 5))) == 2
    assert len(find("watched_port_call", ship().calls("KP_NAMPO", 1, 2).calls("KP_SONGNIM", 2.1, 3))) == 2
    assert len(find("watched_port_call", ship().calls("KP_YALU", 1, 2).calls("CN_DANDONG", 2.1, 3))) == 2


def test_two_hulls_on_one_mmsi_make_calls_of_their_own(ship, find):
    one, other = ship().calls("KP_NAMPO", 1, 2), ship(track="track-2").calls("KP_NAMPO", 1.5, 2.5)
    assert {f.segment_id for f in find("watched_port_call", one, other)} == {"352001870-track-1", "352001870-track-2"}


def test_a_ship_at_her_own_flags_port_is_expected_there(ship, find):
    own, foreign = (find("watched_port_call", ship(mmsi).calls("KP_WONSAN", 1, 3))[0] for mmsi in (KP_FLAG, PA_FLAG))
    assert own.strength < foreign.strength
    assert any(line.observed.startswith("KP (") and "own port" in line.expected for line in own.evidence)


def test_harbour_craft_at_an_elevated_port_weigh_half(ship, find):
    tug, cargo = (find("watched_port_call", ship(ship_type=t).calls("CN_DALIAN", 1, 3))[0] for t in (TUG, 70))
    assert tug.strength == cargo.strength / 2


@pytest.mark.parametrize(
    ("draught", "bonus"), [((5.0, 8.0), 0.1), ((8.0, 5.0), 0.1), ((5.0, 5.3), 0.0), ((5.0, None), 0.0)]
)
def test_a_changed_draught_says_that_cargo_moved(draught, bonus, ship, find):
    (finding,) = find("watched_port_call", ship().calls("KP_NAMPO", 1, 3, draught=draught))
    assert finding.strength == pytest.approx(0.8 + bonus)
    assert [line for line in finding.evidence if line.what.startswith("draught claimed")]


def test_an_open_call_keeps_its_id_when_it_closes(ship, find):
    (still_open,) = find("watched_port_call", ship().calls("KP_NAMPO", 1, None))
    (closed,) = find("watched_port_call", ship().calls("KP_NAMPO", 1, 4))
    assert still_open.end is None
    assert closed.end is not None
    assert still_open.finding_id == closed.finding_id


def test_a_call_whose_first_fence_was_left_unseen_ends_with_its_last(ship, find):
    vessel = ship().calls("RU_NAKHODKA_VOSTOK_BAY", 1, None).calls("RU_NAKHODKA", 1.6, 3)
    (finding,) = find("watched_port_call", vessel)
    assert finding.end == vessel.at(3)


def test_the_way_in_through_the_roads_belongs_to_the_call(ship, scene):
    vessel = ship().inside("KP_NAMPO_ROADS", 0.8, 1.0, slow_h=3.0).calls("KP_NAMPO", 1.1, 3)
    (finding,) = Geofence().detect(scene(vessel))
    assert any("KP_NAMPO_ROADS" in line.observed for line in finding.evidence)


def test_poor_data_are_caveats(ship, find):
    poor = {"confidence": 2, "entry_seen": False, "exit_seen": False, "n_positions": 2, "max_gap_h": 40.0}
    (finding,) = find("watched_port_call", ship().calls("KP_NAMPO", 1, 3, **poor))
    said = " ".join(finding.caveats)
    assert all(words in said for words in ("only 2 reports", "silent for 40.0 h", "entry", "exit"))
