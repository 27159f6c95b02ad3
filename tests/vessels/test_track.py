"""Settling: one order, no repeats, nothing outside the span; and a digest of content that order does not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, EVER, T0_US, block_of, gathered
from vessels.chunks import NOTHING_SAID, StaticClaim
from vessels.digests import ClaimRegister
from vessels.track import ROW_COLUMNS, offsets_of, vessel_of_rows, without
from vessels.units import US_PER_S

LAW = settings(max_examples=40, deadline=None)


def fix(t, lat=35.0, lon=130.0, mmsi=ALPHA, **said):
    return {"mmsi": mmsi, "t": t, "lat": lat, "lon": lon, **said}


FIXES = st.lists(
    st.builds(
        fix,
        st.sampled_from([0, 60, 60.5, 120]),
        st.sampled_from([35.0, 35.1, -0.0, 0.0]),
        st.sampled_from([130.0, 130.1]),
        st.sampled_from([ALPHA, BRAVO]),
        sog=st.sampled_from([None, 0.0, -0.0, 9.5]),
        name=st.sampled_from([None, "MIRAE 3", "SAEBYOL 5"]),
    ),
    min_size=1,
    max_size=20,
)


def plain(block):
    return {name: getattr(block, name).tolist() for name in ("lat", "lon", "sog", "offsets")}


@LAW
@given(FIXES)
def test_each_vessels_rows_are_in_order_of_time(rows):
    block = block_of(rows)
    for v in range(len(block.mmsi)):
        time = block.time_us[block.offsets[v] : block.offsets[v + 1]]
        assert (np.diff(time) >= 0).all()


@LAW
@given(FIXES, st.randoms(use_true_random=False), st.integers(1, 20))
def test_the_digest_of_a_file_depends_on_its_distinct_rows_alone(rows, random, n_again):
    tally = block_of(rows).tally
    again = random.sample(rows, len(rows)) + rows[:n_again]
    other = block_of(again).tally
    assert (tally.digest.tolist(), tally.n_distinct.tolist()) == (other.digest.tolist(), other.n_distinct.tolist())
    assert other.repeats.sum() - tally.repeats.sum() == len(again) - len(rows)


@LAW
@given(FIXES)
def test_another_row_makes_another_digest(rows):
    more = [*rows, fix(60, 36.5)]
    assert block_of(rows).tally.digest.tolist() != block_of(more).tally.digest.tolist()


@LAW
@given(FIXES, st.sampled_from([86_400, -86_400 * 365, 86_400 * 3652]))
def test_shifting_time_changes_no_order(rows, shift):
    later = [{**row, "t": row["t"] + shift} for row in rows]
    block, shifted = block_of(rows), block_of(later)
    assert repr(plain(block)) == repr(plain(shifted))
    assert (shifted.time_us - block.time_us == shift * US_PER_S).all()


@LAW
@given(FIXES)
def test_renaming_ships_changes_no_order(rows):
    named = [{**row, "mmsi": row["mmsi"] + 1_000} for row in rows]
    assert repr(plain(block_of(rows))) == repr(plain(block_of(named)))


def test_rows_that_two_files_hold_count_once_and_are_known_to_be_in_both():
    one, other = [fix(0), fix(60)], [fix(60), fix(120)]
    tally = block_of(one, other).tally
    assert (tally.repeats_across, tally.repeats.tolist()) == (1, [0, 0])
    assert tally.n_distinct.tolist() == [2, 2]
    spans = tally.coverage.sort_values("source")
    assert ((spans["first_us"] - T0_US) // US_PER_S).tolist() == [0, 60]
    assert ((spans["last_us"] - T0_US) // US_PER_S).tolist() == [60, 120]


def test_a_repeat_within_a_file_and_one_across_are_told_apart():
    tally = block_of([fix(0), fix(0)], [fix(0), fix(0), fix(0)]).tally
    assert tally.repeats.tolist() == [1, 2]
    assert tally.repeats_across == 1


def test_rows_outside_the_span_are_cut_and_counted_by_file():
    span = (T0_US, T0_US + 100 * US_PER_S)
    block = block_of([fix(-1), fix(0), fix(100)], [fix(101), fix(500)], span_us=span)
    assert ((block.time_us - T0_US) // US_PER_S).tolist() == [0, 100]
    assert block.tally.outside_span.tolist() == [1, 2]
    assert block.tally.n_distinct.tolist() == [3, 2]  # a file is known by all its rows, whatever the span


def test_a_vessel_heard_only_outside_the_span_was_not_heard():
    span = (T0_US, T0_US + 100 * US_PER_S)
    rows = [fix(50, mmsi=BRAVO), fix(200, mmsi=ALPHA), fix(70, mmsi=BRAVO)]
    block = block_of(rows, span_us=span)
    assert block.mmsi.tolist() == [BRAVO]
    assert block.offsets.tolist() == [0, 2]


def test_static_only_rows_stand_beside_the_positions():
    rows = [fix(0), {"mmsi": ALPHA, "t": 30, "name": "MIRAE 3"}, fix(60), {"mmsi": BRAVO, "t": 5, "name": "SAEBYOL 5"}]
    gatherer = gathered([rows])
    block = gatherer.block(0, EVER)
    claims = gatherer.register.claims()
    said = block.statements
    assert [(block.mmsi[v], claims[c].name_raw) for v, c in zip(said.vessel, said.static, strict=True)] == [
        (ALPHA, "MIRAE 3"),
        (BRAVO, "SAEBYOL 5"),
    ]
    assert block.offsets.tolist() == [0, 2, 2]


def test_a_settled_block_cannot_be_changed():
    block = block_of([fix(0), fix(60)])
    for name in ROW_COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(block, name)[0] = 0


def test_settling_twice_gives_the_same():
    gatherer = gathered([[fix(60), fix(0), fix(0)], [fix(30)]], chunk_rows=2)
    assert repr(plain(gatherer.block(0, EVER))) == repr(plain(gatherer.block(0, EVER)))


def test_a_zero_is_a_zero_whatever_its_sign():
    assert len(block_of([fix(0, lat=0.0, sog=0.0), fix(0, lat=-0.0, sog=-0.0)])) == 1


def test_claims_are_numbered_once_and_hashed_by_what_they_say():
    one, other = ClaimRegister(), ClaimRegister()
    mirae, saebyol = StaticClaim(name_raw="MIRAE 3"), StaticClaim(name_raw="SAEBYOL 5")
    assert one.codes([mirae, NOTHING_SAID, mirae, saebyol]).tolist() == [1, 0, 1, 2]
    assert other.codes([saebyol, mirae]).tolist() == [1, 2]
    assert one.hashes()[[1, 2]].tolist() == other.hashes()[[2, 1]].tolist()
    assert one.claims() == (NOTHING_SAID, mirae, saebyol)


@LAW
@given(st.lists(st.integers(0, 5), max_size=40).map(sorted))
def test_offsets_and_groups_are_two_ways_to_say_one_thing(groups):
    offsets = offsets_of(np.array(groups, np.int64), 6)
    assert vessel_of_rows(offsets).tolist() == groups


@LAW
@given(st.sets(st.integers(0, 60), max_size=61), st.integers(0, 2))
def test_dropping_rows_by_copying_or_by_testing_is_the_same(rows, extra):
    column = np.arange(61 + extra)
    drop = np.array(sorted(rows), np.int64)
    assert without(column, drop).tolist() == np.delete(column, drop).tolist()
