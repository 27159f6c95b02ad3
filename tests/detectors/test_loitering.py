"""Carriers slow at sea: what makes a stop worth a line, and that waiting alone never flags."""

import pytest
from pydantic import ValidationError

from detectors.rules.loitering import FULL_DB, LEAST_STRENGTH, MOST_ADRIFT, MOST_STRENGTH, Loitering
from detectors.testing import check_detector
from detectors.triage import FLAG_SCORE, judge, weight_of
from tests.detectors.meetings import (
    CARGO,
    DREDGER,
    FISHING,
    GIVER,
    KOREAN,
    OPEN_SEA,
    PILOT,
    TAKER,
    TANKER,
    TUG,
    YACHT,
    calls,
    encounter,
    falls_silent,
    found,
    inside,
    loiters,
    scene_of,
    ship,
)

KIND = "loitering"
MOVED = {"start_draught_m": 8.0, "end_draught_m": 6.5}


def strength(row, ships=None, detector=None, **tables):
    scene = scene_of(ships or ship(row["mmsi"]), loitering=[row], **tables)
    made = found(detector or Loitering(), scene, KIND)
    return made[row["mmsi"]].strength if made else 0.0


PLAIN = strength(loiters())
OPEN = strength(loiters(place=OPEN_SEA))


def test_a_stop_in_a_belt_weighs_more_than_one_elsewhere_at_sea():
    assert PLAIN > OPEN > 0.0


def test_stops_alone_flag_no_voyage_however_many_and_odd():
    assert weight_of(KIND).full_db == FULL_DB
    odd = strength(loiters(**MOVED), port_visits=[calls(GIVER, "KP_NAMPO", 12, 14)])
    assert odd == MOST_STRENGTH
    verdict = judge([(KIND, FULL_DB * odd)] * 9)
    assert not verdict.is_flagged
    assert verdict.score < FLAG_SCORE


@pytest.mark.parametrize(
    ("said", "tables"),
    [
        (MOVED, {}),
        ({}, {"gaps": [falls_silent(GIVER, 2.0, 4.5)]}),
        ({}, {"gaps": [falls_silent(GIVER, 5.7, None)]}),
        ({}, {"port_visits": [calls(GIVER, "KP_NAMPO", 12, 14)]}),
    ],
    ids=["draught changed", "silent before", "silent after", "called at Nampo later"],
)
def test_what_fits_a_meeting_strengthens_it(said, tables):
    assert strength(loiters(**said), **tables) > PLAIN


@pytest.mark.parametrize(
    "gap",
    [falls_silent(GIVER, 1.0, 2.0), falls_silent(GIVER, 2.0, 4.5, reception="outage"), falls_silent(TAKER, 2.0, 4.5)],
    ids=["long before", "an outage", "another ship's"],
)
def test_other_silences_do_not(gap):
    assert strength(loiters(), gaps=[gap]) == PLAIN


UNMOVED = {"start_draught_m": 7.0, "end_draught_m": 7.0}


def test_a_stop_near_the_coast_where_few_lie_is_told_at_the_least_strength_and_no_less():
    near = loiters(place=OPEN_SEA, shore_nmi=14.0, **UNMOVED)
    assert strength(near) == LEAST_STRENGTH < strength(loiters(place=OPEN_SEA))
    assert strength({**near, "shore_nmi": 9.0}) == 0.0
    assert strength({**near, **MOVED}) == LEAST_STRENGTH


@pytest.mark.parametrize(
    "said",
    [{"nav_status": 1}, {"nav_status": 2}, {"hours": 40.0}, {"n_ships_ever": 7}, {"n_ships_near": 3}],
    ids=["at anchor", "broken down", "too long", "a usual place", "in company"],
)
def test_it_is_not_where_an_ordinary_reason_shows(said):
    assert strength(loiters(place=OPEN_SEA, shore_nmi=14.0, **{**UNMOVED, **said})) == 0.0


def test_nor_beside_craft_that_carry_nothing():
    ships = [*ship(GIVER), *ship(TAKER, FISHING, 40.0)]
    row = loiters(place=OPEN_SEA, shore_nmi=14.0, **UNMOVED)
    assert strength(row, ships, encounters=[encounter(GIVER, TAKER, start=5.1, hours=2.5)]) == 0.0
    assert strength(row, ships) == LEAST_STRENGTH


def test_a_destination_that_does_not_fit_strengthens_it():
    bound = ship(GIVER, destination="TW TXG")
    there = strength(loiters(), bound, port_visits=[calls(GIVER, "TW_TAICHUNG", 8, 9)])
    elsewhere = strength(loiters(), bound, port_visits=[calls(GIVER, "KR_YEOSU", 8, 9)])
    assert elsewhere > there == PLAIN


@pytest.mark.parametrize(
    "said",
    [
        {"nav_status": 2},
        {"nav_status": 3},
        {"nav_status": 1},
        {"hours": 70.0},
        {"n_ships_ever": 30},
        {"n_ships_near": 6},
        {"start_draught_m": 7.0, "end_draught_m": 7.0},
    ],
    ids=["engine trouble", "cable laying", "at anchor", "for days", "usual place", "in company", "draught unchanged"],
)
def test_ordinary_reasons_weaken_it(said):
    assert strength(loiters(**said)) < PLAIN


def test_a_stop_most_of_which_was_a_meeting_with_a_carrier_is_told_by_that_meeting_alone():
    def stop(hours, body=(TANKER, 110.0)):
        ships = [*ship(GIVER), *ship(TAKER, *body)]
        return strength(loiters(hours=11.0), ships, encounters=[encounter(GIVER, TAKER, start=5.1, hours=hours)])

    assert stop(7.0) == 0.0
    assert stop(4.0) == PLAIN
    assert stop(7.0, (None, None)) == PLAIN


def test_fuel_for_a_fishing_fleet_weakens_it_and_another_tanker_beside_her_does_not():
    beside = [encounter(GIVER, TAKER, start=5.1, hours=2.5)]
    fleet, tankers = (
        strength(loiters(**MOVED), [*ship(GIVER), *ship(TAKER, *body)], encounters=beside)
        for body in ((FISHING, 40.0), (TANKER, 110.0))
    )
    assert fleet < tankers == strength(loiters(**MOVED))
    later = [encounter(GIVER, TAKER, start=7.0)]
    assert strength(loiters(), [*ship(GIVER), *ship(TAKER, FISHING, 40.0)], encounters=later) == PLAIN


@pytest.mark.parametrize(
    "row",
    [
        loiters(place=(35.03, 129.06)),
        loiters(place=(30.1, 122.48)),
        loiters(shore_nmi=8.0),
        loiters(hours=5.0),
        loiters(place=OPEN_SEA, nav_status=2),
        loiters(place=OPEN_SEA, hours=200.0, n_ships_ever=40),
    ],
    ids=["off Busan", "Zhoushan roads", "near the coast", "short", "broken down", "a waiting area"],
)
def test_roads_coasts_short_stops_and_waiting_areas_are_quiet(row):
    assert strength(row) == 0.0


@pytest.mark.parametrize("ship_type", [FISHING, TUG, PILOT, YACHT, DREDGER, None])
def test_only_carriers_are_looked_at(ship_type):
    assert strength(loiters(), ship(GIVER, ship_type, None)) == 0.0


@pytest.mark.parametrize("ship_type", [TANKER, CARGO])
def test_carriers_are(ship_type):
    assert strength(loiters(), ship(GIVER, ship_type)) == PLAIN


def test_a_stop_that_goes_on_keeps_its_id_when_it_ends():
    first, last = (
        found(Loitering(), scene_of(ship(GIVER), loitering=[row]), KIND)[GIVER]
        for row in ({**loiters(hours=9.0), "end": None}, loiters(hours=14.0))
    )
    assert first.finding_id == last.finding_id
    assert first.end is None


def adrift(start: float = 5.0, hours: float = 2.1, **said):
    """A drift of two hours in the open sea."""
    said = {"place": OPEN_SEA, "off_course_deg": 60.0, "mean_speed_kn": 2.0, **said}
    row = loiters(said.pop("mmsi", GIVER), start, hours, kind="adrift", **said)
    return {**row, "event_id": f"adrift-{row['mmsi']}-{start}"}


def test_a_carrier_adrift_is_told_plainly_and_low():
    (told,) = Loitering().detect(scene_of(ship(GIVER), loitering=[adrift()]))
    assert "was adrift for 2.1 h" in told.headline
    assert LEAST_STRENGTH <= told.strength <= MOST_ADRIFT
    assert any("60" in line.observed for line in told.evidence)
    assert any("engine trouble" in caveat for caveat in told.caveats)


def test_a_ship_that_says_openly_that_she_is_not_under_command_is_told_lower():
    assert 0.0 < strength(adrift(nav_status=2, hours=12.0)) < strength(adrift())


def test_adrift_never_weighs_more_than_its_most_and_roads_coasts_and_other_statuses_are_quiet():
    assert strength(adrift(place=(29.6, 124.5))) == MOST_ADRIFT
    quiet = [adrift(nav_status=status) for status in (1, 3, 5, 6, 7)]
    quiet += [adrift(place=(35.03, 129.06)), adrift(shore_nmi=2.0), adrift(n_ships_ever=40)]
    assert [strength(row) for row in quiet] == [0.0] * len(quiet)


@pytest.mark.parametrize("ship_type", [FISHING, TUG, PILOT, YACHT, DREDGER, None])
def test_only_carriers_adrift_are_told(ship_type):
    assert strength(adrift(), ship(GIVER, ship_type, None)) == 0.0


def test_drifts_that_follow_each_other_are_told_once_and_none_beside_a_stop():
    def told(*rows):
        return Loitering().detect(scene_of(ship(GIVER), loitering=list(rows)))

    first, longest, later = adrift(5.0), adrift(5.3, 4.0), adrift(8.0)
    assert sorted(f.start for f in told(first, longest, later)) == [longest["start"], later["start"]]
    (stop,) = told(adrift(5.0), loiters())
    assert "slow at sea" in stop.headline


def test_it_keeps_the_laws_of_detectors():
    scene = scene_of(
        [*ship(GIVER), *ship(KOREAN)],
        loitering=[loiters(**MOVED), loiters(GIVER, 9.0), loiters(KOREAN, 9.0), adrift(15.0)],
        gaps=[falls_silent(GIVER, 2.0, 4.5), falls_silent(GIVER, 5.7, None)],
    )
    assert len(check_detector(Loitering(), scene)) == 4


def test_nulls_are_survived():
    keep = {"mmsi", "start", "duration_h", "lat", "lon", "shore_nmi"}
    assert strength({name: value for name, value in loiters().items() if name in keep}) > 0.0


PARAMETERS_THAT_BITE = {
    "min_carrier_m": (150.0, {}),
    "service_length_m": (30.0, {}),
    "service_draught_m": (7.0, {}),
    "draught_change_m": (3.0, {}),
    "usual_ships": (2.0, {}),
    "near_port_nmi": (45.0, {}),
    "tied_flags": (("HK",), {}),
    "tie_days": (2.0, {"port_visits": [calls(GIVER, "KP_NAMPO", -9, -7)]}),
    "tie_stay_h": (60.0, {"zone_presences": [inside(GIVER, "KP_NAMPO_ROADS", 9, 10)]}),
    "onward_days": (2.0, {"port_visits": [calls(GIVER, "KR_YEOSU", 6, 7), calls(GIVER, "TW_TAICHUNG", 9, 9.5)]}),
    "detour_nmi": (1500.0, {"port_visits": [calls(GIVER, "TW_KEELUNG", -5, -3)]}),
    "min_loitering_h": (12.0, {}),
    "min_shore_nmi": (100.0, {}),
    "offshore_nmi": (150.0, {}),
    "min_adrift_shore_nmi": (95.0, {}),
    "silence_h": (1.0, {"gaps": [falls_silent(GIVER, 2.0, 4.5)]}),
}


def test_every_parameter_has_a_case_in_which_it_bites():
    assert set(PARAMETERS_THAT_BITE) == set(Loitering.model_fields)


@pytest.mark.parametrize("name", PARAMETERS_THAT_BITE)
def test_a_parameter_bites(name):
    value, tables = PARAMETERS_THAT_BITE[name]
    ships = [*ship(GIVER, destination="TAICHUNG"), *ship(TAKER, FISHING, 50.0), *ship(KOREAN, FISHING, 95.0)]
    rows = [
        loiters(**(MOVED if name == "draught_change_m" else {}), n_ships_ever=5),
        loiters(TAKER, start_draught_m=7.5, end_draught_m=7.5),
        loiters(KOREAN, place=OPEN_SEA if name == "offshore_nmi" else (34.9, 129.95)),
        adrift(15.0),
    ]

    def findings(detector):
        return [(f.mmsi, f.strength) for f in detector.detect(scene_of(ships, loitering=rows, **tables))]

    assert findings(Loitering(**{name: value})) != findings(Loitering())


@pytest.mark.parametrize("name", PARAMETERS_THAT_BITE)
def test_a_parameter_says_where_it_comes_from(name):
    assert "Source: " in (Loitering.model_fields[name].description or "")


@pytest.mark.parametrize(("name", "value"), [("min_loitering_h", 0.0), ("unheard_of", 1.0)])
def test_what_is_out_of_bounds_or_unknown_fails_at_construction(name, value):
    with pytest.raises(ValidationError):
        Loitering(**{name: value})


def test_the_card_has_its_headings():
    card = Loitering.__doc__ or ""
    assert all(f"\n    {heading}\n" in card for heading in ("Claims", "Reads", "Misses", "Known mistakes"))
