"""One number on two ships, and one ship under two numbers: positions decide which it is."""

from datetime import timedelta
from typing import Any

import pytest

from detectors.finding import Finding
from detectors.rules.identity.detector import Identity
from tests.detectors.histories import at, sailed, scene, spell, stay, voyage

OLD, NEW = 352001870, 457300610
SHIP: dict[str, Any] = {"imo": 2000004, "name": "PALE HERON", "ship_type": 70, "length_m": 120.0}
HERE, THERE = (35.0, 130.0), (10.0, 105.0)


def found(kind: str, *spells: dict[str, Any], detector: Identity | None = None, **tables: Any) -> list[Finding]:
    findings = (detector or Identity()).detect(scene(identities=list(spells), **tables))
    return [one for one in findings if one.kind == kind]


def twins(place: tuple[float, float], **said: Any) -> list[dict[str, Any]]:
    return [spell(OLD, at(0), at(5), place=HERE, **SHIP), spell(NEW, at(1), at(6), place=place, **{**SHIP, **said})]


def tracks(place: tuple[float, float]) -> list[dict[str, Any]]:
    return sailed(OLD, at(0), 120, HERE, HERE) + sailed(NEW, at(1), 120, place, place)


def test_one_imo_number_in_two_places_at_once_is_a_twin() -> None:
    one = found("imo_twin", *twins(THERE), sketches=tracks(THERE))
    assert [(f.mmsi, f.other_mmsi, f.strength) for f in one] == [(NEW, (OLD,), 0.85)]
    assert one[0].start == at(1)
    assert "2000004" in one[0].headline


def test_a_twin_is_found_without_sketches_from_the_ends_of_the_claims() -> None:
    assert found("imo_twin", *twins(THERE))[0].strength >= 0.6


def test_one_imo_number_in_one_place_is_two_sets_and_quiet() -> None:
    one = found("imo_twin", *twins(HERE), sketches=tracks(HERE))
    assert max(f.strength for f in one) <= 0.3
    same_flag = [spell(OLD, at(0), at(5), **SHIP), spell(OLD + 1, at(1), at(6), **SHIP)]
    quiet = found(
        "imo_twin",
        *same_flag,
        sketches=sailed(OLD, at(0), 120, HERE, HERE) + sailed(OLD + 1, at(1), 120, HERE, HERE),
    )
    assert [f.strength for f in quiet] == [0.05]


@pytest.mark.parametrize(("hours", "torn"), [(1.0, True), (60.0, False)])
def test_what_one_ship_can_sail_in_the_time_is_no_twin(hours: float, torn: bool) -> None:
    """Twenty degrees of latitude are 1,200 miles: 30 hours at 40 knots."""
    first = spell(OLD, at(0), at(1), place=(10.0, 130.0), **SHIP)
    second = spell(NEW, at(1, hours), at(4), place=(30.0, 130.0), **SHIP)
    assert bool(found("imo_twin", first, second)) is torn


def test_an_invalid_number_under_two_mmsi_is_no_twin() -> None:
    assert not found("imo_twin", *[{**row, "imo": 2000002} for row in twins(THERE)])


def test_a_number_said_once_is_weak() -> None:
    first, second = twins(THERE)
    one = found("imo_twin", first, {**second, "last_seen": second["first_seen"], "n_reports": 1})
    assert one[0].strength <= 0.25


def test_an_imo_number_typed_by_many_sets_is_one_weak_finding() -> None:
    spells = [spell(273000100 + i, at(0), at(5), place=(i * 2.0, 100.0 + i), **SHIP) for i in range(50)]
    one = found("imo_twin", *spells)
    assert len(one) == 1
    assert one[0].strength <= 0.1
    assert len(one[0].other_mmsi) == 49


def test_three_ships_under_one_number_are_told_of_each_newer_one() -> None:
    third = spell(636000111, at(2), at(6), place=(-30.0, 20.0), **SHIP)
    one = found("imo_twin", *twins(THERE), third)
    assert {(f.mmsi, f.other_mmsi) for f in one} == {(NEW, (OLD,)), (636000111, (OLD, NEW))}


def reflagged(gap_h: float = 6.0, mmsi: int = NEW, **said: Any) -> list[dict[str, Any]]:
    return [spell(OLD, at(-60), at(5), **SHIP), spell(mmsi, at(5, gap_h), at(60), **{**SHIP, **said})]


def test_a_lawful_change_of_flag_in_port_is_weak_and_no_twin() -> None:
    visits = [stay(OLD, "KR_BUSAN", at(4), at(5)), stay(NEW, "KR_BUSAN", at(5, 6), at(6))]
    one = found("flag_change", *reflagged(), port_visits=visits)
    assert [(f.mmsi, f.other_mmsi, f.strength) for f in one] == [(NEW, (OLD,), 0.12)]
    assert not found("imo_twin", *reflagged(), port_visits=visits)


def test_a_change_of_flag_at_sea_or_around_a_watched_call_is_strong() -> None:
    under_way = sailed(OLD, at(4), 24, HERE, (36.0, 133.0)) + sailed(NEW, at(5, 6), 24, (36.0, 134.0), (37.0, 139.0))
    assert found("flag_change", *reflagged(), sketches=under_way)[0].strength > 0.5
    called = [stay(OLD, "KP_NAMPO", at(1), at(3)), stay(NEW, "KR_BUSAN", at(5), at(6))]
    assert found("flag_change", *reflagged(), port_visits=called)[0].strength > 0.6


def test_flags_changed_in_quick_succession_are_stronger() -> None:
    spells = [spell(mmsi, at(20 * i), at(20 * i + 18), **SHIP) for i, mmsi in enumerate((OLD, NEW, 636000111))]
    one = found("flag_change", *spells)
    assert [f.strength > 0.4 for f in sorted(one, key=lambda f: f.start)] == [False, True]
    patient = found("flag_change", *spells, detector=Identity(hopping_days=5))
    assert max(f.strength for f in patient) < 0.4


@pytest.mark.parametrize(
    ("mmsi", "note"), [(OLD + 5, "the same digits"), (371000222, "another of Panama's digits"), (365000111, "no state")]
)
def test_a_new_mmsi_of_the_same_or_no_state_is_no_change_of_flag(mmsi: int, note: str) -> None:
    assert not found("flag_change", *reflagged(mmsi=mmsi)), note


def test_two_mmsi_heard_together_for_long_are_no_change_of_flag() -> None:
    assert not found("flag_change", *reflagged(gap_h=-72.0))
    assert found("flag_change", *reflagged(gap_h=-6.0))


def vessel(mmsi: int, alternations: int, separation_nmi: float, **said: Any) -> dict[str, Any]:
    return {
        "mmsi": mmsi,
        "first_seen": at(0),
        "last_seen": at(10),
        "n_positions": 1000,
        "n_segments": 2,
        "n_noise": 0,
        "n_alternations": alternations,
        "max_separation_nmi": separation_nmi,
        "overlap_start": at(1),
        "overlap_end": at(9),
        **said,
    }


def shared(row: dict[str, Any], imo: tuple[int | None, int | None] = (2000004, 2000016), **said: Any) -> list[Finding]:
    spells = [
        spell(
            row["mmsi"],
            at(0),
            at(10),
            **{**SHIP, "imo": imo[i], "segment_id": f"s{i}", "hull_id": f"h{i}", "name": ("AUK", "BITTERN")[i], **said},
        )
        for i in (0, 1)
    ]
    return found("shared_mmsi", *spells, vessels=[row])


def test_a_shared_mmsi_grows_with_alternations_and_distance() -> None:
    little, often, far = (shared(vessel(OLD, n, d))[0].strength for n, d in ((3, 12.0), (100, 12.0), (100, 300.0)))
    assert 0.1 < little < often < far <= 0.6
    assert shared(vessel(OLD, 40, 100.0))[0].start == at(1)


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (vessel(OLD, 2, 300.0), "a jump and back"),
        (vessel(OLD, 40, 5.0), "side by side"),
        (vessel(OLD, 40, 300.0, overlap_start=None, overlap_end=None), "one after the other"),
    ],
)
def test_tracks_that_do_not_take_turns_far_apart_are_not_shared(row: dict[str, Any], note: str) -> None:
    assert not shared(row), note


def test_two_tracks_for_some_hours_a_few_miles_apart_are_weak_even_with_one_imo_number() -> None:
    """As where satellite positioning is disturbed: a third of the positions are miles wrong for hours."""
    row = vessel(OLD, 200, 14.0, overlap_end=at(1, 4))
    one = shared(row, imo=(2000004, 2000004))[0]
    assert one.strength < 0.2
    assert any("satellite" in caveat for caveat in one.caveats)


def test_one_imo_number_on_both_tracks_is_stronger() -> None:
    row = vessel(OLD, 40, 100.0)
    assert shared(row, imo=(2000004, 2000004))[0].strength > shared(row)[0].strength


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (vessel(0, 4000, 5000.0, n_segments=900), {}),
        (vessel(123456789, 4000, 5000.0), {}),
        (vessel(412000000, 4000, 5000.0), {}),
        (vessel(OLD, 40, 100.0, n_noise=900), {}),
        (vessel(OLD, 40, 100.0, n_segments=40), {}),
        (vessel(OLD, 40, 100.0), {"transceiver": "B"}),
    ],
)
def test_fillers_noise_crowds_and_class_b_are_weak_and_say_why(row: dict[str, Any], said: dict[str, Any]) -> None:
    plain = shared(vessel(OLD, 40, 100.0))[0]
    one = shared(row, **said)[0]
    assert one.strength < plain.strength
    assert one.caveats


def test_voyages_under_a_shared_mmsi_carry_it_each() -> None:
    row = vessel(OLD, 40, 100.0)
    legs = [
        voyage(OLD, at(0), at(4), hull_id="h0", voyage_id="v0"),
        voyage(OLD, at(0), at(6), hull_id="h1", voyage_id="v1"),
        voyage(OLD, at(9, 1), at(10), hull_id="h1", voyage_id="v2"),
    ]
    told = found("shared_mmsi", vessels=[row], voyages=legs)
    assert {f.voyage_id for f in told} == {"v0", "v1"}
    assert len({f.finding_id for f in told}) == 2
    assert all(f.end is not None and f.end - f.start <= timedelta(days=8) for f in told)


def test_ships_torn_in_two_together_for_some_hours_were_disturbed_and_not_borrowed() -> None:
    """A jammer off a port: six ships a few miles from each other alternate between two places for three hours."""
    numbers = [OLD + i for i in range(6)]

    def torn(mmsi: int, place: tuple[float, float]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        own = [spell(mmsi, at(0), at(5), place=place, name=f"HERON {mmsi % 10}", ship_type=70, length_m=120.0)]
        row = {
            "mmsi": mmsi,
            "first_seen": at(0),
            "last_seen": at(5),
            "n_positions": 2000,
            "n_segments": 2,
            "n_noise": 0,
            "n_alternations": 30,
            "max_separation_nmi": 40.0,
            "overlap_start": at(2),
            "overlap_end": at(2, 3),
        }
        return own, row

    def told(places: dict[int, tuple[float, float]]) -> list[Finding]:
        made = {mmsi: torn(mmsi, place) for mmsi, place in places.items()}
        tracks = [
            {"mmsi": mmsi, "segment_id": f"segment-{mmsi}", "hull_id": f"hull-{mmsi}", "start": at(0), "end": at(5)}
            | {"start_lat": place[0], "start_lon": place[1], "n_positions": 1000}
            for mmsi, place in places.items()
        ]
        spells = [one for own, _ in made.values() for one in own]
        return found("shared_mmsi", *spells, vessels=[row for _, row in made.values()], segments=tracks)

    (alone,) = told({OLD: HERE})
    assert alone.strength > 0.05
    assert told({mmsi: (HERE[0] + 0.1 * i, HERE[1]) for i, mmsi in enumerate(numbers)}) == []
    apart = told({mmsi: (HERE[0] - 9.0 * i, HERE[1]) for i, mmsi in enumerate(numbers)})
    assert [one.strength for one in apart] == [alone.strength] * 6
