"""Each piece of evidence: the direction it bites in, what silences it, and how the pieces add up."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.hulls.builders import (
    DAYS,
    H,
    Place,
    Silence,
    Track,
    bystanders,
    measured,
    moved,
    papers,
    ship_mmsi,
    weighed,
    weights_of,
)
from vessels.hulls import evidence
from vessels.hulls.evidence import (
    BODIES,
    CLAIMED,
    CLAIMS_CAP_DB,
    CLASS,
    CRUISE,
    DRAUGHT,
    HABIT,
    HEARD,
    IMO_DIFFERS_DB,
    NUMBERS,
    OVERLAP,
    PLACE,
    QUIET,
    SET,
    STEEL_DB,
    weigh_pairs,
)
from vessels.hulls.parameters import DEFAULT_LINKS

HERE: Place = (38.5, 124.3)
OTHERS = bystanders(200)


def pair(
    gap: float = 6 * H,
    nmi: float = 0.3,
    course: float = 90.0,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    **said: Any,
) -> list[Track]:
    """A track that ends in a roadstead, one that begins near by and says `said`, then two hundred others."""
    before = Track(ship_mmsi(1), 2.0, 20.0, (35.0, 129.0), HERE, papers(1))
    after = Track(ship_mmsi(2), 20.0 + gap, 55.0, moved(HERE, nmi, course), (36.0, 122.0), papers(2, **said))
    return [replace(before, **(old or {})), replace(after, **(new or {})), *OTHERS]


SAME_BODY = {name: papers(1)[name] for name in ("length_m", "beam_m", "ship_type")}


def nothing_said(track: Track) -> Track:
    return replace(track, said={}, born_kn=None, died_kn=None, cruise_kn=None, interval_s=None, draught_m=(None, None))


def test_what_is_unknown_says_nothing():
    tracks = pair()
    blank = [nothing_said(track) for track in tracks[:2]] + OTHERS
    for one in (blank, [blank[0], *tracks[1:]], [tracks[0], blank[1], *OTHERS]):
        weights = weights_of(one)
        unknown = {BODIES, DRAUGHT, CLASS, SET, HABIT, CRUISE, CLAIMED, NUMBERS, OVERLAP}
        assert {name for name, weight in weights.items() if np.isnan(weight)} == unknown
        assert np.isfinite(weights[PLACE]) and weights[HEARD] == 0.0


def test_all_evidence_together_is_the_sum_of_what_is_known():
    found = weighed(pair(), [(0, 1), (1, 0), (5, 1)])
    columns = np.array(list(found.weights.values()))
    assert found.total_db.tolist() == pytest.approx(np.nansum(columns, axis=0).tolist())
    assert found.take(np.array([2, 0])).total_db.tolist() == [found.total_db[2], found.total_db[0]]


# Place and time


def test_nearer_is_likelier():
    weights = [weights_of(pair(nmi=nmi))[PLACE] for nmi in (0.1, 0.5, 2.0, 10.0, 50.0, 200.0)]
    assert weights == sorted(weights, reverse=True) and weights[0] > weights[-1] + 30


def test_sooner_is_likelier():
    weights = [weights_of(pair(gap=gap))[PLACE] for gap in (H, 6 * H, 1.0, 5.0, 30.0)]
    assert weights == sorted(weights, reverse=True) and weights[0] > weights[-1] + 20


def test_a_longer_overlap_is_no_likelier_than_a_gap_as_long():
    for hours in (0.15, 2.0, 20.0):
        assert weights_of(pair(gap=-hours * H))[PLACE] <= weights_of(pair(gap=hours * H))[PLACE] + 0.1


def test_a_crowded_place_proves_less():
    def with_crowd(n: int) -> float:
        crowd = [
            Track(ship_mmsi(500 + k), 1.0 + k * 50.0 / n, DAYS, moved(HERE, 1.0, 40.0 * k), HERE, papers(500 + k))
            for k in range(n)
        ]
        return weights_of(pair() + crowd)[PLACE]

    weights = [with_crowd(n) for n in (1, 10, 100)]
    assert weights == sorted(weights, reverse=True) and weights[0] > weights[-1] + 15


def under_way(run_h: float, course: float, before: float = 12.0, after: float = 12.0) -> float:
    """The weight of place for a run east at 12 kn, seen again on some bearing."""
    tracks = pair(
        gap=run_h * H, nmi=12.0 * run_h, course=course,
        old={"died_kn": before, "died_cog": 90.0, "at": (-30.0, 10.0)}, new={"born_kn": after, "born_cog": 90.0},
    )  # fmt: skip
    return weights_of(tracks[:2])[PLACE]


def test_a_ship_under_way_is_looked_for_where_her_course_led():
    ahead, abeam, astern = (under_way(2.0, course) for course in (90.0, 0.0, 270.0))
    assert ahead > abeam + 10 and ahead > astern + 10
    assert ahead > under_way(2.0, 90.0, before=0.0, after=0.0) + 10


def test_half_a_day_under_way_is_too_long_for_reckoning():
    assert under_way(11.9, 90.0) > under_way(11.9, 270.0) + 3
    assert under_way(12.1, 90.0) == pytest.approx(under_way(12.1, 270.0), abs=0.01)


@pytest.mark.parametrize("place", [(0.0, 179.95), (60.0, -179.99), (89.5, 10.0), (-75.0, 0.0)])
def test_place_is_weighed_alike_all_over_the_globe(place):
    def here(track: Track, **where: Place) -> Track:
        return replace(track, **where)

    old, new = pair()[:2]
    lone = [here(old, to=place), here(new, at=moved(place, 0.3, 90.0))]
    at_home = [here(old, to=(place[0], 20.0)), here(new, at=moved((place[0], 20.0), 0.3, 90.0))]
    assert weights_of(lone)[PLACE] == pytest.approx(weights_of(at_home)[PLACE], abs=0.01)


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.01, 89.0), st.floats(0.0, 3000.0), st.floats(0.0, 359.0))
def test_the_weight_of_a_place_is_a_number_wherever_it_is(gap, nmi, course):
    assert np.isfinite(weights_of(pair(gap=gap, nmi=min(nmi, 1500.0), course=course)[:2])[PLACE])


# Bodies


def test_the_same_body_speaks_for_and_another_against():
    same = weights_of(pair(**SAME_BODY))[BODIES]
    retyped = weights_of(pair(length_m=SAME_BODY["length_m"] + 6.0, beam_m=SAME_BODY["beam_m"] + 1.0))[BODIES]
    other = weights_of(pair(length_m=SAME_BODY["length_m"] + 90.0, beam_m=SAME_BODY["beam_m"] + 15.0))[BODIES]
    assert same > 10 > retyped > other and other < -3


def test_a_common_body_says_less_than_a_rare_one():
    sisters = [replace(track, said={**track.said, **SAME_BODY}) for track in OTHERS[:100]]
    assert weights_of(pair(**SAME_BODY)[:2] + sisters)[BODIES] < weights_of(pair(**SAME_BODY))[BODIES] - 6


def test_length_alone_says_less_than_length_and_beam():
    without = {**SAME_BODY, "beam_m": None}
    alone = weights_of(pair(old={"said": papers(1, beam_m=None)}, **without))[BODIES]
    assert 0 < alone < weights_of(pair(**SAME_BODY))[BODIES]


@pytest.mark.parametrize(("length", "beam"), [(0.0, 0.0), (1022.0, 126.0), (1.0, 1.0), (511.0, 62.0), (50.0, 50.0)])
def test_garbage_dimensions_say_nothing(length, beam):
    garbage = {"length_m": length, "beam_m": beam}
    assert np.isnan(weights_of(pair(old={"said": papers(1, **garbage)}, **garbage))[BODIES])
    assert np.isnan(weights_of(pair(**garbage))[BODIES])


def test_static_data_of_noughts_say_nothing():
    noughts = {"imo": 0, "ship_type": 0, "length_m": 0.0, "beam_m": 0.0, "name": None, "call_sign": None}
    weights = weights_of(pair(old={"said": {**papers(1), **noughts}}, **noughts))
    assert all(np.isnan(weights[name]) for name in (BODIES, CLASS, CLAIMED, NUMBERS))


def test_steel_does_not_grow_under_one_number():
    other = {"length_m": SAME_BODY["length_m"] + 90.0, "beam_m": SAME_BODY["beam_m"] + 15.0}
    assert weights_of(pair(imo=papers(1)["imo"], **other))[BODIES] == STEEL_DB
    assert weights_of(pair(new={"mmsi": ship_mmsi(1)}, **other))[BODIES] == STEEL_DB


# Habits, class and draught


def test_equal_draughts_speak_for_and_a_cargo_loaded_in_no_time_against():
    def draughts(before: float, after: float, gap: float = 6 * H) -> float:
        return weights_of(pair(gap=gap, old={"draught_m": (3.0, before)}, new={"draught_m": (after, 3.0)}))[DRAUGHT]

    assert draughts(7.2, 7.3) > 0 > draughts(7.2, 4.0)
    assert draughts(7.2, 6.0) == 0.0 == draughts(7.2, 4.0, gap=3.0)


@pytest.mark.parametrize(("what", "claim"), [(CLASS, {"ship_type": 80}), (SET, {"transceiver": "B"})])
def test_an_equal_class_or_set_speaks_for_only_where_no_body_does(what, claim):
    old, lengths = papers(1, **claim), ("length_m", "beam_m")
    alike = {**{name: old[name] for name in lengths}, **claim}
    other = {"length_m": 3.0 * old["length_m"], "beam_m": 3.0 * old["beam_m"], **claim}
    unknown = {**dict.fromkeys(lengths), **claim}
    told = [weights_of(pair(old={"said": old}, **said))[what] for said in (alike, other, unknown)]
    assert told[0] == 0.0 < told[1] == pytest.approx(told[2])
    unlike = {**alike, **({"ship_type": 30} if what == CLASS else {"transceiver": "A"})}
    assert weights_of(pair(old={"said": old}, **unlike))[what] < 0.0


def test_the_same_class_of_ship_speaks_for_and_another_against():
    assert weights_of(pair(ship_type=80, old={"said": papers(1, ship_type=81)}))[CLASS] > 0
    assert weights_of(pair(ship_type=30, old={"said": papers(1, ship_type=81)}))[CLASS] < 0


@pytest.mark.parametrize("code", [0, 38, 90, 99, None])
def test_a_class_that_means_nothing_says_nothing(code):
    assert np.isnan(weights_of(pair(ship_type=code))[CLASS])


def test_a_class_b_set_does_not_become_class_a():
    assert weights_of(pair(transceiver="B"))[SET] < -5
    rare = pair(transceiver="B", old={"said": papers(1, transceiver="B")})
    assert weights_of(rare)[SET] > 5 > abs(weights_of(pair())[SET])


def test_like_habits_speak_for_and_others_against_within_bounds():
    alike = weights_of(pair())
    other = weights_of(pair(new={"interval_s": 9000.0, "cruise_kn": 25.0}))
    for name, (low, high) in ((HABIT, evidence.INTERVAL_DB), (CRUISE, evidence.CRUISE_DB)):
        assert low <= other[name] < 0 < alike[name] <= high


# Claims


def test_another_imo_number_is_weighed_and_no_veto():
    assert weights_of(pair())[NUMBERS] == IMO_DIFFERS_DB
    assert -10 < IMO_DIFFERS_DB < 0
    assert np.isnan(weights_of(pair(imo=None))[NUMBERS])


def test_the_same_numbers_and_names_speak_for():
    said = papers(1)
    assert weights_of(pair(imo=said["imo"]))[NUMBERS] == pytest.approx(40.0)
    assert weights_of(pair(name=said["name"]))[CLAIMED] == pytest.approx(30.0)
    assert weights_of(pair(call_sign=said["call_sign"]))[CLAIMED] == pytest.approx(30.0)
    assert weights_of(pair(new={"mmsi": ship_mmsi(1)}, imo=None))[NUMBERS] == pytest.approx(35.0)


@pytest.mark.parametrize("claim", ["imo", "name", "call_sign"])
def test_a_claim_that_many_bear_says_nothing(claim):
    value = papers(1)[claim]

    def with_bearers(n: int) -> float:
        crowd = [replace(track, said={**track.said, claim: value}) for track in OTHERS[:n]]
        weights = weights_of(pair(**{claim: value})[:2] + crowd + OTHERS[n:])
        return float(np.nan_to_num(weights[NUMBERS if claim == "imo" else CLAIMED]))

    found = [with_bearers(n) for n in (0, 1, 5, 20, 199)]
    assert found == sorted(found, reverse=True) and found[0] >= 30.0 and found[-1] <= (0.0 if claim != "imo" else 0.5)


def test_an_mmsi_under_which_a_thousand_tracks_sail_says_nothing():
    crowd = [replace(track, mmsi=123_456_789) for track in OTHERS]
    tracks = [replace(track, mmsi=123_456_789, said={}) for track in pair()[:2]] + crowd
    assert weights_of(tracks)[NUMBERS] == 0.0


def test_no_borrowed_claim_makes_a_pair_less_likely():
    said, same_mmsi = papers(1), {"mmsi": ship_mmsi(1)}
    borrowed = [{}, {"imo": said["imo"]}, {"imo": said["imo"], "name": said["name"]}]
    borrowed.append({**borrowed[-1], "call_sign": said["call_sign"]})
    for new in ({}, same_mmsi):
        together = [
            float(np.nansum([weights[NUMBERS], weights[CLAIMED]]))
            for weights in (weights_of(pair(new=new, **claims)) for claims in borrowed)
        ]
        assert together == sorted(together)
        assert together[-1] == pytest.approx(CLAIMS_CAP_DB)


def test_an_equal_claim_never_speaks_against():
    weights = weights_of(pair(new={"mmsi": ship_mmsi(1)}, **{c: papers(1)[c] for c in ("imo", "name", "call_sign")}))
    assert weights[CLAIMED] >= 0 and weights[NUMBERS] >= 0


# The edge of the data


def quiet(old: dict[str, Any] | None = None, new: dict[str, Any] | None = None) -> float:
    return weights_of(pair(old=old, new=new))[QUIET]


def test_a_track_that_ends_as_the_data_end_may_go_on_and_one_born_as_they_begin_may_have_been_there():
    assert quiet() == 0.0
    ended = [quiet(old={"died": died}) for died in (DAYS - 2.0, DAYS - 3 * H, DAYS - 0.5 * H)]
    assert ended == sorted(ended, reverse=True) and ended[0] == 0.0 > ended[1] > ended[2]
    born = [quiet(new={"born": born}) for born in (2.0, 3 * H, 0.5 * H)]
    assert born == pytest.approx(ended, abs=0.5)


def test_a_ship_heard_seldom_must_be_silent_the_longer():
    assert quiet(old={"died": DAYS - 1.0, "longest_h": 1.0}) == 0.0
    assert quiet(old={"died": DAYS - 1.0, "longest_h": 20.0}) < 0.0
    assert quiet(new={"born": 1.0, "longest_h": 20.0}) < 0.0


def test_what_ties_a_pair_is_of_the_hull_or_its_papers_and_not_the_place():
    bare = [nothing_said(track) for track in pair()[:2]]
    assert not weighed(bare, [(0, 1)]).is_tied[0]
    tied = [pair(), pair(**SAME_BODY), pair(imo=papers(1)["imo"]), pair(name=papers(1)["name"])]
    assert all(weighed(tracks, [(0, 1)]).is_tied[0] for tracks in tied)


# Heard before and after


def other_life(mmsi: int, born: float, died: float) -> Track:
    return Track(mmsi, born, died, (0.0, 80.0), (5.0, 85.0), {})


def test_a_new_number_heard_before_and_an_old_one_heard_again_speak_against():
    tracks = pair()
    old, new = tracks[0].mmsi, tracks[1].mmsi
    assert weights_of(tracks)[HEARD] == 0.0
    once = evidence.HEARD_BEFORE_DB
    assert weights_of([*tracks, other_life(new, 1.0, 3.0)])[HEARD] == once
    assert weights_of([*tracks, other_life(old, 30.0, 40.0)])[HEARD] == once
    assert weights_of([*tracks, other_life(old, 30.0, 40.0), other_life(new, 1.0, 3.0)])[HEARD] == 2 * once


def test_an_old_numbers_earlier_life_and_a_new_ones_later_life_say_nothing():
    tracks = pair()
    lives = [other_life(tracks[0].mmsi, 0.5, 1.5), other_life(tracks[1].mmsi, 56.0, 59.0)]
    assert weights_of(tracks + lives)[HEARD] == 0.0


def test_waking_from_a_silence_is_not_being_heard_on_another_track():
    silent = replace(pair()[0], died=50.0, silences=(Silence(20.0, 30.0, HERE, HERE),))
    tracks = [silent, replace(pair()[1], died=29.0), *OTHERS]
    ends, starts, background = measured(tracks)
    n = len(tracks)
    e, s = np.array([n, 1]), np.array([1, n])
    weights = weigh_pairs(ends, starts, e, s, background, DEFAULT_LINKS).weights[HEARD]
    assert weights.tolist() == [0.0, 0.0]


def test_both_on_the_air_at_once_speaks_against():
    assert np.isnan(weights_of(pair())[OVERLAP])
    assert weights_of(pair(gap=-5 * H))[OVERLAP] < 0
