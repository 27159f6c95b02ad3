"""Reasons for and against the true bearer of an identity weigh what they say, and ignorance weighs nothing."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from detectors.rules.identity.bearers import Contest, weigh_bearers
from detectors.rules.identity.claims import Spell
from detectors.rules.identity.detector import Identity
from detectors.rules.identity.grounds import Call, Claimant, Former

OWNER, THIEF = 352001870, 457300610
DAY_US = 86_400_000_000


def said(mmsi: int, first_day: float, last_day: float, **fields: Any) -> Spell:
    values: dict[str, Any] = dict.fromkeys(Spell._fields, 0) | {
        name: 10.0 for name in Spell._fields if name.endswith(("lat", "lon"))
    }
    values |= {"mmsi": mmsi, "hull_id": f"h{mmsi}", "segment_id": f"s{mmsi}", "transceiver": "A", "n_reports": 100}
    values |= {"name": None, "call_sign": None, "beam_m": float("nan"), "length_m": float("nan")}
    first_us, last_us = int(first_day * DAY_US), int(last_day * DAY_US)
    return Spell(**{**values, "imo": 2000004, **fields, "first_us": first_us, "last_us": last_us})


def claimant(mmsi: int, first_day: float, last_day: float, **fields: Any) -> Claimant:
    own = {name: fields.pop(name) for name in ("other", "former", "calls", "silent_h") if name in fields}
    bore = (said(mmsi, first_day, last_day, **fields),)
    names = frozenset({f"s{mmsi}"}), frozenset({f"h{mmsi}"})
    return Claimant(f"MMSI {mmsi}", (mmsi,), *names, bore[0].first_us, bore[0].last_us, bore, **own)


def weighed(*claimants: Claimant, formerly: Sequence[Claimant] = (), of_mmsi: bool = False) -> Contest:
    return weigh_bearers(claimants, formerly, Identity(), of_mmsi)


def share(contest: Contest, mmsi: int = THIEF) -> float:
    bearing = contest.of(mmsi)
    assert bearing is not None
    return bearing.probability


def test_two_heard_from_the_beginning_of_the_data_are_even() -> None:
    even = weighed(claimant(OWNER, 0, 40), claimant(THIEF, 0, 40))
    assert even.true is None
    assert [one.probability for one in even.bearings] == [0.5, 0.5]
    assert not any(one.reasons for one in even.bearings)


def test_the_longer_one_bore_it_before_the_other_the_likelier_it_is_the_bearer() -> None:
    days = (0, 0.02, 1, 7, 21, 60, 600)
    shares = [share(weighed(claimant(OWNER, 0, 700), claimant(THIEF, lead, 700)), OWNER) for lead in days]
    assert shares == sorted(shares)
    assert shares[1] < 0.51, "minutes say nothing"
    assert shares[3] < 0.8 < shares[4] < shares[-1] <= 0.92, "time alone never makes it certain"
    late = weighed(claimant(OWNER, 0, 700), claimant(THIEF, 21, 700))
    assert late.by_time_only


def test_a_visitor_with_its_own_particulars_that_comes_two_days_late_is_not_blamed() -> None:
    """Each of two ships keeps its own name and length: that tells them apart, not which of them is right."""
    own = {"length_m": 90.0, "beam_m": 14.0, "name": "PALE HERON", "ship_type": 70}
    other = {"length_m": 180.0, "beam_m": 28.0, "name": "STORM PETREL", "ship_type": 80}
    assert weighed(claimant(OWNER, 0, 40, **own), claimant(THIEF, 2, 40, **other)).true is None


@pytest.mark.parametrize(
    ("against", "note"),
    [
        ({"other": (said(THIEF, -9, -1, imo=2000016),)}, "another number before"),
        ({"other": (said(THIEF, 31, 39, imo=2000016),)}, "another number after"),
        ({"former": (Former("SU RI 7", 0.95, True),)}, "its hull was another before"),
        ({"former": (Former("SU RI 7", 0.95, False),)}, "its hull was another after"),
    ],
)
def test_who_was_another_ship_before_or_after_is_not_the_bearer(against: dict[str, Any], note: str) -> None:
    contest = weighed(claimant(OWNER, 0, 30), claimant(THIEF, 0, 30, **against))
    assert contest.true is not None, note
    assert contest.true.claimant.mmsi == (OWNER,)
    assert not contest.by_time_only


@pytest.mark.parametrize(
    ("against", "note"),
    [
        ({"call_sign": "UBAB7"}, "a Russian call sign under a Mongolian number"),
        ({"mmsi": 365000111}, "digits of no state"),
        ({"other": (said(THIEF, -9, -1, imo=0, name="GREY GULL"),)}, "another name before, no number"),
        ({"silent_h": 600.0}, "mostly silent"),
        ({"former": (Former("SU RI 7", 0.5, True),)}, "a link as likely as not"),
    ],
)
def test_weak_reasons_count_but_do_not_decide_alone(against: dict[str, Any], note: str) -> None:
    plain = {"imo": 2000004}
    mmsi = against.pop("mmsi", THIEF)
    contest = weighed(claimant(OWNER, 0, 30, **plain), claimant(mmsi, 0, 30, **plain, **against))
    assert share(contest, mmsi) < 0.45, note
    assert contest.true is None, note


def test_a_link_weighs_as_the_doubt_it_leaves_and_an_unlikely_one_not_at_all() -> None:
    shares = [
        share(weighed(claimant(OWNER, 0, 30), claimant(THIEF, 0, 30, former=(Former("SU RI 7", p, True),))))
        for p in (0.2, 0.5, 0.86, 0.99, 1.0)
    ]
    assert shares[0] == 0.5
    assert shares == sorted(shares, reverse=True)
    assert shares[2] == pytest.approx(0.14 / 1.14, abs=0.001)
    assert shares[-1] > 0.0


BEFORE = claimant(273000111, -60, -2, name="PALE HERON", ship_type=70, length_m=120.0, beam_m=18.0, call_sign="UBAB7")
KEEPS = {"name": "PALE HERON", "ship_type": 70, "length_m": 121.0, "beam_m": 18.0, "call_sign": "UBAB7"}


@pytest.mark.parametrize(
    "differs",
    [{"name": "STORM PETREL"}, {"ship_type": 80}, {"length_m": 180.0, "beam_m": 28.0}, {"call_sign": "JVAB7"}],
)
def test_who_keeps_the_particulars_of_a_bearer_now_gone_is_likelier_its_successor(differs: dict[str, Any]) -> None:
    heir, stranger = claimant(OWNER, 0, 30, **KEEPS), claimant(THIEF, 0, 30, **{**KEEPS, **differs})
    alone = weighed(heir, stranger)
    after = weighed(heir, stranger, formerly=[BEFORE])
    assert share(after) < share(alone)


def test_who_goes_on_calling_where_a_bearer_now_gone_called_is_likelier_its_successor() -> None:
    def calls(*zones: str, day: float) -> tuple[Call, ...]:
        return tuple(Call(zone, int((day + i) * DAY_US)) for i, zone in enumerate(zones))

    before = replace(BEFORE, calls=calls("KR_BUSAN", "RU_NAKHODKA", day=-50))
    heir = claimant(OWNER, 0, 30, calls=calls("KR_BUSAN", "CN_DALIAN", day=2))
    stranger = claimant(THIEF, 0, 30, calls=calls("KP_NAMPO", "CN_LIANYUNGANG", day=2))
    contest = weighed(heir, stranger, formerly=[before])
    assert 0.75 < share(contest, OWNER) < 0.85
    assert share(weighed(heir, stranger), OWNER) == 0.5


def test_under_one_mmsi_another_imo_number_or_a_wrong_one_speaks_against_a_track() -> None:
    owner, thief = claimant(OWNER, 0, 60), claimant(OWNER, 30, 60, imo=2000016)
    assert weighed(owner, thief, of_mmsi=True).bearings[1].probability < 0.12
    wrong = claimant(OWNER, 0, 60, imo=2000002)
    assert weighed(claimant(OWNER, 0, 60), wrong, of_mmsi=True).bearings[1].probability < 0.35


def test_the_order_of_claimants_plays_no_part_and_probabilities_add_up() -> None:
    three = [claimant(OWNER, 0, 40), claimant(THIEF, 9, 40), claimant(636000111, 20, 30, silent_h=100.0)]
    results = []
    for order in permutations(three):
        contest = weighed(*order)
        results.append({one.claimant.mmsi: (one.probability, one.reasons) for one in contest.bearings})
        assert sum(one.probability for one in contest.bearings) == pytest.approx(1.0, abs=0.03)
    assert all(result == results[0] for result in results)
