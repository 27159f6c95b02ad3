"""Two ships seen together at sea: what makes it worth saying, and what an ordinary reason makes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from detectors.measures import TRANSFER_BAN
from detectors.rules.rendezvous.detector import Rendezvous
from detectors.rules.rendezvous.meetings import FULL_DB, LEAST_STRENGTH
from detectors.testing import check_detector
from detectors.triage import weight_of
from detectors.watchlist import ListedVessel, WatchList
from tests.detectors.meetings import (
    BELT,
    CARGO,
    DREDGER,
    FERRY,
    FISHING,
    GIVER,
    KOREAN,
    LAW,
    OPEN_SEA,
    OPPOSITE,
    PILOT,
    SAR,
    TAKER,
    TANKER,
    THIRD,
    TUG,
    YACHT,
    ZONES,
    calls,
    draughts,
    encounter,
    falls_silent,
    found,
    inside,
    loiters,
    scene_of,
    ship,
    weights,
)
from vessels.ais import mid_table

KIND = "rendezvous"
BUSAN_ROADS = (35.03, 129.06)
FLAGGED_DB = 13.0
"""A finding that weighs less flags no voyage alone."""
HIGH_DB = 30.0


def strengths(*rows, one=None, two=None, detector=None, **tables):
    """Strength on each ship's voyage, 0 where there is no finding."""
    ships = [*(one or ship(GIVER)), *(two or ship(TAKER))]
    detector = detector or Rendezvous()
    findings = found(detector, scene_of(ships, encounters=rows, **tables), KIND)
    numbers = {row["mmsi"] for row in ships}
    return {mmsi: findings[mmsi].strength if mmsi in findings else 0.0 for mmsi in numbers}


def strength(row, **more):
    """Strength on the giver's voyage."""
    return strengths(row, **more)[GIVER]


PLAIN = strength(encounter())
"""Two tankers alongside in the belt, nothing else known."""


def test_each_of_the_two_has_a_finding_that_names_the_other():
    findings = found(Rendezvous(), scene_of([*ship(GIVER), *ship(TAKER)], encounters=[encounter()]), KIND)
    assert {mmsi: finding.other_mmsi for mmsi, finding in findings.items()} == {GIVER: (TAKER,), TAKER: (GIVER,)}
    assert {finding.segment_id for finding in findings.values()} == {f"segment-{GIVER}", f"segment-{TAKER}"}
    assert len({finding.finding_id for finding in findings.values()}) == 2


def test_two_tankers_alongside_in_a_belt_alone_flag_no_voyage():
    assert 0.05 < PLAIN < FLAGGED_DB / FULL_DB


def test_strength_1_is_the_full_weight_of_the_kind():
    assert weight_of(KIND).full_db == FULL_DB


def test_draughts_that_change_oppositely_weigh_most_one_alone_less_and_alike_against():
    opposite = strength(encounter(**OPPOSITE))
    one_only = strength(encounter(**draughts((8.0, 6.5), (None, None))))
    one_changed = strength(encounter(**draughts((8.0, 6.5), (4.0, 4.0))))
    both_fell = strength(encounter(**draughts((8.0, 6.5), (6.8, 4.0))))
    unchanged = strength(encounter(**draughts((8.0, 8.0), (4.0, 4.0))))
    assert opposite > one_only > one_changed > PLAIN > both_fell == unchanged
    assert opposite * FULL_DB > FLAGGED_DB


PLAIN_AT_SEA = {"place": OPEN_SEA, "median_distance_m": 280.0, **draughts((8.0, 8.0), (4.0, 4.0))}
"""Two tankers of 110 m lie 280 m apart in the open sea, and no draught changes: nothing speaks for a transfer."""


def test_a_plain_meeting_of_two_carriers_is_told_at_the_least_strength():
    assert strength(encounter(**PLAIN_AT_SEA)) == LEAST_STRENGTH


@pytest.mark.parametrize(
    "said",
    [
        {"n_ships_ever": 7},
        {"n_ships_near": 3},
        {"n_partners": 4},
        {"n_meetings": 2},
        {"apart_before": False},
        {"apart_after": False},
        {"hours": 13.0},
        {"shore_nmi": 11.0},
    ],
    ids=str,
)
def test_it_is_not_where_an_ordinary_reason_shows(said):
    assert strength(encounter(**{**PLAIN_AT_SEA, **said})) == 0.0


def test_nor_where_one_says_nothing_of_herself():
    assert strength(encounter(**PLAIN_AT_SEA), two=ship(TAKER, None, None)) == 0.0


def test_a_tie_to_the_dprk_weighs_more_on_the_voyage_of_the_other_than_on_her_own():
    tied = strengths(encounter(), port_visits=[calls(TAKER, "KP_NAMPO", 3, 5)])
    assert tied[GIVER] > tied[TAKER] > PLAIN
    assert tied[GIVER] * FULL_DB > FLAGGED_DB


@pytest.mark.parametrize(
    "tables",
    [
        {"port_visits": [calls(TAKER, "KP_NAMPO", -20, -18)]},
        {"port_visits": [calls(TAKER, "KP_CHONGJIN", 10, 12)]},
        {"port_visits": [{**calls(TAKER, "KP_NAMPO", -20, -18), "mmsi": THIRD, "segment_id": "segment-other"}]},
        {"zone_presences": [inside(TAKER, "KP_NAMPO_ROADS", 4, 6)]},
        {"segments": [{"mmsi": KOREAN, "hull_id": f"hull-{TAKER}", "segment_id": "segment-before"}]},
    ],
    ids=["called before", "called after", "called under another number", "lay in the roads", "bore a DPRK number"],
)
def test_flag_calls_and_stays_of_the_hull_tie_her(tables):
    assert strength(encounter(), **tables) > PLAIN + 8.0 / FULL_DB


@pytest.mark.parametrize(
    "tables",
    [
        {"port_visits": [calls(TAKER, "KP_NAMPO", -20, -18, confidence=1)]},
        {"port_visits": [calls(TAKER, "CN_DALIAN", -20, -18)]},
        {"zone_presences": [inside(TAKER, "KP_NAMPO_ROADS", 4, 4.05)]},
        {"port_visits": [calls(THIRD, "KP_NAMPO", -20, -18)]},
    ],
    ids=["an entry only", "elevated, not high", "a clip of the fence", "another ship's call"],
)
def test_other_stays_tie_nobody(tables):
    assert strength(encounter(), **tables) == PLAIN


def test_a_listed_ship_ties_as_a_flag_does():
    entry = ListedVessel("x-1", "SEA X", 2573403, frozenset(), frozenset({"SEA X"}), frozenset(), "", "")
    scene = scene_of(
        [*ship(GIVER), *ship(TAKER, imo=2573403)], encounters=[encounter()], listed=WatchList((entry,), "list")
    )
    finding = found(Rendezvous(), scene, KIND)[GIVER]
    assert finding.strength == pytest.approx(PLAIN + 14.0 / FULL_DB, abs=1e-3)
    assert "on the watch list" in finding.headline


def test_two_ships_of_dprk_flag_in_their_own_waters_are_domestic_trade():
    ships = [*ship(KOREAN), *ship(KOREAN + 7)]
    at_home = encounter(KOREAN, KOREAN + 7, place=(38.59, 124.87), shore_nmi=10.0, **OPPOSITE)
    at_sea = encounter(KOREAN, KOREAN + 7, **OPPOSITE)
    assert not found(Rendezvous(), scene_of(ships, encounters=[at_home]), KIND)
    assert found(Rendezvous(), scene_of(ships, encounters=[at_sea]), KIND)


def test_a_foreign_ship_beside_another_in_high_watch_waters_weighs_more_than_in_a_belt():
    assert strength(encounter(place=(38.59, 124.87), shore_nmi=10.0)) > PLAIN


def test_a_tanker_that_calls_herself_a_fishing_vessel_is_told_by_what_she_claims_at_other_times():
    """As Saebyol did in March 2019."""
    posing = ship(TAKER, length_m=98.0, claims=[(0.2, {"ship_type": FISHING, "length_m": 38.0})])
    trawler = ship(TAKER, FISHING, 38.0)
    assert strength(encounter(), two=posing) > PLAIN
    assert strength(encounter(), two=trawler) == 0.0


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"length_m": 92.0}, {}),
        ({"length_m": 38.0}, draughts((None, None), (8.2, 8.2))),
    ],
    ids=["92 m long", "8.2 m draught"],
)
def test_a_body_that_no_fishing_vessel_has_belies_the_type(claims, said):
    assert strength(encounter(**said), two=ship(TAKER, FISHING, **claims)) > 0.0
    assert "a type that does not fit" in weights(
        found(
            Rendezvous(),
            scene_of([*ship(GIVER), *ship(TAKER, FISHING, **claims)], encounters=[encounter(**said)]),
            KIND,
        )[GIVER]
    )


def test_a_declared_port_never_reached_weighs_and_one_reached_does_not():
    """Lighthouse Winmore declared Taiwan and went back to Yeosu."""

    def declared(after):
        bound = ship(GIVER, destination="TW TXG")
        return strength(encounter(), one=bound, port_visits=[calls(GIVER, "KR_YEOSU", -3, -1), *after])

    back, on = declared([calls(GIVER, "KR_YEOSU", 4, 6)]), declared([calls(GIVER, "TW_TAICHUNG", 4, 6)])
    assert back > on == PLAIN
    waiting = declared([calls(GIVER, "KR_YEOSU", 4, 5), calls(GIVER, "TW_TAICHUNG", 8, 9)])
    assert waiting == PLAIN


def test_a_place_far_off_the_way_to_the_declared_port_weighs():
    left = [calls(GIVER, "KR_INCHEON", -3, -1)]
    off = strength(encounter(), one=ship(GIVER, destination="CN DLC"), port_visits=left)
    on_the_way = strength(encounter(), one=ship(GIVER, destination="TW KEE"), port_visits=left)
    assert off > on_the_way == PLAIN


def test_night_weighs_a_little():
    by_day, by_night = encounter(start=0.05, hours=4.0), encounter(start=0.5, hours=4.0)
    assert strength(by_night) == pytest.approx(strength(by_day) + 1.0 / FULL_DB, abs=1e-3)


@pytest.mark.parametrize("offset_days", [-1, 0, 1])
@pytest.mark.parametrize("other", [KOREAN, TAKER], ids=["with a DPRK ship", "of others"])
def test_before_the_ban_a_meeting_with_a_dprk_ship_weighs_half_and_says_so_and_one_of_others_cites_nothing(
    offset_days, other
):
    ships = [*ship(GIVER), *ship(other)]
    start = datetime(2017, 9, 11, 12, tzinfo=UTC) + timedelta(days=offset_days)
    full = strengths(encounter(GIVER, other), two=ship(other))[GIVER]
    row = {**encounter(GIVER, other), "start": start, "end": start + timedelta(hours=7)}
    ships = [{**spell, "first_seen": start - timedelta(days=9), "last_seen": start} for spell in ships]
    finding = found(Rendezvous(), scene_of(ships, encounters=[row]), KIND)[GIVER]
    concerned = other == KOREAN
    halved = concerned and start.date() < TRANSFER_BAN.since
    assert finding.strength == pytest.approx(full / 2 if halved else full, abs=1e-3)
    assert ("before UNSCR 2375" in finding.headline) is halved
    assert any(line.what == "UN measure in force" for line in finding.evidence) is concerned


CHINESE = 413000400
DALIAN_HIGH = replace(
    ZONES, zones=tuple(replace(z, watch="high") if z.zone_id == "CN_DALIAN" else z for z in ZONES.zones)
)


def test_a_high_zone_of_another_state_ties_its_callers_to_it_but_not_every_ship_of_its_flag():
    ships = [*ship(GIVER), *ship(CHINESE)]

    def told(**tables):
        scene = scene_of(ships, encounters=[encounter(GIVER, CHINESE)], zones=DALIAN_HIGH, **tables)
        return found(Rendezvous(), scene, KIND)

    assert told()[GIVER].strength == PLAIN
    called = told(port_visits=[calls(CHINESE, "CN_DALIAN", 3, 5)])[GIVER]
    assert called.strength == pytest.approx(PLAIN + 12.0 / FULL_DB, abs=1e-3)
    assert not [text for text in (*called.caveats, called.headline) if "DPRK" in text]
    both = told(port_visits=[calls(CHINESE, "CN_DALIAN", 3, 5), calls(GIVER, "CN_DALIAN", 8, 9)])[GIVER]
    assert "both are tied to waters under high watch" in weights(both)
    mixed = told(port_visits=[calls(CHINESE, "CN_DALIAN", 3, 5), calls(GIVER, "KP_NAMPO", 8, 9)])[GIVER]
    assert "one ship is tied to the DPRK, the other is tied to waters under high watch" in weights(mixed)


def test_a_flag_named_by_the_user_ties():
    two = {"two": ship(CHINESE), "detector": Rendezvous(tied_flags=("CN",))}
    tied = strengths(encounter(GIVER, CHINESE), **two)[GIVER]
    assert tied == pytest.approx(PLAIN + 14.0 / FULL_DB, abs=1e-3)


@pytest.mark.parametrize(("distance_m", "word"), [(60.0, "beside"), (280.0, "near"), (None, "near")])
def test_they_lay_beside_each_other_only_when_alongside(distance_m, word):
    scene = scene_of([*ship(GIVER), *ship(TAKER)], encounters=[encounter(median_distance_m=distance_m)])
    assert f" h {word} SHIP {TAKER % 1000}" in found(Rendezvous(), scene, KIND)[GIVER].headline


def test_a_ship_that_gives_no_type_belies_none():
    scene = scene_of([*ship(GIVER), *ship(TAKER, None, 180.0)], encounters=[encounter()])
    finding = found(Rendezvous(), scene, KIND)[GIVER]
    assert "two carriers" in weights(finding)
    assert "a type that does not fit" not in weights(finding)


# --- look-alikes: quiet, or too weak to flag a voyage ---


@pytest.mark.parametrize("ship_type", [TUG, PILOT, SAR, DREDGER, FERRY, YACHT, LAW, FISHING])
@pytest.mark.parametrize("length_m", [20.0, 45.0])
def test_service_craft_and_small_boats_beside_a_tanker_are_quiet(ship_type, length_m):
    assert strength(encounter(**OPPOSITE), two=ship(TAKER, ship_type, length_m)) == 0.0


@pytest.mark.parametrize(
    ("types", "lengths"),
    [((FISHING, FISHING), (45.0, 50.0)), ((CARGO, FISHING), (95.0, 45.0)), ((FERRY, FERRY), (120.0, 150.0))],
    ids=["pair trawlers", "a reefer and a catcher", "ferries"],
)
def test_fleets_and_ferries_are_quiet(types, lengths):
    one, two = (ship(m, t, n) for m, t, n in zip((GIVER, TAKER), types, lengths, strict=True))
    assert not any(strengths(encounter(**OPPOSITE), one=one, two=two).values())


@pytest.mark.parametrize(
    ("place", "shore_nmi"), [(BUSAN_ROADS, 3.0), ((30.1, 122.48), 8.0)], ids=["off Busan", "off Zhoushan"]
)
def test_bunkering_in_the_roads_flags_no_voyage_even_if_both_retype_their_draughts(place, shore_nmi):
    row = encounter(place=place, shore_nmi=shore_nmi, n_ships_ever=25, n_partners=9, n_ships_near=6, **OPPOSITE)
    assert strength(row) < 0.1


def test_lightering_in_the_roads_for_a_day_flags_no_voyage():
    row = encounter(place=(29.95, 122.5), hours=22.0, shore_nmi=8.0, n_ships_ever=4, **OPPOSITE)
    assert strength(row) * FULL_DB < FLAGGED_DB


def test_a_ship_tied_to_the_dprk_in_the_roads_beside_one_alongside_is_told_and_one_at_anchor_near_by_hardly():
    """As EN and TONG LUN 83 in the outer roads of Lianyungang."""
    tie = {"port_visits": [calls(TAKER, "KP_TAEAN", -6, -4)]}
    roads = {"place": (34.82, 119.7), "shore_nmi": 15.0}
    alongside = strength(encounter(**roads, **OPPOSITE), **tie)
    anchored = strength(encounter(**roads, median_distance_m=380.0), **tie)
    assert anchored * FULL_DB < FLAGGED_DB < alongside * FULL_DB


def test_tug_and_tow_and_two_sets_on_one_ship_are_quiet():
    tow = encounter(under_way_together_h=14.0)
    one_hull = encounter(min_distance_m=3.0, median_distance_m=4.0, apart_before=False, apart_after=False)
    known_hull = {**encounter(), "other_hull_id": f"hull-{GIVER}"}
    for row in (tow, one_hull, known_hull):
        assert strength(row) == 0.0


def test_half_of_a_tow_is_weaker_than_a_meeting():
    weak = strength(encounter(under_way_together_h=1.5, apart_before=False))
    assert weak < PLAIN


def test_ships_anchored_side_by_side_for_days_are_quiet():
    row = encounter(hours=90.0, place=BUSAN_ROADS, shore_nmi=3.0, median_distance_m=350.0, n_ships_ever=30)
    assert strength(row) == 0.0


@pytest.mark.parametrize(
    "said",
    [
        {"n_meetings": 4},
        {"n_partners": 12},
        {"n_ships_ever": 24},
        {"n_ships_near": 5},
        {"median_distance_m": 400.0},
        {"heard_share": 0.2},
        {"shore_nmi": 5.0, "place": OPEN_SEA},
        {"apart_after": None},
        {"under_way_together_h": 1.0},
        {"hours": 40.0},
    ],
)
def test_what_has_an_ordinary_reason_weighs_less(said):
    place = {"place": said["place"]} if "place" in said else {}
    assert strength(encounter(**said)) < strength(encounter(**place))


def test_a_carrier_beside_a_ship_that_says_nothing_of_herself_is_weaker_and_two_such_ships_are_quiet():
    nobody = {"ship_type": None, "length_m": None}
    assert 0.0 < strength(encounter(), two=ship(TAKER, **nobody)) < PLAIN
    assert not any(strengths(encounter(), one=ship(GIVER, **nobody), two=ship(TAKER, **nobody)).values())


def test_a_small_dprk_craft_beside_a_tanker_is_told_though_she_seems_to_carry_nothing():
    crew = ship(KOREAN, FISHING, 38.0)
    beside = strengths(encounter(GIVER, KOREAN), two=crew)
    alone = strengths(encounter(GIVER, TAKER), two=ship(TAKER, FISHING, 38.0))
    assert beside[GIVER] > 0.4
    assert not any(alone.values())


def test_a_crowded_place_alone_does_not_hide_a_plain_transfer_with_a_dprk_ship():
    ships = {"one": ship(GIVER), "two": ship(KOREAN)}
    assert strengths(encounter(GIVER, KOREAN, n_ships_ever=30, **OPPOSITE), **ships)[GIVER] * FULL_DB > FLAGGED_DB


# --- edges and laws ---


def test_a_meeting_that_goes_on_is_told_and_keeps_its_id_when_it_ends():
    ships = [*ship(GIVER), *ship(TAKER)]
    going = {**encounter(hours=5.0), "end": None}
    (first, last) = (
        found(Rendezvous(), scene_of(ships, encounters=[row]), KIND)[GIVER] for row in (going, encounter(hours=7.0))
    )
    assert (first.end, last.end is None) == (None, False)
    assert first.finding_id == last.finding_id
    assert any("still together" in caveat for caveat in first.caveats)


def test_a_place_beyond_180_degrees_is_an_ordinary_one():
    for lon in (179.99, -179.99):
        assert strength(encounter(place=(35.0, lon))) == strength(encounter(place=(35.0, 160.0)))


def test_a_year_later_the_same_is_found():
    def moved(rows, days):
        instants = ("start", "end", "first_seen", "last_seen")
        return [{k: v + timedelta(days=days) if k in instants and v else v for k, v in row.items()} for row in rows]

    def findings(days):
        ships = moved([*ship(GIVER), *ship(TAKER)], days)
        return strengths(*moved([encounter(**OPPOSITE)], days), one=ships[:1], two=ships[1:])

    assert findings(0) == findings(366)


def test_rows_that_lack_everything_but_who_when_and_where_are_survived():
    keep = {"mmsi", "other_mmsi", "start", "duration_h", "lat", "lon"}
    row = {name: value for name, value in encounter().items() if name in keep}
    assert strength(row) > 0.0


def test_it_keeps_the_laws_of_detectors():
    ships = [*ship(GIVER), *ship(TAKER), *ship(KOREAN), *ship(THIRD, FISHING, 92.0)]
    scene = scene_of(
        ships,
        encounters=[encounter(**OPPOSITE), encounter(KOREAN, THIRD, 9.0), encounter(GIVER, KOREAN, 12.0)],
        loitering=[loiters(GIVER, 15.0, start_draught_m=8.0, end_draught_m=6.0)],
        gaps=[falls_silent(KOREAN, 14.0, 17.0)],
        port_visits=[calls(TAKER, "KP_NAMPO", 20, 22)],
    )
    assert {finding.kind for finding in check_detector(Rendezvous(), scene)} == set(Rendezvous().kinds)
    assert check_detector(Rendezvous()) is not None


def test_the_dprk_number_of_these_tests_is_one():
    assert mid_table()[KOREAN // 1_000_000][0] == "KP"


DEEPER = {"start_draught_m": 4.0, "end_draught_m": 6.8}
LONE = {"loitering": [loiters(start_draught_m=8.0, end_draught_m=6.5)], "gaps": [falls_silent(**DEEPER)]}
LONE_AT_SEA = {
    "loitering": [loiters(place=OPEN_SEA, start_draught_m=8.0, end_draught_m=6.5)],
    "gaps": [falls_silent(KOREAN, place=OPEN_SEA, to=OPEN_SEA, **DEEPER)],
}
PARAMETERS_THAT_BITE = {
    "min_carrier_m": (120.0, {"encounters": [encounter()]}),
    "service_length_m": (30.0, {"encounters": [encounter(GIVER, THIRD)]}),
    "service_draught_m": (4.0, {"encounters": [encounter(GIVER, THIRD, **draughts((None, None), (5.0, 5.0)))]}),
    "draught_change_m": (2.0, {"encounters": [encounter(**OPPOSITE)]}),
    "usual_ships": (2.0, {"encounters": [encounter(n_ships_ever=5)]}),
    "near_port_nmi": (40.0, {"encounters": [encounter(place=(34.9, 129.9))]}),
    "tied_flags": ((), {"encounters": [encounter(GIVER, KOREAN)]}),
    "tie_days": (2.0, {"encounters": [encounter()], "port_visits": [calls(TAKER, "KP_NAMPO", -9, -7)]}),
    "tie_stay_h": (60.0, {"encounters": [encounter()], "zone_presences": [inside(TAKER, "KP_NAMPO_ROADS", 4, 5)]}),
    "onward_days": (
        5.0,
        {
            "encounters": [encounter()],
            "port_visits": [calls(TAKER, "KR_YEOSU", 2, 3), calls(TAKER, "TW_TAICHUNG", 8, 9)],
        },
    ),
    "detour_nmi": (1500.0, {"encounters": [encounter()], "port_visits": [calls(TAKER, "TW_KEELUNG", -5, -3)]}),
    "min_meeting_h": (8.0, {"encounters": [encounter()]}),
    "transfer_max_h": (4.0, {"encounters": [encounter()]}),
    "alongside_m": (50.0, {"encounters": [encounter()]}),
    "tow_h": (0.5, {"encounters": [encounter(under_way_together_h=1.0)]}),
    "offshore_nmi": (150.0, {"encounters": [encounter(place=OPEN_SEA)]}),
    "usual_partners": (1.0, {"encounters": [encounter(n_partners=3)]}),
    "min_heard_share": (0.9, {"encounters": [encounter(heard_share=0.7)]}),
    "night_share": (0.1, {"encounters": [encounter(start=0.05, hours=10.0)]}),
    "min_loitering_h": (12.0, LONE),
    "long_loitering_h": (5.0, LONE),
    "min_stay_h": (12.0, LONE),
    "lone_shore_nmi": (100.0, LONE),
    "lone_offshore_nmi": (150.0, LONE_AT_SEA),
    "unknown_speed_kn": (4.0, {**LONE, "gaps": [{**falls_silent(**DEEPER), "cruise_kn": None, "fastest_kn": None}]}),
    "max_gap_days": (2.0, LONE),
    "min_named_share": (0.6, {**LONE, "gaps": [falls_silent(**DEEPER), falls_silent(KOREAN // 2, **DEEPER)]}),
}


def test_every_parameter_has_a_case_in_which_it_bites():
    assert set(PARAMETERS_THAT_BITE) == set(Rendezvous.model_fields)


@pytest.mark.parametrize("name", PARAMETERS_THAT_BITE)
def test_a_parameter_bites(name):
    value, tables = PARAMETERS_THAT_BITE[name]
    ships = [*ship(GIVER), *ship(TAKER, destination="TAICHUNG"), *ship(THIRD, FISHING, 50.0)]
    ships += ship(KOREAN // 2) if name == "min_named_share" else []
    ships += ship(KOREAN) if name == "lone_offshore_nmi" else []

    def findings(detector):
        return [(f.mmsi, f.kind, f.strength, f.other_mmsi) for f in detector.detect(scene_of(ships, **tables))]

    assert findings(Rendezvous(**{name: value})) != findings(Rendezvous())


@pytest.mark.parametrize("name", PARAMETERS_THAT_BITE)
def test_a_parameter_says_where_it_comes_from(name):
    assert "Source: " in (Rendezvous.model_fields[name].description or "")


@pytest.mark.parametrize(("name", "value"), [("min_meeting_h", 0.0), ("min_named_share", 2.0), ("unheard_of", 1.0)])
def test_what_is_out_of_bounds_or_unknown_fails_at_construction(name, value):
    with pytest.raises(ValidationError):
        Rendezvous(**{name: value})


def test_the_card_has_its_headings():
    card = Rendezvous.__doc__ or ""
    assert all(f"\n    {heading}\n" in card for heading in ("Claims", "Reads", "Misses", "Known mistakes"))


def test_the_belt_of_these_tests_is_one():
    assert any(zone.zone_id == "ECS_STS" and zone.watch == "elevated" for zone in scene_of([]).zones.zones)
    assert (
        "ECS_STS"
        in found(Rendezvous(), scene_of([*ship(GIVER), *ship(TAKER)], encounters=[encounter()]), KIND)[GIVER].headline
    )
    assert BELT != OPEN_SEA
    assert TANKER != CARGO
