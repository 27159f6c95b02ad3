"""Changes of a ship's own claims: what is a change, what is none, and how odd each is."""

from typing import Any

import pytest

from detectors.finding import Finding
from detectors.rules.identity.detector import Identity
from tests.detectors.histories import at, sailed, scene, spell, stay

SHIP = 273000222
BASE: dict[str, Any] = {
    "imo": 2000004,
    "name": "PALE HERON",
    "call_sign": "UBAB7",
    "ship_type": 70,
    "length_m": 120.0,
    "beam_m": 18.0,
}
IN_BUSAN = stay(SHIP, "KR_BUSAN", at(9), at(11))


def found(*kinds: str, parameters: Identity | None = None, **tables: Any) -> list[Finding]:
    detector = parameters or Identity()
    return [one for one in detector.detect(scene(**tables)) if one.kind in kinds]


def two_claims(first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, Any]]:
    """One ship claims the first for ten days and the second for ten more, half an hour later."""
    return [
        spell(SHIP, at(0), at(10), **{**BASE, **first}),
        spell(SHIP, at(10, 0.5), at(20), **{**BASE, **second}),
    ]


def under_way() -> list[dict[str, Any]]:
    return sailed(SHIP, at(9, 12), 24, (35.0, 130.0), (36.0, 135.0))


def test_a_lawful_rename_in_port_with_the_imo_number_kept_is_weak() -> None:
    one = found("name_change", identities=two_claims({}, {"name": "STORM PETREL"}), port_visits=[IN_BUSAN])
    assert [f.strength for f in one] == [0.15]
    assert "in Kr_Busan" in one[0].headline
    assert any("IMO number 2000004" in line.observed for line in one[0].evidence)
    assert one[0].start == at(10, 0.5)


def test_a_rename_under_way_is_strong() -> None:
    one = found("name_change", identities=two_claims({}, {"name": "STORM PETREL"}), sketches=under_way())
    assert one[0].strength >= 0.6
    assert "under way" in one[0].headline


def test_a_rename_while_stopped_outside_ports_is_weak() -> None:
    lying = sailed(SHIP, at(9, 12), 24, (35.0, 130.0), (35.001, 130.0))
    one = found("name_change", identities=two_claims({}, {"name": "STORM PETREL"}), sketches=lying)
    assert one[0].strength == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("zone_id", "days_before", "strong"),
    [("KP_NAMPO", 3, True), ("KP_NAMPO", 29, True), ("KP_NAMPO", 31, False), ("CN_DALIAN", 2, False)],
)
def test_a_rename_around_a_stay_in_a_zone_of_high_watch_is_strong(zone_id: str, days_before: int, strong: bool) -> None:
    spells = [
        spell(SHIP, at(-40), at(10), **BASE),
        spell(SHIP, at(10, 0.5), at(20), **{**BASE, "name": "STORM PETREL"}),
    ]
    call = stay(SHIP, zone_id, at(9 - days_before), at(10 - days_before))
    one = found("name_change", identities=spells, port_visits=[call, IN_BUSAN])
    assert (one[0].strength >= 0.7) is strong
    in_presences = found("name_change", identities=spells, zone_presences=[call], port_visits=[IN_BUSAN])
    assert in_presences[0].strength == one[0].strength


def test_more_fields_at_once_are_stronger() -> None:
    name = found("name_change", identities=two_claims({}, {"name": "STORM PETREL"}), port_visits=[IN_BUSAN])
    both = found(
        "name_change",
        identities=two_claims({}, {"name": "STORM PETREL", "call_sign": "UBQQ3"}),
        port_visits=[IN_BUSAN],
    )
    assert both[0].strength > name[0].strength
    assert any(line.observed == "call sign" for line in both[0].evidence)


@pytest.mark.parametrize("name", ["PALE  HERON", "M/V PALE HERON", "PALEHERON", "PALE HEROO", "PALE-HERON"])
def test_near_equal_names_are_no_change(name: str) -> None:
    assert not found("name_change", identities=two_claims({}, {"name": name}), sketches=under_way())


def test_battery_levels_and_numbers_of_gear_are_no_change() -> None:
    gear = [spell(412000333, at(day), at(day + 1), name=f"NET 1{day}-{90 - day}%", transceiver="B") for day in range(6)]
    assert not found("name_change", identities=gear)


def test_a_destination_alone_is_no_change() -> None:
    spells = two_claims({"destination": "BUSAN"}, {"destination": "VLADIVOSTOK"})
    assert not Identity().detect(scene(identities=spells))


def test_one_message_with_another_name_is_no_change() -> None:
    spells = [
        spell(SHIP, at(0), at(10), **BASE),
        spell(SHIP, at(10), at(10, 0.1), n_reports=1, **{**BASE, "name": "XQZ"}),
        spell(SHIP, at(10, 0.2), at(20), **BASE),
    ]
    assert not found("name_change", identities=spells, sketches=under_way())


def test_a_borrowed_name_laid_down_again_is_one_finding_that_says_so() -> None:
    spells = [
        spell(SHIP, at(0), at(10), **BASE),
        spell(SHIP, at(10, 0.5), at(13), **{**BASE, "name": "STORM PETREL"}),
        spell(SHIP, at(13, 0.5), at(20), **BASE),
    ]
    one = found("name_change", identities=spells, port_visits=[IN_BUSAN])
    assert len(one) == 1
    assert one[0].end == at(13)
    assert one[0].strength > 0.15
    assert any("came back" in line.what for line in one[0].evidence)


def test_names_that_take_turns_are_two_senders_and_no_renames() -> None:
    spells = [
        spell(SHIP, at(day), at(day, 20), **{**BASE, "name": ("PALE HERON", "STORM PETREL")[day % 2]})
        for day in range(10)
    ]
    assert not found("name_change", identities=spells, sketches=under_way())


def test_names_of_two_simultaneous_tracks_are_no_renames() -> None:
    one = spell(SHIP, at(0), at(10), **{**BASE, "segment_id": "s1", "hull_id": "h1"})
    two = spell(
        SHIP, at(5), at(20), **{**BASE, "name": "GREY GULL", "imo": 2000016, "segment_id": "s2", "hull_id": "h2"}
    )
    vessel = {
        "mmsi": SHIP,
        "first_seen": at(0),
        "last_seen": at(20),
        "n_segments": 2,
        "n_alternations": 40,
        "max_separation_nmi": 300.0,
        "overlap_start": at(5),
        "overlap_end": at(10),
    }
    kinds = {f.kind for f in Identity().detect(scene(identities=[one, two], vessels=[vessel]))}
    assert kinds == {"shared_mmsi"}


def test_a_change_during_a_long_silence_is_placed_nowhere() -> None:
    spells = [
        spell(SHIP, at(0), at(10), **BASE),
        spell(SHIP, at(14), at(20), **{**BASE, "name": "STORM PETREL"}),
    ]
    one = found("name_change", identities=spells, sketches=sailed(SHIP, at(0), 480, (35.0, 130.0), (36.0, 160.0)))
    assert one[0].strength < 0.3
    assert any("nothing was heard" in caveat for caveat in one[0].caveats)


def test_claims_that_no_one_ship_sails_between_count_less_and_say_so() -> None:
    spells = [
        spell(SHIP, at(0), at(10), **BASE),
        spell(SHIP, at(10, 1), at(20), place=(-35.0, 20.0), segment_id="other", **{**BASE, "name": "STORM PETREL"}),
    ]
    one = found("name_change", identities=spells)
    assert one[0].strength < 0.15
    assert any("two ships" in caveat for caveat in one[0].caveats)


def test_class_b_sets_count_less() -> None:
    claims = two_claims({}, {"name": "STORM PETREL"})
    small = [{**row, "transceiver": "B", "imo": None, "length_m": 15.0} for row in claims]
    big = found("name_change", identities=claims, sketches=under_way())
    little = found("name_change", identities=small, sketches=under_way())
    assert little[0].strength < 0.5 * big[0].strength


@pytest.mark.parametrize(
    ("old", "new", "low", "high", "note"),
    [
        (2000004, 2000016, 0.6, 0.8, "one valid number after another"),
        (2000002, 2000004, 0.0, 0.1, "a wrong digit put right"),
        (2000004, 2000002, 0.1, 0.2, "a digit typed wrong"),
        (2000061, 2000016, 0.0, 0.1, "two digits changed over put right"),
        (2999999, 2000004, 0.3, 0.5, "an invalid number after which comes quite another"),
    ],
)
def test_a_change_of_imo_number_is_graded_by_the_check_digits(
    old: int, new: int, low: float, high: float, note: str
) -> None:
    one = found("imo_change", identities=two_claims({"imo": old}, {"imo": new}), port_visits=[IN_BUSAN])
    assert low < one[0].strength <= high, note


def test_the_same_imo_number_is_no_change_when_it_pauses() -> None:
    spells = [
        spell(SHIP, at(0), at(5), **BASE),
        spell(SHIP, at(5), at(6), **{**BASE, "imo": None}),
        spell(SHIP, at(6), at(20), **BASE),
    ]
    assert not found("imo_change", identities=spells)


def test_an_imo_number_dropped_at_sea_is_found_and_in_port_weaker() -> None:
    claims = two_claims({}, {"imo": None})
    at_sea = found("imo_dropped", identities=claims, sketches=under_way())
    in_port = found("imo_dropped", identities=claims, port_visits=[IN_BUSAN])
    around = found("imo_dropped", identities=claims, port_visits=[stay(SHIP, "KP_NAMPO", at(9), at(11))])
    assert in_port[0].strength == pytest.approx(0.25)
    assert at_sea[0].strength > 0.6
    assert around[0].strength > 0.7
    assert at_sea[0].end is None


@pytest.mark.parametrize(
    ("second", "note"),
    [
        ({"imo": None, "name": "STORM PETREL", "call_sign": "UBQQ3"}, "another ship's statement"),
        ({"imo": None, "name": None, "call_sign": None}, "nothing stated at all"),
    ],
)
def test_no_number_without_a_full_statement_of_the_same_ship_is_no_drop(second: dict[str, Any], note: str) -> None:
    assert not found("imo_dropped", identities=two_claims({}, second)), note


def test_a_number_that_comes_and_goes_is_a_provider_and_no_drop() -> None:
    spells = [
        spell(SHIP, at(2 * turn), at(2 * turn + 2), **{**BASE, "imo": (2000004, None)[turn % 2]}) for turn in range(8)
    ]
    assert not found("imo_dropped", identities=spells)


def test_a_fleet_that_drops_its_numbers_at_once_blames_the_source() -> None:
    fleet = [
        {**row, "mmsi": SHIP + ship, "segment_id": f"s{ship}", "hull_id": f"h{ship}"}
        for ship in range(10)
        for row in two_claims({"imo": 2000004}, {"imo": None})
    ]
    one = found("imo_dropped", identities=fleet)
    assert len(one) == 10
    assert max(f.strength for f in one) < 0.1
    assert all(any("source" in caveat for caveat in f.caveats) for f in one)


@pytest.mark.parametrize(
    ("old", "new", "low", "high"),
    [(80, 30, 0.6, 0.7), (30, 70, 0.6, 0.7), (70, 80, 0.2, 0.3), (60, 52, 0.01, 0.1)],
)
def test_a_change_of_type_is_graded_by_the_classes(old: int, new: int, low: float, high: float) -> None:
    one = found("type_change", identities=two_claims({"ship_type": old}, {"ship_type": new}), port_visits=[IN_BUSAN])
    assert low <= one[0].strength <= high


@pytest.mark.parametrize(("old", "new"), [(70, 79), (0, 70), (None, 70), (90, 70), (1004, 70)])
def test_a_type_of_the_same_class_or_of_none_is_no_change(old: int | None, new: int) -> None:
    assert not found("type_change", identities=two_claims({"ship_type": old}, {"ship_type": new}))


@pytest.mark.parametrize(
    ("old", "new", "changed"), [(120.0, 128.0, False), (100.0, 146.0, True), (96.0, 110.0, True), (12.0, 20.0, False)]
)
def test_a_change_of_length_beyond_retyping_is_found(old: float, new: float, changed: bool) -> None:
    claims = two_claims({"length_m": old}, {"length_m": new})
    assert bool(found("dimension_change", identities=claims)) is changed


def test_a_bigger_change_of_length_is_stronger_and_beam_beside_it_says_nothing_more() -> None:
    some = found("dimension_change", identities=two_claims({}, {"length_m": 150.0, "beam_m": 30.0}))
    more = found("dimension_change", identities=two_claims({}, {"length_m": 240.0, "beam_m": 40.0}))
    assert len(some) == len(more) == 1
    assert some[0].strength < more[0].strength


@pytest.mark.parametrize("field", ["length_m", "beam_m", "imo", "name", "call_sign", "ship_type"])
def test_a_field_no_longer_said_is_no_change_of_it(field: str) -> None:
    kinds = {"name_change", "call_sign_change", "imo_change", "type_change", "dimension_change"}
    assert not found(*kinds, identities=two_claims({}, {field: None}))


@pytest.mark.parametrize(("length", "beam"), [(1022.0, 126.0), (0.0, 0.0)])
def test_no_dimension_rests_on_a_sentinel(length: float, beam: float) -> None:
    assert not found("dimension_change", identities=two_claims({}, {"length_m": length, "beam_m": beam}))


@pytest.mark.parametrize(
    ("first", "second", "note"),
    [
        ({"length_m": 9.0, "beam_m": 16.0}, {"length_m": 95.0, "beam_m": 16.0}, "a figure was missing"),
        ({"length_m": 120.0, "beam_m": 20.0}, {"length_m": 400.0, "beam_m": 20.0}, "a figure too many"),
        ({"length_m": 27.0, "ship_type": 31}, {"length_m": 212.0, "ship_type": 31}, "a tug shows its tow"),
    ],
)
def test_a_length_that_was_mistyped_or_is_a_tow_is_weak(
    first: dict[str, Any], second: dict[str, Any], note: str
) -> None:
    one = found("dimension_change", identities=two_claims(first, second), sketches=under_way())
    assert [f.strength <= 0.1 for f in one] == [True], note


@pytest.mark.parametrize(("old", "new"), [("UBAB", "UBAB7"), ("P5AB7", "D5AB7")])
def test_a_call_sign_put_right_by_one_letter_is_weak(old: str, new: str) -> None:
    claims = two_claims({"call_sign": old}, {"call_sign": new})
    assert found("call_sign_change", identities=claims, sketches=under_way())[0].strength <= 0.1


CHANGES = ("name_change", "call_sign_change", "imo_change", "imo_dropped", "type_change", "dimension_change")
ANOTHER = {"imo": 2000016, "name": "STORM PETREL", "call_sign": "UBQQ3", "ship_type": 30, "length_m": 60.0}


def in_turn(mmsi: int, second: dict[str, Any], n_hulls: int = 1) -> list[dict[str, Any]]:
    """One track claims two things in turn, among so many hulls under the number that each claim one."""
    spells = [spell(mmsi, at(0), at(10), **BASE), spell(mmsi, at(10, 0.5), at(20), **{**BASE, **second})]
    others = [
        spell(mmsi, at(0), at(20), **{**BASE, "hull_id": f"hull-{i}", "segment_id": f"segment-{i}"})
        for i in range(1, n_hulls)
    ]
    return [*spells, *others]


@pytest.mark.parametrize("mmsi", [0, 123456789, 999999999, 273000000, 982731234, 827312345])
@pytest.mark.parametrize("second", [ANOTHER, {"imo": None}])
def test_what_a_number_that_identifies_nobody_sends_next_is_no_change(mmsi: int, second: dict[str, Any]) -> None:
    assert found(*CHANGES, identities=in_turn(SHIP, second))
    assert not found(*CHANGES, identities=in_turn(mmsi, second))


def test_digits_of_no_state_are_still_one_ships() -> None:
    assert {one.kind for one in found(*CHANGES, identities=in_turn(520000222, ANOTHER))} >= {
        "name_change",
        "imo_change",
    }


def test_a_number_of_more_hulls_than_share_one_changes_nothing_and_is_still_told_of_itself() -> None:
    most = Identity().max_sharers
    assert found(*CHANGES, identities=in_turn(SHIP, ANOTHER, most))
    assert not found(*CHANGES, identities=in_turn(SHIP, ANOTHER, most + 1))
    assert found(*CHANGES, identities=in_turn(SHIP, ANOTHER, most + 1), parameters=Identity(max_sharers=most + 1))
    assert found("invalid_mmsi", identities=in_turn(0, ANOTHER, most + 1))
