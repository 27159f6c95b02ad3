"""Identities that return on another hull, and the lawful silences that must stay quiet."""

from datetime import datetime
from typing import Any

import pytest

from detectors.finding import Finding
from detectors.rules.identity.detector import Identity
from tests.detectors.histories import at, history, scene, spell, stay, voyage, zone

OLD, NEW, THIRD, LATER = 352001870, 457300610, 616000333, 563000444
SHIP: dict[str, Any] = {
    "imo": 2000004,
    "name": "PALE HERON",
    "call_sign": "3EAB7",
    "ship_type": 70,
    "length_m": 169.0,
    "beam_m": 26.0,
}
SMALLER = {"length_m": 99.0, "beam_m": 16.0}
HERE, NEAR, ANTIPODE = (30.0, 122.0), (26.4, 120.5), (-30.0, -58.0)


def found(*spells: dict[str, Any], detector: Identity | None = None, **tables: Any) -> list[Finding]:
    findings = (detector or Identity()).detect(scene(identities=list(spells), **tables))
    return [one for one in findings if one.kind == "revived_identity"]


def before(mmsi: int = OLD, **said: Any) -> dict[str, Any]:
    """What was said until day 10."""
    return spell(mmsi, at(0), at(10), **{"segment_id": "first", "hull_id": "one", "place": HERE, **SHIP, **said})


def after(mmsi: int = OLD, day: float = 26.0, **said: Any) -> dict[str, Any]:
    """What was said again from some day on."""
    second = {"segment_id": "second", "hull_id": "two", "place": NEAR}
    return spell(mmsi, at(day), at(day + 14), **{**second, **SHIP, **said})


def track(name: str, mmsi: int, start: datetime, end: datetime, **said: Any) -> dict[str, Any]:
    """A row of `segments`."""
    lat, lon = said.pop("place", HERE)
    ends = {"start_lat": lat, "start_lon": lon, "end_lat": lat, "end_lon": lon}
    row = {"segment_id": name, "hull_id": f"hull-{name}", "mmsi": mmsi, "start": start, "end": end, "n_positions": 500}
    return {**row, **ends, **said}


def link(source: str, target: str, mmsi: int, other: int, ended: datetime, began: datetime, p: float, **said: Any):
    """A row of `hull_links`."""
    return {
        "link_id": f"{source}-{target}",
        "from_segment_id": source,
        "to_segment_id": target,
        "from_mmsi": mmsi,
        "to_mmsi": other,
        "ended": ended,
        "began": began,
        "from_silence": False,
        "to_silence": False,
        "probability": p,
        "is_strong": p >= 0.8,
        "n_rivals": 0,
        "rivals": [],
        "evidence": [],
        **said,
    }


def lines(finding: Finding) -> dict[str, str]:
    return {line.what: line.observed for line in finding.evidence}


def test_a_scrapped_identity_on_a_smaller_hull_is_found_and_explained() -> None:
    ship = [
        before(destination="BREAKERS ZHOUSHAN"),
        after(ship_type=80, destination=None, **SMALLER),
    ]
    voyages = [
        voyage(OLD, at(0), at(10), segment_id="first", hull_id="one"),
        voyage(OLD, at(26), at(33), segment_id="second", hull_id="two"),
        voyage(OLD, at(33), at(40), segment_id="second", hull_id="two"),
    ]
    told = found(*ship, voyages=voyages)
    assert [one.voyage_id for one in told] == [row["voyage_id"] for row in voyages[1:]]
    one = told[0]
    assert one.strength >= 0.8
    assert (one.mmsi, one.other_mmsi, one.start) == (OLD, (), at(26))
    assert (one.lat, one.lon) == NEAR
    assert lines(one)["length and beam claimed"] == "169 by 26 before, 99 by 16 after"
    assert lines(one)["class of ship claimed"] == "cargo before, tanker after"
    assert "BREAKERS ZHOUSHAN" in lines(one)["breakers' yard"]
    assert lines(one)["silence between"] == "16.0"
    assert "26.4000 N" in lines(one)["heard again"]
    assert "IMO number 2000004" in lines(one)["what came back"]
    assert one.headline == (
        "PALE HERON (MMSI 352001870), unheard for 16.0 days, was heard again "
        "as a hull of 99 by 16 m, 169 by 26 m before."
    )


def test_an_imo_number_and_name_under_another_mmsi_on_another_hull_is_found() -> None:
    (one,) = found(before(), after(NEW, **SMALLER))
    assert (one.mmsi, one.other_mmsi, one.strength) == (NEW, (OLD,), 0.65)
    assert "IMO number 2000004 of PALE HERON (MMSI 352001870)" in one.headline


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (before(), after()),  # lay-up, season, out of reach
        (before(), after(NEW)),  # a new flag
        (before(), after(NEW, name="STORM PETREL", call_sign="9V2ABC")),  # sold, renamed and reflagged
        (before(), after(length_m=163.0, beam_m=25.0)),  # entered anew
        (before(), after(day=11.0, **SMALLER)),  # no silence: dimension_change tells it
        (before(imo=None), after(imo=2000016, name="STORM PETREL", call_sign="HOAB", **SMALLER)),  # number re-used
        (before(), after(name=None, imo=None, call_sign=None, **SMALLER)),  # nothing of the identity
        (before(), after(length_m=511.0, beam_m=0.0)),
        (before(), after(length_m=30.0, beam_m=31.0)),
        (before(), after(ship_type=30)),  # another class on the same steel: type_change
        (before(), after(beam_m=38.0)),
        (before(transceiver="B"), after(transceiver="B", **SMALLER)),  # a set programmed anew
        (before(name="NET 12-85%", imo=None), after(name="NET 12-80%", imo=None, **SMALLER)),
        (before(ship_type=52), after(ship_type=52, length_m=60.0, beam_m=26.0)),  # a tug without her tow
        (before(imo=2000002), after(NEW, imo=2000002, **SMALLER)),  # fails its check digit
        (before(), after(n_reports=2, **SMALLER)),
        (before(destination="CHITTAGONG"), after()),
        (before(destination="ALANG"), after()),  # bought back, the same hull
    ],
)
def test_lawful_silences_and_bad_data_stay_quiet(early: dict[str, Any], late: dict[str, Any]) -> None:
    assert found(early, late) == []


@pytest.mark.parametrize("mmsi", [0, 123456789, 352000000])
def test_numbers_typed_to_fill_the_field_are_no_identity(mmsi: int) -> None:
    assert found(before(mmsi), after(mmsi, **SMALLER)) == []


def test_lengthening_takes_a_yard_and_time_and_is_weak_then() -> None:
    longer = {"length_m": 205.0}
    (soon,) = found(before(), after(**longer))
    (late,) = found(before(), after(day=60.0, **longer))
    assert (soon.strength, late.strength) == (0.3, 0.1)
    assert any("lengthened" in caveat for caveat in late.caveats)
    (shorter,) = found(before(), after(day=60.0, length_m=120.0))
    assert shorter.strength == 0.3


def test_an_impossible_distance_is_found_and_a_far_one_in_time_is_not() -> None:
    """Eleven thousand miles: eighteen days at twenty-five knots."""
    (one,) = found(before(), after(NEW, day=20.0, place=ANTIPODE))
    assert one.strength == 0.75
    assert "kn" in {line.unit for line in one.evidence}
    assert found(before(), after(NEW, day=40.0, place=ANTIPODE)) == []


def test_a_number_that_came_back_alone_counts_half() -> None:
    (whole,) = found(before(), after(NEW, **SMALLER))
    (alone,) = found(before(), after(NEW, name="STORM PETREL", call_sign="9V2ABC", **SMALLER))
    assert alone.strength == pytest.approx(whole.strength / 2)
    assert any("mistyped" in caveat for caveat in alone.caveats)


def test_class_set_and_habits_add_to_a_size() -> None:
    tracks = [
        track("first", OLD, at(0), at(10), cruise_kn=16.0, median_interval_s=20.0),
        track("second", OLD, at(26), at(40), place=NEAR, cruise_kn=9.0, median_interval_s=400.0),
    ]
    (plain,) = found(before(), after(**SMALLER))
    (one,) = found(before(), after(ship_type=30, transceiver="B", **SMALLER), segments=tracks)
    assert one.strength > plain.strength
    assert {"class of the set", "speed under way, median", "time between reports, median"} <= set(lines(one))
    assert found(before(), after(transceiver="B"), segments=tracks) == []


def test_a_track_heard_meanwhile_is_no_silence() -> None:
    tracks = [track("first", OLD, at(0), at(40))]
    assert found(before(), after(segment_id="first", **SMALLER), segments=tracks) == []
    silent = [{"segment_id": "first", "mmsi": OLD, "start": at(11), "end": at(25)}]
    (one,) = found(before(), after(segment_id="first", **SMALLER), segments=tracks, silences=silent)
    assert lines(one)["silence between"] == "14.0"
    brief = [{"segment_id": "first", "mmsi": OLD, "start": at(11), "end": at(16)}]
    assert found(before(), after(segment_id="first", **SMALLER), segments=tracks, silences=brief) == []


def test_the_old_ship_going_on_without_its_number_is_no_silence() -> None:
    goes_on = spell(OLD, at(10), at(24), **{**SHIP, "imo": None, "segment_id": "first", "place": HERE})
    assert found(before(), goes_on, after(NEW, **SMALLER)) == []


def test_a_breakers_yard_needs_but_a_day_and_something_of_the_hull() -> None:
    early, late = before(destination="ALANG"), after(day=13.0, **SMALLER)
    (one,) = found(early, late)
    assert one.strength > 0.8
    assert found(before(), late) == []
    assert found(before(destination="ALIAGA"), late)[0].strength < one.strength
    (beam,) = found(before(destination="FOR SCRAP"), after(beam_m=38.0))
    assert "after it was last heard bound for" in beam.headline


def test_a_breakers_yard_is_known_by_its_tag() -> None:
    zones = (zone("IN_ALANG", tags=frozenset({"breakers"})), zone("KR_BUSAN"))
    visits = [stay(OLD, "IN_ALANG", at(8), None, last_seen=at(10))]
    past = history(identities=[before(), after(**SMALLER)], port_visits=visits)
    kinds = [one for one in Identity().detect(scene(past, zones=zones)) if one.kind == "revived_identity"]
    assert "in In_Alang" in lines(kinds[0])["breakers' yard"]


def test_an_old_hull_that_goes_on_under_another_number_is_found_on_equal_sizes() -> None:
    """A silence within one track: the hull is linked to a third number that is still heard when the first wakes."""
    spells = [
        spell(OLD, at(0), at(40), **{**SHIP, "segment_id": "first"}),
        spell(THIRD, at(11), at(40), name="STORM PETREL", segment_id="third"),
    ]
    tracks = [track("first", OLD, at(0), at(40)), track("third", THIRD, at(11), at(40))]
    silent = [{"segment_id": "first", "mmsi": OLD, "start": at(10), "end": at(26)}]
    went = link("first", "third", OLD, THIRD, at(10), at(11), 0.9, from_silence=True, to_name="STORM PETREL")
    tables = {"segments": tracks, "silences": silent}
    (one,) = found(*spells, hull_links=[went], **tables)
    assert one.strength == pytest.approx(0.675)
    assert one.other_mmsi == (THIRD,)
    assert "goes on as STORM PETREL (MMSI 616000333)" in one.headline
    assert found(*spells, **tables) == []
    assert found(*spells, hull_links=[{**went, "probability": 0.3}], **tables) == []
    back = link("third", "first", THIRD, OLD, at(25), at(26), 0.9, to_silence=True)
    assert found(*spells, hull_links=[went, back], **tables) == []


def test_a_hull_gone_on_and_silent_since_settles_nothing() -> None:
    spells = [spell(OLD, at(0), at(40), **{**SHIP, "segment_id": "first"})]
    tracks = [track("first", OLD, at(0), at(40)), track("third", THIRD, at(11), at(20))]
    silent = [{"segment_id": "first", "mmsi": OLD, "start": at(10), "end": at(26)}]
    went = link("first", "third", OLD, THIRD, at(10), at(11), 0.9, from_silence=True)
    assert found(*spells, hull_links=[went], segments=tracks, silences=silent) == []


def test_a_hull_that_had_borne_another_number_is_found_behind_a_returned_one() -> None:
    late = after(NEW)
    tracks = [
        track("first", OLD, at(0), at(10)),
        track("other", THIRD, at(0), at(25)),
        track("second", NEW, at(26), at(40)),
    ]
    came = link("other", "second", THIRD, NEW, at(25), at(26), 0.8, from_name="DUNLIN")
    (one,) = found(before(), late, segments=tracks, hull_links=[came])
    assert "on a hull that had been DUNLIN (MMSI 616000333)" in one.headline
    assert one.other_mmsi == (OLD, THIRD)
    reflagged = link("first", "second", OLD, NEW, at(10), at(26), 0.95)
    assert found(before(), late, segments=tracks, hull_links=[reflagged]) == []


def test_small_craft_count_less() -> None:
    small = {"imo": None, "length_m": 45.0, "beam_m": 12.0}
    (one,) = found(before(**small), after(**{**small, "length_m": 24.0, "beam_m": 6.0}))
    assert one.strength == pytest.approx(0.26)


def test_sizes_that_take_turns_are_one_hull() -> None:
    turns = spell(OLD, at(8), at(10), **{**SHIP, **SMALLER, "segment_id": "first", "place": HERE})
    assert found(before(), turns, after()) == []
    assert found(before(), turns, after(**SMALLER)) == []


def test_thousands_under_one_number_and_one_imo_number_cost_little_and_say_nothing() -> None:
    many = [
        spell(mmsi, at(day), at(day + 1), imo=2000004, name=f"S{i}", length_m=20.0 + i % 200, beam_m=5.0 + i % 30)
        for i in range(1500)
        for mmsi, day in ((123456789, (i * 9) % 200), (273000100 + i, (i * 11) % 200))
    ]
    assert found(*many) == []


def kinds(*spells: dict[str, Any], **tables: Any) -> list[tuple[str, int]]:
    findings = Identity().detect(scene(identities=list(spells), **tables))
    return [(one.kind, one.mmsi) for one in findings if one.kind in ("flag_change", "revived_identity")]


def test_a_revived_identity_is_no_change_of_flag() -> None:
    assert kinds(before(), after(NEW)) == [("flag_change", NEW)]
    assert kinds(before(), after(NEW, **SMALLER)) == [("revived_identity", NEW)]
    sails = voyage(NEW, at(29), at(40), hull_id="two", segment_id="second")
    assert kinds(before(), after(NEW, **SMALLER), voyages=[sails]) == [("revived_identity", NEW)]


def test_other_changes_of_flag_beside_a_revived_identity_are_still_told() -> None:
    bought = spell(THIRD, at(0), at(10), **{**SHIP, "imo": 2000016, "name": "STORM PETREL", "call_sign": "D6AB7"})
    sold = spell(LATER, at(11), at(40), **{**SHIP, "imo": 2000016, "name": "STORM PETREL", "call_sign": "9V2AB"})
    told = kinds(before(), after(NEW, **SMALLER), bought, sold)
    assert told == [("flag_change", LATER), ("revived_identity", NEW)]
