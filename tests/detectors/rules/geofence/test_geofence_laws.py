"""Laws of the whole detector: order, silence, parameters that bite, shifts of time."""

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest
from pydantic import ValidationError

from detectors.rules.geofence.detector import Geofence
from detectors.scenes import TABLES, empty_scene
from detectors.testing import check_detector


@pytest.fixture
def busy(ship, scene):
    """A scene in which every kind is found."""
    relay = ship().calls("KP_NAMPO", 0, 2).calls("RU_NAKHODKA", 9, 12).calls("KR_BUSAN", 20, 21)
    relay.inside("ECS_STS", 30, 31, slow_h=5.0)
    liar = ship(353001870, "BLUE HERON").calls("RU_VLADIVOSTOK", 0, 2).calls("KP_RAJIN", 4, 5)
    liar.says("VLADIVOSTOK", -5, 1.8).says("RU VYP>KR PUS", 1.9, 9)
    unnamed = ship(445012340, None).inside("KP_NAMPO_ROADS", 3, 4).inside("KP_YALU", 8, 9)
    twin = ship(track="track-2").calls("KP_NAMPO", 0.5, 1.5)
    silent = ship(354001870, "PALE HERON").silent(20, 26, (38.0, 124.3), start_draught_m=8.0, end_draught_m=5.0)
    loader = ship(355001870, "AMBER COMPASS").calls("RU_NAKHODKA", 15, 17, draught=(4.0, 8.0)).calls("KR_ULSAN", 20, 21)
    return scene(relay, liar, unnamed, twin, silent, loader)


def test_it_keeps_the_laws_of_detectors_with_every_kind_found(busy):
    found = check_detector(Geofence(), busy)
    assert {finding.kind for finding in found} == set(Geofence().kinds)


def test_nothing_is_found_in_tables_of_nulls():
    scene = empty_scene()
    nulls = {name: pa.table({c.name: pa.nulls(3, c.type) for c in t.columns}) for name, t in TABLES.items()}
    assert not Geofence().detect(replace(scene, history=replace(scene.history, **nulls)))


def test_rows_that_lack_everything_but_who_where_and_when_are_survived(ship, scene):
    vessel = ship(name=None).calls("KP_NAMPO", 0, 2).calls("RU_NAKHODKA", 9, None).inside("ECS_STS", 20, 21, slow_h=9.0)
    keep = {"mmsi", "zone_id", "start", "confidence", "slow_h", "visit_id", "presence_id"}
    for rows in (vessel.visits, vessel.presences):
        for row in rows:
            row.update({column: None for column in row if column not in keep})
    kinds = {finding.kind for finding in Geofence().detect(scene(vessel))}
    assert "watched_port_call" in kinds


def test_a_zone_the_run_does_not_know_is_passed_over(ship, scene, zones):
    fewer = replace(zones, zones=tuple(zone for zone in zones.zones if zone.zone_id != "KP_NAMPO"))
    vessel = ship().calls("KP_NAMPO", 0, 2)
    assert not Geofence().detect(scene(vessel, zones=fewer))


def test_a_year_later_the_same_is_found(ship, scene):
    def found(days):
        first = ship().first_day + timedelta(days=days)
        vessel = ship(first_day=first).calls("KP_NAMPO", 0, 2).calls("RU_NAKHODKA", 9, 12).calls("KR_BUSAN", 20, 21)
        vessel.says("PUSAN", -5, 40)
        return [(f.kind, f.strength, f.headline) for f in Geofence().detect(scene(vessel, as_of=first + timedelta(90)))]

    assert found(0) == found(365)


def test_renaming_a_ship_changes_nothing_but_her_name(ship, scene):
    def found(name):
        vessel = ship(name=name).calls("KP_NAMPO", 0, 2).calls("RU_NAKHODKA", 9, 12).calls("KR_BUSAN", 20, 21)
        return [(f.kind, f.strength, f.headline.replace(name, "")) for f in Geofence().detect(scene(vessel))]

    assert found("GOLDEN LILY") == found("ROSEWATER")


def kinds_found(detector, scene):
    return sorted((f.kind, f.subject, f.strength) for f in detector.detect(scene))


def leg(ship, *, set_on=1.9, text="BUSAN", reached="KP_NAMPO"):
    vessel = ship().calls("SG_SINGAPORE", 0, 2).calls(reached, 5, 8)
    return vessel.says("SINGAPORE", -5, set_on - 0.1).says(text, set_on, 40)


PARAMETERS_THAT_BITE = {
    "merge_gap_h": (24.0, lambda s: s().calls("KP_NAMPO", 0, 1).calls("KP_NAMPO", 1.9, 3)),
    "neighbour_nmi": (10.0, lambda s: s().calls("KP_NAMPO", 0, 1).calls("KP_SONGNIM", 1.1, 3)),
    "min_presence_h": (0.1, lambda s: s().inside("KP_NAMPO_ROADS", 1, 1.01, lat=38.5, lon=124.625)),
    "min_presence_depth_nmi": (0.1, lambda s: s().inside("KP_NAMPO_ROADS", 1, 1.01, lat=38.5, lon=124.625)),
    "belt_slow_h": (4.0, lambda s: s().inside("ECS_STS", 1, 2, slow_h=5.0)),
    "belt_slow_tied_h": (1.0, lambda s: s(445012340).inside("ECS_STS", 1, 2, slow_h=1.5)),
    "relay_zones": (
        ("RU_VANINO",),
        lambda s: s().calls("KP_RAJIN", 0, 1).calls("RU_VANINO", 3, 4).calls("KR_BUSAN", 9, 10),
    ),
    "relay_origins": (
        ("RU",),
        lambda s: s().calls("KP_RAJIN", 0, 1).calls("RU_NAKHODKA", 3, 4).calls("KR_BUSAN", 9, 10),
    ),
    "market_countries": (
        ("SG",),
        lambda s: s().calls("KP_RAJIN", 0, 1).calls("RU_NAKHODKA", 3, 4).calls("SG_SINGAPORE", 15, 16),
    ),
    "max_relay_leg_days": (
        30.0,
        lambda s: s().calls("KP_RAJIN", 0, 1).calls("RU_NAKHODKA", 25, 26).calls("KR_BUSAN", 30, 31),
    ),
    "max_market_leg_days": (
        60.0,
        lambda s: s().calls("KP_RAJIN", 0, 1).calls("RU_NAKHODKA", 3, 4).calls("KR_BUSAN", 50, 51),
    ),
    "draught_change_m": (0.2, lambda s: s().calls("KP_NAMPO", 0, 1, draught=(5.0, 5.4))),
    "fresh_lead_h": (1.0, lambda s: leg(s, set_on=1.5)),
    "min_declared_h": (0.0, lambda s: leg(s, set_on=4.9)),
    "near_nmi": (0.0, lambda s: leg(s, text="DANDONG", reached="KP_YALU")),
    "berth_nmi": (1.0, lambda s: pairing(s, start=10, end=12, lat=42.8, lon=132.892)),
    "max_reload_days": (60.0, lambda s: pairing(s, start=48, end=49)),
    "onward_days": (2.0, lambda s: leg(s, reached="RU_VLADIVOSTOK").calls("KR_BUSAN", 12, 13)),
}


def pairing(ship, **loaded):
    """Nothing but two ships at one berth: the calls, and a loading told by `loaded`."""
    scene = ship().calls("KP_RAJIN", 0, 1).calls("RU_NAKHODKA", 3, 4, draught=(8.0, 4.0))
    other = {"mmsi": 355001870, "segment_id": "355-1", "hull_id": "hull-355"}
    scene.calls("RU_NAKHODKA", **{"start": 6, "end": 7, "draught": (4.0, 8.0), **other, **loaded})
    scene.visits[-1]["visit_id"] = "visit-355"
    return scene.calls("KR_BUSAN", 50, 51, **other).says(None, -30, 90).says(None, -30, 90, **other)


def test_every_parameter_has_a_case_in_which_it_bites():
    elsewhere = {name for name in Geofence.model_fields if name.startswith("hidden_")}  # test_geofence_hidden
    assert set(PARAMETERS_THAT_BITE) == set(Geofence.model_fields) - elsewhere


@pytest.mark.parametrize("name", PARAMETERS_THAT_BITE)
def test_a_parameter_bites(name, ship, scene):
    value, make = PARAMETERS_THAT_BITE[name]
    case = scene(make(ship))
    assert kinds_found(Geofence(**{name: value}), case) != kinds_found(Geofence(), case)


@pytest.mark.parametrize("name", PARAMETERS_THAT_BITE)
def test_a_parameter_says_where_it_comes_from(name):
    assert "Source: " in (Geofence.model_fields[name].description or "")


@pytest.mark.parametrize(("name", "value"), [("merge_gap_h", -1.0), ("belt_slow_h", 0.0), ("unheard_of", 1.0)])
def test_what_is_out_of_bounds_or_unknown_fails_at_construction(name, value):
    with pytest.raises(ValidationError):
        Geofence(**{name: value})


def test_the_card_has_its_headings():
    card = Geofence.__doc__ or ""
    assert all(f"\n    {heading}\n" in card for heading in ("Claims", "Reads", "Misses", "Known mistakes"))
