"""The position detector: what each kind of odd position weighs, what makes it weigh less, and its laws."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.rules.position.detector import Position
from detectors.scenes import TABLES, empty_scene
from detectors.testing import check_detector
from tests.detectors.histories import at, scene, spell
from tests.vessels.builders import ALPHA, BRAVO, T0, H, lie
from tests.vessels.odd_tracks import StripLand, box, odd, steamed

SHIP, OTHER = 341001870, 352001870
TANKER = {"name": "PALE HERON", "imo": 2000004, "ship_type": 80}
HERE, FAR = (33.0, 124.0), (35.0, 124.0)


def event(kind: str, start: float = 10.0, hours: float = 2.0, **said: Any) -> dict[str, Any]:
    """A row of `position_events`: hours after the start of the first day, at one place unless `to` says otherwise."""
    place, to = said.pop("place", HERE), said.pop("to", said.get("place", HERE))
    mmsi = said.pop("mmsi", SHIP)
    return {
        "event_id": f"{kind}-{mmsi}-{start}",
        "kind": kind,
        "mmsi": mmsi,
        "segment_id": f"segment-{mmsi}",
        "hull_id": f"hull-{mmsi}",
        "start": at(0, start),
        "end": at(0, start + hours),
        **dict(zip(("start_lat", "start_lon", "end_lat", "end_lon"), (*place, *to), strict=True)),
        "duration_h": hours,
        "n_positions": 20,
        "n_others": 0,
        **said,
    }


def jump(start: float = 10.0, hours: float = 2.0, **said: Any) -> dict[str, Any]:
    said = {"distance_nmi": 120.0, "implied_speed_kn": 900.0, "came_back": True, **said}
    return event("jump", start, hours, **said)


def leap(start: float = 10.0, hours: float = 0.2, **said: Any) -> dict[str, Any]:
    return jump(start, hours, **{"to": FAR, "n_positions": 2, "came_back": False, **said})


def laps(hours: float = 200.0, **said: Any) -> dict[str, Any]:
    said = {"distance_nmi": 6.0 * hours, "implied_speed_kn": 6.0, "residual_m": 5.0, **said}
    return event("laps", 10.0, hours, **said)


def constant(hours: float = 24.0, **said: Any) -> dict[str, Any]:
    said = {"residual_m": 1.0, "usual_residual_m": 30.0, "distance_nmi": 10 * hours, "implied_speed_kn": 10.0, **said}
    return event("constant", 10.0, hours, **said)


def replay(hours: float = 12.0, lag_h: float = 300.0, **said: Any) -> dict[str, Any]:
    origin = {"replayed_from": at(0, 10.0 - lag_h), "replayed_mmsi": OTHER, "residual_m": 0.0, "distance_nmi": 140.0}
    return event("replay", 10.0, hours, **{**origin, **said})


def on_land(hours: float = 5.0, **said: Any) -> dict[str, Any]:
    """50 nmi due north in five hours, from sea to sea."""
    said = {"implied_speed_kn": 10.0, "distance_nmi": 20.0, "crosses_land": True, **said}
    return event("on_land", 10.0, hours, **{"to": (33.0 + hours / 6.0, 124.0), **said})


def scene_of(*events: dict[str, Any], **ship: Any) -> Scene:
    spells = [spell(mmsi, at(-20), at(30), **{**TANKER, **ship}) for mmsi in {one["mmsi"] for one in events}]
    return scene(position_events=list(events), identities=spells)


def found(*events: dict[str, Any], detector: Position | None = None, **ship: Any) -> list[Finding]:
    return list((detector or Position()).detect(scene_of(*events, **ship)))


def strength(*events: dict[str, Any], detector: Position | None = None, **ship: Any) -> float:
    """The greatest strength, 0 where nothing is found."""
    return max((one.strength for one in found(*events, detector=detector, **ship)), default=0.0)


EVERYTHING = (
    leap(20.0),
    event("held", 12.0, 8.0),
    jump(40.0, mmsi=OTHER),
    event("speed", 50.0, 0.0, implied_speed_kn=102.2),
    event("held", 70.0, 9.0, mmsi=OTHER),
    on_land(mmsi=412000333),
    laps(),
    constant(mmsi=412000333),
    replay(),
)


def test_it_keeps_the_laws_while_it_makes_every_kind():
    made = check_detector(Position(), scene_of(*EVERYTHING))
    assert {one.kind for one in made} == set(Position.kinds)
    assert len(made) == len(EVERYTHING) - 1


def test_it_keeps_the_laws_on_the_common_scene():
    check_detector(Position())


def test_nothing_is_found_in_tables_of_nulls():
    bare = empty_scene()
    nulls = {name: pa.table({c.name: pa.nulls(3, c.type) for c in t.columns}) for name, t in TABLES.items()}
    assert not Position().detect(replace(bare, history=replace(bare.history, **nulls)))


@pytest.mark.parametrize("kind", ["jump", "held", "speed", "on_land", "laps", "constant", "replay"])
def test_rows_that_lack_all_measures_are_survived(kind):
    bare = {name: event(kind)[name] for name in ("event_id", "kind", "mmsi", "start")}
    assert all(one.strength <= 0.5 for one in found(bare))


def test_a_finding_is_tied_to_the_track_and_told_by_name():
    (one,) = found(leap())
    assert (one.segment_id, one.hull_id, one.kind) == (f"segment-{SHIP}", f"hull-{SHIP}", "position_jump")
    assert "PALE HERON" in one.headline and one.caveats


def test_a_shift_of_time_changes_no_strength():
    later = [{**one, **{k: one[k] + timedelta(days=9) for k in ("start", "end")}} for one in (leap(), laps())]
    assert sorted(one.strength for one in found(*later)) == sorted(one.strength for one in found(leap(), laps()))


# -- jumps


def test_a_jump_alone_is_weak_and_the_farther_the_odder():
    ordered = [strength(jump(distance_nmi=d)) for d in (6.0, 20.0, 60.0, 120.0, 2000.0)]
    assert ordered == sorted(ordered) and ordered[-1] == ordered[-2] == 0.3


def test_a_glitch_is_nothing():
    assert found(jump(hours=0.0, n_positions=1, distance_nmi=4000.0)) == []
    assert found(jump(hours=0.3, n_positions=10)) == []


def test_a_short_leap_for_good_is_no_glitch():
    assert strength(leap()) == 0.3


def test_two_damaged_reports_far_from_each_other_are_glitches():
    assert found(jump(n_positions=2, to=FAR)) == []


def test_sailing_on_off_her_way_for_a_day_weighs_more_than_any_fault_does():
    stayed = [strength(jump(hours=h, n_positions=60)) for h in (2.0, 6.0, 12.0, 24.0, 100.0)]
    assert stayed == sorted(stayed) and stayed[:2] == [0.3, 0.3] and stayed[-2:] == [0.75, 0.75]
    assert strength(jump(hours=48.0, n_positions=4)) == 0.3, "four reports in two days show no way that was sailed"
    assert strength(jump(hours=48.0, n_positions=60, came_back=None)) == 0.3


def test_many_ships_that_jump_leave_next_to_nothing_to_each():
    assert strength(jump(n_others=1)) == pytest.approx(0.075)
    assert found(jump(n_others=5)) == []


def test_a_faulty_set_jumps_often():
    jumps = [jump(10.0 + 30 * n) for n in range(4)]
    assert strength(*jumps[:3]) == 0.3
    assert strength(*jumps) == pytest.approx(0.06)


def test_a_position_held_before_the_leap_is_told_with_it_and_makes_it_weaker():
    (one,) = found(event("held", 2.0, 8.0), leap(10.0))
    assert one.strength == pytest.approx(0.24)
    assert any("antenna" in caveat and "falsification" in caveat for caveat in one.caveats)


def test_a_leap_over_a_long_silence_weighs_half():
    assert strength(leap(hours=20.0)) == pytest.approx(0.15)


def test_a_position_held_alone_is_told_weakly():
    (one,) = found(event("held", 2.0, 8.0))
    assert 0.05 <= one.strength <= 0.1 and one.kind == "position_jump"


def test_sudden_speeds_of_a_track_are_one_weak_finding():
    (one,) = found(*(event("speed", 10.0 * n, 0.0, implied_speed_kn=60.0 + n) for n in range(1, 4)))
    assert 0.05 <= one.strength <= 0.1 and "63.0 kn" in one.headline


# -- land


def test_a_straight_way_over_land_is_odd_and_the_longer_the_odder():
    assert 0.5 <= strength(on_land(2.0)) < strength(on_land(3.5)) < strength(on_land(10.0)) <= 0.75


@pytest.mark.parametrize(
    "lawful",
    [
        {"crosses_land": False},
        {"implied_speed_kn": 12.0},
        {"n_others": 2},
        {"hours": 1.0},
        {"crosses_land": None},
    ],
    ids=["a river port", "a river's bends", "a waterway", "a neck of land", "not known"],
)
def test_who_sails_inland_is_not_odd(lawful):
    assert found(on_land(**lawful)) == []


def test_one_other_ship_there_halves_it():
    assert strength(on_land(n_others=1)) == pytest.approx(strength(on_land()) / 2)


def test_a_jump_that_leads_inland_is_told():
    inland = on_land(crosses_land=False)
    (one,) = [f for f in found(inland, leap(9.0)) if f.kind == "position_on_land"]
    assert one.strength == pytest.approx(0.2), "the jump is told for itself; both together flag nobody"
    sailed = jump(9.0, 30.0, n_positions=60, segment_id="the track she left")
    (one,) = [f for f in found(inland, sailed) if f.kind == "position_on_land"]
    assert one.strength == pytest.approx(0.5)
    assert one.segment_id == "the track she left"
    assert [f for f in found(inland, leap(1.0)) if f.kind == "position_on_land"] == []
    for lawful in (leap(9.0, n_others=6), leap(9.0, distance_nmi=6.0), jump(9.0, 0.0, n_positions=1)):
        assert [f for f in found(inland, lawful) if f.kind == "position_on_land"] == []


@pytest.mark.parametrize(
    ("made", "name"),
    [(jump, "distance_nmi"), (jump, "implied_speed_kn"), (laps, "residual_m"), (constant, "residual_m")],
)
def test_an_event_without_the_number_it_is_judged_by_is_left_out(made, name):
    assert found(made())
    assert found(made(**{name: None})) == []


# -- drawn tracks


def test_days_of_laps_are_as_odd_as_can_be_and_a_day_half():
    assert strength(laps(200.0)) == 1.0
    assert strength(laps(24.0)) == pytest.approx(0.5)
    assert strength(laps(12.0)) == pytest.approx(0.25)


@pytest.mark.parametrize("ship_type", [33, 50, 55, 35, 60, 52, 30, 36])
def test_who_goes_round_by_trade_is_weak(ship_type):
    (one,) = found(laps(), ship_type=ship_type)
    assert one.strength == pytest.approx(0.3)
    assert any("by trade" in caveat for caveat in one.caveats)


def test_constant_motion_is_judged_by_what_is_usual():
    assert strength(constant(usual_residual_m=1.2)) == 0.0
    assert strength(constant(usual_residual_m=3.0)) < strength(constant(usual_residual_m=30.0))
    assert strength(constant(usual_residual_m=None)) == pytest.approx(strength(constant()) / 2)


def test_longer_constant_motion_is_odder():
    assert strength(constant(6.0)) < strength(constant(24.0)) < strength(constant(48.0)) == strength(constant(99.0))


@pytest.mark.parametrize("make", [laps, constant, replay])
def test_what_others_nearby_show_too_is_the_feed_s(make):
    assert strength(make(n_others=1)) == pytest.approx(strength(make()) / 4, abs=1e-3)
    assert found(make(n_others=5)) == []


def test_a_replay_names_whose_track_it_was():
    (one,) = found(replay())
    assert one.other_mmsi == (OTHER,) and str(OTHER) in one.headline
    assert one.strength == pytest.approx(0.9)


def test_her_own_rows_delivered_again_within_a_day_are_weak():
    own = {"replayed_mmsi": SHIP}
    assert strength(replay(lag_h=20.0, **own)) < 0.2 < strength(replay(lag_h=200.0, **own))
    assert found(replay(**own))[0].other_mmsi == ()


# -- from rows to findings


def from_rows(*files: list[dict[str, Any]], land: Any = None) -> list[Finding]:
    """Findings on the events of some rows."""
    events = odd(*files, land=land)
    ships = {row["mmsi"] for file in files for row in file}
    spells = [spell(mmsi, T0, T0 + timedelta(days=30), **TANKER) for mmsi in sorted(ships)]
    return list(Position().detect(scene(position_events=events, identities=spells)))


NOISE = {"error_m": 5.0, "sway_m": 30.0, "slip": 0.03}
PASSAGE = steamed([(0.0, 0.0), (0.0, 300.0)], **NOISE)


def test_a_painted_track_that_ends_in_a_leap_is_told_as_both():
    painted = steamed(box(16), kn=6.0, error_m=5.0, slip=0.02)
    real = steamed([(400.0, 0.0), (300.0, 0.0)], t=painted[-1]["t"] + 900.0, **NOISE)
    kinds = {one.kind: one.strength for one in from_rows(painted + real)}
    assert kinds == {"drawn_track": 1.0, "position_jump": 0.3}


def test_jamming_of_a_fleet_is_nobody_s():
    fleet = []
    for n in range(8):
        rows = steamed([(3.0 * n, 0.0), (3.0 * n, 200.0)], mmsi=ALPHA + n, **{**NOISE, "seed": n})
        hit = [(1 if (i * 7 + n) % 3 == 0 and 8 * H <= row["t"] < 11 * H else 0) for i, row in enumerate(rows)]
        thrown = [{**r, "lat": r["lat"] + h * 0.3, "lon": r["lon"] - h * 0.2} for r, h in zip(rows, hit, strict=True)]
        fleet.append(thrown)
    assert len([one for one in odd(*fleet) if one["kind"] == "jump"]) >= 8
    assert from_rows(*fleet) == []


def test_a_stuck_receiver_is_told_weakly():
    start = PASSAGE[120]
    held = {"lat": start["lat"], "lon": start["lon"], "sog": 0.0}
    rows = [{**row, **held} if 120 <= i < 330 else row for i, row in enumerate(PASSAGE)]
    (one,) = from_rows(rows)
    assert one.kind == "position_jump" and one.strength <= 0.25


def test_a_river_barge_alone_in_the_file_is_not_odd():
    """Bends, from the sea to a berth inland and back."""
    bends = [(4.0 * (n % 2), 5.0 * n) for n in range(20)]
    up = steamed(bends, kn=6.0, **NOISE)
    berth = lie(ALPHA, up[-1]["t"] + 60.0, (up[-1]["lat"], up[-1]["lon"]), 10.0)
    down = steamed(bends[::-1], t=berth[-1]["t"] + 60.0, kn=8.0, **NOISE)
    rows = [*up, *berth, *down]
    land = StripLand(124.3, 140.0)
    assert [one["kind"] for one in odd(rows, land=land)] == ["on_land"]
    assert from_rows(rows, land=land) == []


def test_an_empty_sea_and_one_report_are_quiet():
    assert from_rows([PASSAGE[0]]) == []
    assert from_rows(PASSAGE[:2], [{**PASSAGE[0], "mmsi": BRAVO}]) == []


# -- parameters

BITES: dict[str, tuple[float, tuple[dict[str, Any], ...]]] = {
    "min_strength": (0.5, (leap(),)),
    "jump_from_nmi": (60.0, (leap(distance_nmi=80.0),)),
    "jump_full_nmi": (1000.0, (leap(),)),
    "glitch_reports": (50, (jump(),)),
    "glitch_h": (3.0, (jump(),)),
    "sustained_h": (100.0, (jump(hours=24.0, n_positions=40),)),
    "leap_full_h": (1.0, (leap(hours=2.0),)),
    "noisy_jumps": (2, (leap(), leap(40.0))),
    "straight_nmi": (80.0, (on_land(),)),
    "straight_share": (0.5, (on_land(implied_speed_kn=15.0),)),
    "land_others": (4, (on_land(n_others=3),)),
    "land_jump_h": (48.0, (on_land(crosses_land=False), leap(40.0))),
    "laps_full_h": (400.0, (laps(),)),
    "constant_full_h": (200.0, (constant(),)),
    "even_ratio": (90.0, (constant(),)),
    "replay_full_h": (48.0, (replay(),)),
    "late_h": (500.0, (replay(replayed_mmsi=SHIP),)),
}


def test_each_parameter_is_tried_here():
    assert set(BITES) == set(Position.model_fields)


@pytest.mark.parametrize("name", sorted(BITES))
def test_each_parameter_bites(name):
    value, events = BITES[name]
    assert found(*events, detector=Position(**{name: value})) != found(*events)


@pytest.mark.parametrize("name", sorted(BITES))
def test_parameters_out_of_bounds_fail_at_construction(name):
    with pytest.raises(ValidationError):
        Position(**{name: -1})
