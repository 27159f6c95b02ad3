"""A ship that lay alone where a silent one could have been: who is named, and when nobody is."""

import numpy as np
import pyarrow as pa
import pytest

from detectors.rules.rendezvous.alone import stays_of
from detectors.rules.rendezvous.detector import Rendezvous
from detectors.rules.rendezvous.lone import FULL_DB, LEAST_STRENGTH
from detectors.rules.rendezvous.lone_grounds import Silence, Stay, fit_reasons, silent_reasons
from detectors.rules.rendezvous.lone_weights import weigh_pairs
from detectors.rules.rendezvous.reasons import total_db
from detectors.rules.rendezvous.ships import Party
from detectors.rules.rendezvous.silent import by_water, feasible, gaps_of, usable_gaps
from detectors.rules.rendezvous.ties import Tie
from detectors.triage import weight_of
from tests.detectors.meetings import (
    CARGO,
    FISHING,
    GIVER,
    KOREAN,
    TAKER,
    TANKER,
    THIRD,
    ZONES,
    at,
    calls,
    encounter,
    falls_silent,
    found,
    loiters,
    scene_of,
    ship,
    weights,
)
from vessels import event_tables
from vessels.geodesy import distance_nmi
from vessels.instants import instant_us
from vessels.units import US_PER_H

KIND = "dark_rendezvous"
FLAGGED_DB = 13.0
LIGHTER = {"start_draught_m": 8.0, "end_draught_m": 6.5}
DEEPER = {"start_draught_m": 4.0, "end_draught_m": 6.8}


def findings(stay=None, gaps=None, ships=None, detector=None, **tables):
    stays = [loiters(**LIGHTER) if stay is None else stay]
    gaps = [falls_silent(KOREAN, **DEEPER)] if gaps is None else gaps
    ships = ships or [*ship(GIVER), *ship(TAKER), *ship(KOREAN)]
    return found(detector or Rendezvous(), scene_of(ships, loitering=stays, gaps=gaps, **tables), KIND)


def strength(*args, **more):
    """Strength on the voyage of the ship that lay alone; 0 if there is no finding."""
    made = findings(*args, **more)
    return made[GIVER].strength if GIVER in made else 0.0


FITTING = strength(gaps=[falls_silent(**DEEPER)])
"""A tanker leaves a stop lighter; one tanker, silent where others were heard, comes back deeper; nothing ties her."""
TIED = strength()


def test_the_ship_alone_and_more_weakly_the_silent_one_are_told_and_name_each_other():
    made = findings()
    assert made[GIVER].other_mmsi == (KOREAN,)
    assert made[KOREAN].other_mmsi == (GIVER,)
    assert made[GIVER].strength > made[KOREAN].strength > 0.0
    assert made[GIVER].segment_id == f"segment-{GIVER}"
    assert made[KOREAN].segment_id == f"segment-{KOREAN}"
    assert (made[KOREAN].start, made[KOREAN].end) == (at(4), at(7))


def test_strength_1_is_the_full_weight_of_the_kind():
    assert weight_of(KIND).full_db == FULL_DB


def test_a_tie_and_fitting_draughts_of_the_silent_ship_weigh():
    assert TIED > strength(gaps=[falls_silent(KOREAN)]) > FITTING > 0.0
    assert TIED * FULL_DB > FLAGGED_DB > FITTING * FULL_DB


@pytest.mark.parametrize(
    ("stay", "gap"),
    [
        (loiters(**LIGHTER), falls_silent(**LIGHTER)),
        (loiters(**LIGHTER), falls_silent(start_draught_m=5.0, end_draught_m=5.0)),
        (loiters(start_draught_m=8.0, end_draught_m=8.0), falls_silent()),
        (loiters(), falls_silent()),
    ],
    ids=["both lighter", "the silent one unchanged", "the seen one unchanged", "nothing known"],
)
def test_draughts_that_do_not_fit_weigh_less(stay, gap):
    assert strength(stay, [gap]) < strength(loiters(**LIGHTER), [falls_silent(**DEEPER)])


@pytest.mark.parametrize("reception", ["outage", "unheard_place", "class_thinned", "unknown", None])
def test_a_silence_that_reception_explains_blames_nobody(reception):
    assert strength(gaps=[falls_silent(reception=reception)]) == 0.0


def test_an_open_silence_counts_like_a_closed_one_and_keeps_its_id_when_it_closes():
    still, closed = (findings(gaps=[falls_silent(KOREAN, end=end)]) for end in (None, 9.0))
    assert still[GIVER].strength == closed[GIVER].strength > 0.0
    assert still[KOREAN].end is None
    assert still[KOREAN].finding_id == closed[KOREAN].finding_id


@pytest.mark.parametrize(
    "gap",
    [
        falls_silent(KOREAN, start=5.3, end=7.0),
        falls_silent(KOREAN, start=4.0, end=5.2),
        falls_silent(KOREAN, place=(45.0, 138.0)),
        falls_silent(KOREAN, to=(38.5, 124.5), end=5.5),
        falls_silent(KOREAN, fastest_kn=3.0, cruise_kn=3.0),
    ],
    ids=["silent too late", "heard too early", "too far before", "too far afterwards", "too slow"],
)
def test_a_silent_ship_that_could_not_have_been_there_is_not_named(gap):
    assert not findings(gaps=[gap])


def test_the_way_goes_by_water():
    """From the east coast of Korea to the west: 110 nmi as the crow flies, 500 by water."""
    stay = loiters(place=(37.0, 124.6), hours=10.0, **LIGHTER)
    gap = falls_silent(KOREAN, start=4.5, end=6.0, place=(37.0, 130.4), **DEEPER)
    assert distance_nmi(37.0, 124.6, 37.0, 130.4) < 0.5 * 24 * 12.0 * 2
    assert not findings(stay, [gap], detector=Rendezvous(near_port_nmi=0.0))
    west = falls_silent(KOREAN, start=4.5, end=6.0, place=(37.0, 123.0), **DEEPER)
    assert findings(stay, [west], detector=Rendezvous(near_port_nmi=0.0))


def test_one_tanker_that_was_silent_by_choice_and_no_more_is_told_at_the_least_strength_and_not_named():
    made = findings(gaps=[falls_silent()])
    assert {mmsi: (one.strength, one.other_mmsi) for mmsi, one in made.items()} == {GIVER: (LEAST_STRENGTH, ())}


@pytest.mark.parametrize(
    ("said", "gap"),
    [
        ({"nav_status": 1}, {}),
        ({"hours": 30.0}, {}),
        ({"n_ships_ever": 20}, {}),
        ({"n_ships_near": 5}, {}),
        ({}, {"reception": "outage"}),
        ({}, {"reception": "unheard_place"}),
        ({"shore_nmi": 9.0}, {}),
    ],
    ids=[
        "at anchor",
        "longer than a day",
        "a usual place",
        "in company",
        "an outage",
        "nobody is heard",
        "by the coast",
    ],
)
def test_where_an_ordinary_reason_shows_it_is_not_told(said, gap):
    assert strength(loiters(), [falls_silent()]) == LEAST_STRENGTH
    assert strength(loiters(**said), [falls_silent(**gap)]) == 0.0


def test_a_type_that_the_draught_belies_is_not_enough_alone():
    assert strength(loiters(**LIGHTER), [falls_silent()], ships=[*ship(GIVER, FISHING, 45.0), *ship(TAKER)]) == 0.0


@pytest.mark.parametrize(("mmsi", "n_named"), [(600100000, 0), (445200000, 0)], ids=["of any flag", "of the DPRK's"])
def test_of_fifty_silent_ships_alike_none_is_named(mmsi, n_named):
    crowd = [mmsi + i for i in range(50)]
    ships = [*ship(GIVER), *(spell for mmsi in crowd for spell in ship(mmsi))]
    made = findings(gaps=[falls_silent(mmsi, **DEEPER) for mmsi in crowd], ships=ships)
    assert set(made) <= {GIVER}
    assert all(len(finding.other_mmsi) == n_named for finding in made.values())
    assert all(finding.strength * FULL_DB < FLAGGED_DB + 4.0 for finding in made.values())


def test_the_weight_falls_with_the_number_of_silent_ships_that_could_have_been_there():
    def crowded(n):
        crowd = [600100000 + i for i in range(n)]
        ships = [*ship(GIVER), *ship(KOREAN), *(spell for mmsi in crowd for spell in ship(mmsi))]
        gaps = [falls_silent(KOREAN, **DEEPER), *(falls_silent(mmsi) for mmsi in crowd)]
        return strength(loiters(), gaps, ships)

    few, some, many = (crowded(n) for n in (3, 12, 48))
    assert few > some > many
    assert (few - many) * FULL_DB == pytest.approx(10.0 * np.log10((49 + 5) / (4 + 5)), abs=0.1)


def test_a_silent_ship_is_named_where_she_fits_best_and_hardly_elsewhere():
    others = [700000001 + i for i in range(4)]
    ships = [*ship(GIVER), *ship(KOREAN), *(spell for mmsi in others for spell in ship(mmsi))]
    unchanged = {"start_draught_m": 7.0, "end_draught_m": 7.0}
    stays = [
        loiters(**LIGHTER),
        *(loiters(mmsi, place=(29.0, 124.0 + i / 4), **unchanged) for i, mmsi in enumerate(others)),
    ]
    made = found(Rendezvous(), scene_of(ships, loitering=stays, gaps=[falls_silent(KOREAN, **DEEPER)]), KIND)
    assert made[KOREAN].other_mmsi[0] == GIVER
    assert all(made[mmsi].strength * FULL_DB < FLAGGED_DB for mmsi in others if mmsi in made)
    assert made[GIVER].strength * FULL_DB > FLAGGED_DB


@pytest.mark.parametrize(
    "stay",
    [
        loiters(nav_status=2, hours=19.0),
        loiters(hours=80.0, start_draught_m=9.0, end_draught_m=9.0),
        loiters(nav_status=7),
        loiters(n_ships_ever=40, n_ships_near=12),
    ],
    ids=["engine trouble", "waiting for orders", "status fishing", "a usual waiting place"],
)
def test_ordinary_stops_beside_one_silent_ship_flag_no_voyage(stay):
    assert strength(stay, [falls_silent()]) * FULL_DB < 6.0


@pytest.mark.parametrize(
    "stay",
    [
        loiters(place=(35.03, 129.06), **LIGHTER),
        loiters(place=(30.1, 122.48), **LIGHTER),
        loiters(shore_nmi=6.0, **LIGHTER),
        loiters(hours=3.0, **LIGHTER),
    ],
    ids=["off Busan", "Zhoushan roads", "near the coast", "too short"],
)
def test_stops_in_roads_near_the_coast_or_short_are_passed_over(stay):
    assert strength(stay) == 0.0


def test_a_ship_beside_which_another_was_seen_was_not_alone():
    beside = encounter(GIVER, THIRD, start=5.1, hours=6.0)
    assert strength(encounters=[beside], ships=[*ship(GIVER), *ship(KOREAN), *ship(THIRD)]) == 0.0


def test_a_draught_that_a_meeting_soon_after_explains_does_not_count():
    soon, later = (encounter(GIVER, THIRD, start=day, hours=6.0) for day in (6.5, 12.0))
    ships = [*ship(GIVER), *ship(KOREAN), *ship(THIRD)]
    assert strength(encounters=[soon], ships=ships) < strength(encounters=[later], ships=ships) == TIED


@pytest.mark.parametrize("types", [(FISHING, TANKER), (TANKER, FISHING), (52, TANKER), (TANKER, None)])
def test_only_carriers_are_looked_at(types):
    seen, silent = types
    ships = [*ship(GIVER, seen, 45.0), *ship(TAKER, silent, 45.0 if silent else None)]
    assert not findings(gaps=[falls_silent(**DEEPER)], ships=ships)


def test_a_tanker_and_a_bulk_carrier_have_little_to_give_each_other():
    assert strength(gaps=[falls_silent(**DEEPER)], ships=[*ship(GIVER), *ship(TAKER, CARGO)]) < strength(
        gaps=[falls_silent(**DEEPER)]
    )


def test_a_ship_silent_from_and_to_one_port_was_most_likely_there():
    in_port = falls_silent(KOREAN, place=(30.06, 122.1), **DEEPER)
    assert strength(gaps=[in_port]) < TIED


def test_her_own_silence_is_no_partner():
    assert not findings(gaps=[falls_silent(GIVER)])
    assert not findings(gaps=[{**falls_silent(THIRD), "hull_id": f"hull-{GIVER}"}], ships=[*ship(GIVER), *ship(THIRD)])


def test_two_ships_of_the_trade_have_ordinary_reasons_to_meet():
    ships = [*ship(GIVER), *ship(KOREAN)]
    tied = findings(ships=ships, port_visits=[calls(GIVER, "KP_NAMPO", 12, 14)])[GIVER]
    assert "both are tied to the DPRK" in " ".join(line.observed for line in tied.evidence)
    assert "her own tie" not in weights(tied)


def test_a_declared_port_that_does_not_fit_weighs():
    bound = [*ship(GIVER, destination="HONG KONG"), *ship(TAKER)]
    gaps = [falls_silent(**DEEPER)]
    there = strength(gaps=gaps, ships=bound, port_visits=[calls(GIVER, "HK_HONGKONG", 8, 9)])
    elsewhere = strength(gaps=gaps, ships=bound, port_visits=[calls(GIVER, "CN_NINGBO", 8, 9)])
    assert elsewhere > there


def test_before_the_ban_it_weighs_half():
    shift = at(0).replace(year=2017, month=6) - at(0)

    def moved(rows):
        instants = ("start", "end", "first_seen", "last_seen")
        return [{k: v + shift if k in instants and v else v for k, v in row.items()} for row in rows]

    ships = moved([*ship(GIVER), *ship(KOREAN)])
    made = findings(moved([loiters(**LIGHTER)])[0], moved([falls_silent(KOREAN, **DEEPER)]), ships)
    assert made[GIVER].strength == pytest.approx(TIED / 2, abs=1e-3)
    assert "before UNSCR 2375" in made[GIVER].headline


def test_without_a_part_of_the_dprk_no_measure_against_it_is_cited():
    def cited(mmsi):
        made = findings(loiters(**LIGHTER), [falls_silent(mmsi, **DEEPER)], [*ship(GIVER), *ship(mmsi)])
        return {line.what == "UN measure in force" for line in made[GIVER].evidence}

    assert True in cited(KOREAN)
    assert cited(TAKER) == {False}


# --- the fast sieve against a slow, obvious twin ---


def slowly(stays, gaps, parameters):
    """Pairs by plain arithmetic, one by one."""
    pairs = set()
    for i, stay in enumerate(stays):
        for j, gap in enumerate(gaps):
            speed = max(gap["fastest_kn"] or 0.0, gap["cruise_kn"] or 0.0) or parameters.unknown_speed_kn
            to = float(distance_nmi(gap["start_lat"], gap["start_lon"], stay["lat"], stay["lon"]))
            arrives = instant_us(gap["start"]) / US_PER_H + to / min(speed, 25.0)
            leaves = instant_us(gap["end"] or at(30)) / US_PER_H
            if gap["end"] is not None:
                on = float(distance_nmi(gap["end_lat"], gap["end_lon"], stay["lat"], stay["lon"]))
                leaves -= on / min(speed, 25.0)
            begins, ends = (instant_us(stay[name]) / US_PER_H for name in ("start", "end"))
            if min(leaves, ends) - max(arrives, begins) >= parameters.min_stay_h:
                pairs.add((i, j))
    return pairs


def test_the_sieve_finds_the_pairs_that_plain_arithmetic_finds():
    rng = np.random.default_rng(4)
    stays = [
        loiters(900 + i, rng.uniform(2, 9), rng.uniform(4, 40), place=(rng.uniform(20, 40), rng.uniform(-181, -175)))
        for i in range(40)
    ]
    stays = [{**row, "lon": (row["lon"] + 180.0) % 360.0 - 180.0} for row in stays]
    gaps = [
        falls_silent(
            500 + i,
            rng.uniform(0, 8),
            None if rng.random() < 0.2 else rng.uniform(9, 14),
            place=(rng.uniform(20, 40), rng.uniform(170, 180)),
            to=(rng.uniform(20, 40), rng.uniform(170, 180)),
            fastest_kn=None if rng.random() < 0.2 else rng.uniform(3, 15),
            cruise_kn=None,
        )
        for i in range(120)
    ]
    parameters, now = Rendezvous(), instant_us(at(30))
    table = event_tables.GAPS.build({c: [row.get(c) for row in gaps] for c in event_tables.GAPS.names})
    kept = usable_gaps(table, frozenset(row["mmsi"] for row in gaps), now, parameters)
    ordered = kept.to_pylist()
    pairs = feasible(stays_of(stays, at(30)), gaps_of(kept, now, parameters), parameters)
    quick = set(zip(pairs.stay.tolist(), pairs.gap.tolist(), strict=True))
    assert quick == slowly(stays, ordered, parameters)
    assert 20 < len(quick) < 40 * 120
    assert pairs.stay.dtype == pairs.gap.dtype == np.int32
    some = np.arange(min(5, len(pairs.stay)))
    wet = by_water(
        stays_of(stays, at(30)),
        gaps_of(kept, now, parameters),
        pairs.stay[some],
        pairs.gap[some],
        ZONES.sea,
        parameters,
    )
    assert (wet.to_nmi >= 0.0).all()
    assert set(zip(wet.stay.tolist(), wet.gap.tolist(), strict=True)) <= quick


def test_weights_as_arrays_add_up_to_the_reasons_in_words():
    rng = np.random.default_rng(7)
    roles, gains = ["tanker", "cargo", "unknown", "other"], [None, -2.0, 0.0, 0.1, 1.5]
    said = ["heard", "outage", "unheard_place", "class_thinned", "unknown", None]

    def party(mmsi, belied=""):
        role = str(rng.choice(roles))
        return Party(mmsi, f"segment-{mmsi}", f"hull-{mmsi}", None, None, None, None, role, belied)

    def row(gain, **more):
        return {"start_draught_m": 6.0, "end_draught_m": None if gain is None else 6.0 + gain, **more}

    def some_ties():
        return [Tie(float(rng.integers(5, 15)), "called", "x")] * int(rng.integers(0, 3))

    stays = [Stay(row(gains[i % 5]), party(100 + i), None, at(5)) for i in range(20)]
    silences = [
        Silence(row(gains[rng.integers(5)], reception=said[i % 6]), party(300 + i, "x" * (i % 2)), "y" * (i % 3 == 0))
        for i in range(30)
    ]
    stay_ties, gap_ties = [some_ties() for _ in stays], [some_ties() for _ in silences]
    stay, gap = (one.ravel() for one in np.meshgrid(np.arange(20), np.arange(30)))
    pairs = weigh_pairs(stay, gap, stays, silences, stay_ties, gap_ties, Rendezvous())
    carry = [
        s.party.role in ("tanker", "cargo") or (s.party.role == "unknown" and t)
        for s, t in zip(silences, gap_ties, strict=True)
    ]
    assert len(pairs.stay) == 20 * sum(map(bool, carry))
    for i, j, own_db in zip(pairs.stay.tolist(), pairs.gap.tolist(), pairs.own_db.tolist(), strict=True):
        reasons = silent_reasons(stays[i], silences[j], gap_ties[j], stay_ties[i])
        assert own_db == pytest.approx(total_db([*reasons, *fit_reasons(stays[i], silences[j], Rendezvous())]))


def test_gaps_without_a_place_or_of_others_than_carriers_are_left_out():
    rows = [falls_silent(), {**falls_silent(THIRD), "start_lat": None}, {**falls_silent(THIRD, 4.1), "end_lat": None}]
    table = event_tables.GAPS.build({c: [row.get(c) for row in rows] for c in event_tables.GAPS.names})
    kept = usable_gaps(table, frozenset({TAKER, THIRD}), instant_us(at(30)), Rendezvous())
    assert kept["mmsi"].to_pylist() == [TAKER]
    assert usable_gaps(table, frozenset(), instant_us(at(30)), Rendezvous()).num_rows == 0
    assert isinstance(kept, pa.Table)
