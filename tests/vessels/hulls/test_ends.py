"""The two sides of possible links: which moments they are, and which claims count there."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.hulls.builders import (
    DAYS,
    Place,
    Silence,
    Track,
    bystanders,
    ends_of,
    papers,
    ship_mmsi,
    tables_of,
    us,
    valid_imo,
)
from vessels.hulls.ends import Claims, Ends, both_ends

FROM: Place = (38.5, 124.3)
TO: Place = (43.1, 131.9)
MID: Place = (40.0, 128.0)


def spell(first: float, last: float, **said: Any) -> Mapping[str, Any]:
    return {"first": first, "last": last, **said}


def track(*spells: Mapping[str, Any], silences: tuple[Silence, ...] = ()) -> Track:
    return Track(ship_mmsi(1), 10.0, 50.0, FROM, TO, spells=spells, silences=silences)


def imos(side: Ends) -> list[int]:
    return np.maximum(side.claims.imo, 0).tolist()


A, B, C = valid_imo(1), valid_imo(2), valid_imo(3)


def test_a_track_has_an_end_and_a_start_and_a_silence_one_of_each_the_other_way_round():
    silence = Silence(20.0, 30.0, MID, (41.0, 129.0), fell_kn=7.0, woke_kn=0.3)
    one = Track(
        ship_mmsi(1), 10.0, 50.0, FROM, TO, papers(1), born_kn=9.0, died_kn=0.2, draught_m=(5.0, 7.0),
        silences=(silence,),
    )  # fmt: skip
    ends, starts = ends_of([one])
    assert ends.time_us.tolist() == [us(50.0), us(20.0)]
    assert starts.time_us.tolist() == [us(10.0), us(30.0)]
    assert list(zip(ends.lat, ends.lon, strict=True)) == [TO, MID]
    assert list(zip(starts.lat, starts.lon, strict=True)) == [FROM, (41.0, 129.0)]
    assert (ends.sog_kn.tolist(), starts.sog_kn.tolist()) == ([0.2, 7.0], [9.0, 0.3])
    assert (ends.draught_m[0], starts.draught_m[0]) == (7.0, 5.0)
    assert ends.segment.tolist() == starts.segment.tolist() == [0, 0]
    assert ends.silence.tolist() == starts.silence.tolist() == [-1, 0]


def test_an_end_claims_what_was_said_last_and_a_start_what_was_said_first():
    ends, starts = ends_of([track(spell(10.0, 30.0, imo=A), spell(30.1, 50.0, imo=B))])
    assert (imos(ends), imos(starts)) == ([B], [A])


def test_a_silence_ends_one_claim_and_begins_the_next():
    spells = spell(10.0, 20.0, imo=A), spell(30.0, 35.0, imo=B), spell(36.0, 50.0, imo=C)
    ends, starts = ends_of([track(*spells, silences=(Silence(20.0, 30.0, MID, MID),))])
    assert (imos(ends)[1], imos(starts)[1]) == (A, B)


def test_a_claim_that_comes_minutes_after_the_waking_is_the_one_it_woke_with():
    spells = spell(10.0, 19.99, imo=A), spell(30.003, 50.0, imo=B)
    ends, starts = ends_of([track(*spells, silences=(Silence(20.0, 30.0, MID, MID),))])
    assert (imos(ends)[1], imos(starts)[1]) == (A, B)


def test_a_claim_that_goes_on_over_a_silence_holds_on_both_sides():
    spells = spell(10.0, 40.0, imo=A), spell(41.0, 50.0, imo=B)
    ends, starts = ends_of([track(*spells, silences=(Silence(20.0, 30.0, MID, MID),))])
    assert (imos(ends)[1], imos(starts)[1]) == (A, A)


def test_a_ship_that_says_nothing_more_after_waking_is_what_it_said_before():
    ends, starts = ends_of([track(spell(10.0, 20.0, imo=A), silences=(Silence(20.0, 30.0, MID, MID),))])
    assert (imos(ends)[1], imos(starts)[1]) == (A, A)


@pytest.mark.parametrize("at", ["first", "last", "middle"])
def test_a_damaged_message_of_one_report_is_passed_over(at):
    good = [spell(10.0, 24.0, imo=A, name="SU RI 7"), spell(26.0, 50.0, imo=A, name="SU RI 7")]
    when = {"first": 10.0, "last": 50.0, "middle": 25.0}[at]
    damaged = spell(when, when, imo=B, name="S5 R@ 7", n_reports=1)
    whole = sorted([*good, damaged], key=lambda one: (one["first"], one["last"]))
    ends, starts = ends_of([track(*whole, silences=(Silence(25.0, 25.8, MID, MID),))])
    assert set(imos(ends) + imos(starts)) == {A}
    assert len(set(ends.claims.name.tolist() + starts.claims.name.tolist())) == 1


def test_a_track_heard_once_or_twice_claims_what_it_said():
    ends, starts = ends_of([track(spell(10.0, 10.0, imo=A, n_reports=1))])
    assert (imos(ends), imos(starts)) == ([A], [A])


def test_what_a_start_does_not_say_yet_is_taken_from_later():
    spells = spell(10.0, 11.0, name="EARLY"), spell(11.0, 50.0, name="LATE", imo=A, length_m=90.0, transceiver="A")
    tables = tables_of([track(*spells)])
    _, starts = both_ends(**tables)
    assert imos(starts) == [A] and starts.claims.length_m.tolist() == [90.0]
    assert starts.claims.transceiver.tolist() == [0]
    assert tables["identities"]["name"][int(starts.claims.name_spell[0])].as_py() == "EARLY"
    assert tables["identities"]["transceiver"][int(starts.claims.transceiver_spell[0])].as_py() == "A"


def test_what_an_end_no_longer_says_is_not_taken_from_before():
    ends, _ = ends_of([track(spell(10.0, 30.0, name="SHIP", imo=A), spell(30.0, 50.0, name="SHIP"))])
    assert imos(ends) == [0]


def test_an_imo_number_with_a_wrong_check_digit_is_no_number():
    ends, starts = ends_of([track(spell(10.0, 50.0, name="SHIP", imo=A + 1))])
    assert imos(ends) == imos(starts) == [0]


@pytest.mark.parametrize(
    ("length", "beam", "kept"),
    [
        (0.0, 0.0, (None, None)),
        (1.0, 1.0, (None, None)),
        (1022.0, 126.0, (None, None)),
        (30.0, 60.0, (None, None)),
        (50.0, 50.0, (None, None)),
        (90.0, 0.0, (90.0, None)),
        (90.0, None, (90.0, None)),
        (90.0, 126.0, (None, None)),
        (None, 14.0, (None, None)),
        (90.0, 14.0, (90.0, 14.0)),
        (458.0, 69.0, (458.0, 69.0)),
    ],
)
def test_dimensions_that_no_hull_has_are_unknown(length, beam, kept):
    _, starts = ends_of([track(spell(10.0, 50.0, name="SHIP", length_m=length, beam_m=beam))])
    found = [None if np.isnan(one[0]) else float(one[0]) for one in (starts.claims.length_m, starts.claims.beam_m)]
    assert (found[0], found[1]) == kept


def test_a_track_that_claims_nothing_has_no_claims():
    ends, starts = ends_of([track(), Track(ship_mmsi(2), 1.0, 2.0, FROM, TO, papers(2))])
    for side in (ends, starts):
        claims = side.claims
        assert claims.imo[0] <= 0 and np.isnan(claims.length_m[0])
        codes = (claims.name, claims.call_sign, claims.type_group, claims.transceiver, claims.name_spell)
        assert [int(code[0]) for code in codes] == [-1] * 5


def test_claims_without_a_track_belong_to_none():
    tables = tables_of([track(spell(10.0, 50.0, imo=A))])
    stray = tables["identities"].set_column(1, "segment_id", pa.nulls(1, pa.string()))
    ends, _ = both_ends(tables["segments"], tables["silences"], stray)
    assert ends.claims.imo.tolist() <= [0]


def by_track(side: Ends, tables: dict[str, pa.Table]) -> set[tuple[object, ...]]:
    ids, identities = tables["segments"]["segment_id"].to_pylist(), tables["identities"].to_pylist()

    def said(column: str, i: int) -> object:
        row = int(getattr(side.claims, f"{column}_spell")[i])
        return None if row < 0 else identities[row][column]

    return {
        (
            ids[side.segment[i]], int(side.mmsi[i]), int(side.time_us[i]), float(side.lat[i]), float(side.lon[i]),
            int(side.silence[i] >= 0), int(side.claims.imo[i]), str(side.claims.length_m[i]),
            int(side.claims.name[i]), int(side.claims.call_sign[i]), int(side.claims.transceiver[i]),
            said("name", i), said("call_sign", i), said("transceiver", i),
        )
        for i in range(len(side))
    }  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(random):
    spells = spell(10.0, 20.0, imo=A, name="ONE"), spell(30.0, 35.0, imo=B), spell(36.0, 50.0, imo=C, name="TWO")
    silences = Silence(20.0, 30.0, MID, MID), Silence(40.0, 42.0, MID, TO)
    tables = tables_of([track(*spells, silences=silences), *bystanders(12)])
    shuffled = {
        name: table.take(random.sample(range(table.num_rows), table.num_rows)) for name, table in tables.items()
    }
    for one, other in zip(both_ends(**tables), both_ends(**shuffled), strict=True):
        assert by_track(one, tables) == by_track(other, shuffled)


def test_no_tracks_have_no_sides():
    ends, starts = ends_of([])
    assert len(ends) == len(starts) == 0


def test_tracks_without_any_claims_have_sides_all_the_same():
    ends, starts = ends_of([track(), Track(ship_mmsi(2), 1.0, DAYS, FROM, TO)])
    assert len(ends) == len(starts) == 2
    assert isinstance(ends.claims, Claims) and (ends.claims.imo <= 0).all()
