"""Where a track is cut because its identity came back on another hull, and where it must stay whole."""

from dataclasses import fields, is_dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    H,
    block_of,
    end_of,
    gathered,
    history_of,
    lie,
    sail,
    tables_of,
)
from vessels.bodies import Body, body_of
from vessels.revivals import RevivalParameters, cut_revivals, other_hull
from vessels.segments import Segments, segment_ids, separate

DAY = 24 * H
HERE, THERE = (35.0, 130.0), (30.0, 124.0)
FEEDER = {"name": "PALE HERON", "imo": "2318669", "ship_type": 70, "length_m": 169.0, "beam_m": 26.0}
TANKER = {**FEEDER, "ship_type": 80, "length_m": 99.0, "beam_m": 16.0}


def both(*files, **parameters) -> tuple[Segments, Segments]:
    """Segments before and after the cut."""
    gatherer = gathered(files)
    block = gatherer.block(0, (0, 2**62))
    whole = separate(block)
    claims = gatherer.register.claims()
    return whole, cut_revivals(whole, block.statements, claims, RevivalParameters(**parameters))


def silent_for(days: float, before=FEEDER, after=TANKER, there=THERE, hours=4.0):
    """A ship heard for some hours, silent for days, and heard again elsewhere."""
    early = lie(ALPHA, 0.0, HERE, hours, **before)
    return [*early, *lie(ALPHA, end_of(early) + days * DAY, there, hours, **after)]


def n_tracks(*files, **parameters) -> int:
    return len(both(*files, **parameters)[1].offsets) - 1


def test_another_length_and_beam_after_a_long_silence_is_another_track():
    whole, cut = both(silent_for(16.0))
    assert (len(whole.offsets) - 1, len(cut.offsets) - 1) == (1, 2)
    assert cut.vessel.tolist() == [0, 0]
    assert cut.offsets.tolist() == [0, 25, 50]
    assert cut.step_h[25] == 0.0
    assert cut.step_nmi[25] == 0.0
    assert whole.step_h[25] > 24.0 * 15


def content(segments, name):
    """A field of segments as bytes, array by array."""
    value = getattr(segments, name)
    arrays = [getattr(value, f.name) for f in fields(value)] if is_dataclass(value) else [value]
    return [array.tobytes() for array in arrays]


def test_the_first_part_keeps_its_id_and_nothing_else_moves():
    whole, cut = both(silent_for(16.0), lie(BRAVO, 0.0, HERE, 500.0, **TANKER))
    assert segment_ids(cut)[0] == segment_ids(whole)[0]
    assert set(segment_ids(whole)) < set(segment_ids(cut))
    changed = {"vessel", "offsets", "step_nmi", "step_h"}
    for field in fields(Segments):
        if field.name not in changed:
            assert content(whole, field.name) == content(cut, field.name)
    kept = np.arange(len(whole)) != 25
    assert whole.step_nmi[kept].tobytes() == cut.step_nmi[kept].tobytes()
    assert whole.step_h[kept].tobytes() == cut.step_h[kept].tobytes()


def test_what_is_given_is_not_changed_and_what_needs_no_cut_is_given_back():
    gatherer = gathered([silent_for(16.0)])
    block = gatherer.block(0, (0, 2**62))
    whole = separate(block)
    before = {field.name: content(whole, field.name) for field in fields(Segments)}
    cut_revivals(whole, block.statements, gatherer.register.claims())
    assert {field.name: content(whole, field.name) for field in fields(Segments)} == before
    for rows in ([], silent_for(16.0, after=FEEDER), lie(ALPHA, 0.0, HERE, 4.0, **FEEDER)):
        whole, cut = both(rows)
        assert cut is whole


@pytest.mark.parametrize(
    ("after", "days"),
    [
        ({**FEEDER, "length_m": 160.0, "beam_m": 24.0}, 16.0),  # entered anew
        ({**FEEDER, "length_m": 205.0}, 60.0),  # lengthened in a yard
        ({**FEEDER, "beam_m": 32.0}, 16.0),
        ({**FEEDER, "ship_type": 30}, 16.0),  # another class on the same steel is a disguise, not another hull
        ({**FEEDER, "length_m": 205.0, "ship_type": 80}, 60.0),  # lengthened and converted
        (TANKER, 3.0),  # too short a silence
        ({**FEEDER, "length_m": 511.0, "beam_m": 126.0}, 16.0),
        ({**FEEDER, "length_m": 20.0, "beam_m": 22.0}, 16.0),
        ({**FEEDER, "length_m": None, "beam_m": None}, 16.0),
        ({}, 16.0),
        ({"name": "PALE HERON"}, 16.0),
    ],
)
def test_what_one_hull_may_say_after_a_silence_cuts_nothing(after, days):
    assert n_tracks(silent_for(days, after=after)) == 1


@pytest.mark.parametrize(
    "after",
    [
        {**FEEDER, "length_m": 60.0, "ship_type": 30},
        {**FEEDER, "beam_m": 10.0, "ship_type": 52},
        {**FEEDER, "length_m": 99.0, "ship_type": 80},  # no yard converts a ship in sixteen days
        {"length_m": 99.0, "beam_m": 16.0},
    ],
)
def test_one_size_and_the_class_or_both_sizes_are_another_hull(after):
    assert n_tracks(silent_for(16.0, after=after)) == 2


def test_small_craft_within_a_few_metres_stay_whole():
    yacht, other = {"length_m": 12.0, "beam_m": 4.0}, {"length_m": 21.0, "beam_m": 6.0}
    assert n_tracks(silent_for(30.0, yacht, other)) == 1


def test_a_slip_on_one_side_is_no_other_hull():
    early = lie(ALPHA, 0.0, HERE, 4.0, **FEEDER)
    late = lie(ALPHA, 16 * DAY, THERE, 4.0, **FEEDER)
    slip = [{**row, **TANKER} if i in (1, 2) else row for i, row in enumerate(late)]
    assert n_tracks([*early, *slip]) == 1
    brief = [{**row, **TANKER} for row in late[:5]]  # forty minutes, and silence again
    assert n_tracks([*early, *brief]) == 1


def test_an_entry_mended_while_heard_is_no_other_hull():
    """The new size is first sent before the silence, or the old one still after it."""
    early = lie(ALPHA, 0.0, HERE, 4.0, **FEEDER)
    mended = lie(ALPHA, end_of(early) + 600, HERE, 4.0, **TANKER)
    late = lie(ALPHA, 16 * DAY, THERE, 4.0, **TANKER)
    assert n_tracks([*early, *mended, *late]) == 1
    still = lie(ALPHA, 16 * DAY, THERE, 4.0, **FEEDER)
    assert n_tracks([*early, *still, *lie(ALPHA, end_of(still) + 600, THERE, 4.0, **TANKER)]) == 1


def test_a_silence_without_sizes_on_one_side_is_passed_over_and_the_longest_is_cut():
    early = lie(ALPHA, 0.0, HERE, 4.0, **FEEDER)
    mute = lie(ALPHA, 6 * DAY, HERE, 4.0)
    late = lie(ALPHA, 30 * DAY, THERE, 4.0, **TANKER)
    _, cut = both([*early, *mute, *late])
    assert cut.offsets.tolist() == [0, len(early) + len(mute), len(early) + len(mute) + len(late)]


def test_an_identity_that_goes_and_comes_back_is_three_tracks():
    rows = [*silent_for(10.0), *lie(ALPHA, 30 * DAY, HERE, 4.0, **FEEDER)]
    assert n_tracks(rows) == 3


def test_sizes_from_static_reports_alone_cut_as_well():
    """Positions that say nothing, and messages 5 without positions, as receivers log them."""
    rows = []
    for begin, said in ((0.0, FEEDER), (16 * DAY, TANKER)):
        rows += lie(ALPHA, begin, HERE, 4.0)
        rows += [{"mmsi": ALPHA, "t": begin + 1 + 360.0 * i, **said} for i in range(20)]
    _, cut = both(sorted(rows, key=lambda row: row["t"]))
    assert cut.offsets.tolist() == [0, 25, 50]


def test_a_static_report_inside_the_silence_belongs_to_the_nearer_side():
    rows = [*lie(ALPHA, 0.0, HERE, 4.0, **FEEDER), *lie(ALPHA, 16 * DAY, THERE, 4.0)]
    rows += [{"mmsi": ALPHA, "t": 16 * DAY - 600.0 * i, **TANKER} for i in range(1, 20)]
    assert n_tracks(sorted(rows, key=lambda row: row["t"])) == 2


def test_a_ship_under_the_same_number_at_the_same_time_keeps_its_track_and_the_order_is_of_starts():
    """Another hull, far off, sends the number before and after the silence."""
    other = [row for day in range(3, 30) for row in lie(ALPHA, day * DAY, (-30.0, 20.0), 6.0, name="DUNLIN")]
    whole, cut = both(sorted([*silent_for(16.0), *other], key=lambda row: row["t"]))
    assert len(whole.offsets) - 1 == 2
    starts = cut.time_us[cut.offsets[:-1]]
    assert len(starts) == 3
    assert (np.diff(starts) > 0).all()
    for track in range(3):
        rows = slice(cut.offsets[track], cut.offsets[track + 1])
        assert (np.diff(cut.time_us[rows]) >= 0).all()
        assert cut.step_h[rows][0] == 0.0
        assert len({round(lat) for lat in cut.lat[rows].tolist()}) == 1


def test_a_history_tells_the_two_hulls_apart():
    tables = tables_of(history_of(silent_for(16.0), lie(BRAVO, 0.0, HERE, 5.0, **FEEDER)))
    ours = [row for row in tables["segments"] if row["mmsi"] == ALPHA]
    assert len(ours) == 2
    assert len({row["hull_id"] for row in ours}) == 2
    spells = [row for row in tables["identities"] if row["mmsi"] == ALPHA]
    assert [(row["length_m"], row["segment_id"]) for row in spells] == [
        (169.0, ours[0]["segment_id"]),
        (99.0, ours[1]["segment_id"]),
    ]
    assert [row["n_segments"] for row in tables["vessels"] if row["mmsi"] == ALPHA] == [2]


def test_row_order_changes_no_cut():
    rows = silent_for(16.0)
    one, other = both(rows)[1], both(rows[::-1])[1]
    for field in fields(Segments):
        if field.name != "static":  # numbers of the register, in order of first sight
            assert content(one, field.name) == content(other, field.name)


SIZES = st.sampled_from([None, (169.0, 26.0), (160.0, 25.0), (99.0, 16.0), (12.0, 4.0), (0.0, 0.0), (40.0, 41.0)])


@settings(max_examples=60, deadline=None)
@given(
    ships=st.lists(
        st.lists(st.tuples(st.floats(0.1, 20.0), SIZES, st.integers(1, 12)), min_size=1, max_size=4),
        min_size=1,
        max_size=3,
    )
)
def test_cuts_agree_with_a_plain_loop(ships):
    """Ships that lie in one place and are heard in bursts, an hour and a half between reports."""
    rows, expected = [], []
    for mmsi, bursts in zip((ALPHA, BRAVO, CHARLIE), ships, strict=False):
        t, known, n = 0.0, None, 1
        gaps = []
        for gap_days, size, count in bursts:
            t += gap_days * DAY
            gaps.append(gap_days)
            said = {} if size is None else {"length_m": size[0] or None, "beam_m": size[1] or None}
            burst = [{"mmsi": mmsi, "t": t + 5400.0 * i, "lat": 35.0, "lon": 130.0, "sog": 0.0} for i in range(count)]
            rows += [{**row, **said} for row in burst]
            t = end_of(burst)
            if size in (None, (0.0, 0.0), (40.0, 41.0)):
                continue
            known = _with_burst(known, gaps, size, count)
            gaps = []
        expected.append(_slow_cuts(known))
        n += expected[-1]
    assert len(both(rows)[1].offsets) - 1 == len(ships[:3]) + sum(expected)


def _with_burst(known, gaps, size, count):
    """Parts of a ship's track, told apart by silences of five days: the sizes said in each and how often."""
    known = known or []
    if not known or max(gaps) >= 5.0:
        known.append({})
    known[-1][size] = known[-1].get(size, 0) + count
    return known


def _slow_cuts(known):
    parts = [[size for size, count in part.items() if count >= 3] for part in known or []]
    parts = [part for part in parts if part]
    cuts = 0
    for before, after in pairwise(parts):
        pairs = [(one, other) for one in before for other in after]
        far = [abs(a[0] - b[0]) > max(0.1 * max(a[0], b[0]), 10) for a, b in pairs]
        wide = [abs(a[1] - b[1]) > max(0.25 * max(a[1], b[1]), 4) for a, b in pairs]
        cuts += all(f and w for f, w in zip(far, wide, strict=True))
    return cuts


def test_garbage_is_no_body():
    nothing = body_of(None, None, None)
    for size in ((0.0, 0.0), (461.0, None), (30.0, 30.0), (12.0, 75.5)):
        body = body_of(*size, 0)
        assert np.isnan(body.length_m) or size == (12.0, 75.5)
        assert np.isnan(body.beam_m)
    assert np.isnan([nothing.length_m, nothing.beam_m]).all()
    assert nothing.ship_class == ""
    assert body_of(100.0, 16.0, 52).ship_class == "tug"


def test_half_known_bodies_contradict_only_in_what_they_say():
    nan = float("nan")
    whole = Body(169.0, 26.0, "cargo")
    assert not other_hull([whole], [Body(99.0, nan, "cargo")], 400.0)
    assert other_hull([whole], [Body(99.0, nan, "fishing")], 400.0)
    assert not other_hull([whole], [Body(nan, nan, "fishing")], 400.0)
    assert not other_hull([whole], [], 400.0)


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({"min_silence_h": 24.0}, silent_for(3.0)),
        ({"min_reports": 50}, silent_for(16.0)),
        ({"min_settled_h": 5.0}, silent_for(16.0)),
        ({"length_tolerance_share": 0.5}, silent_for(16.0, after={**TANKER, "ship_type": 70})),
        ({"length_tolerance_m": 80.0}, silent_for(16.0, after={**TANKER, "ship_type": 70})),
        ({"beam_tolerance_share": 0.5}, silent_for(16.0, after={**TANKER, "ship_type": 70})),
        ({"beam_tolerance_m": 20.0}, silent_for(16.0, after={**TANKER, "ship_type": 70})),
        ({"conversion_h": 24.0}, silent_for(16.0, after={**FEEDER, "length_m": 99.0, "ship_type": 80})),
    ],
)
def test_every_parameter_bites(change, rows):
    assert n_tracks(rows, **change) != n_tracks(rows)


def test_no_parameter_is_left_out_and_each_says_where_it_is_from():
    assert len(RevivalParameters.model_fields) == 8
    for field in RevivalParameters.model_fields.values():
        assert "Source:" in (field.description or "")
    with pytest.raises(ValidationError, match="min_silence_d"):
        RevivalParameters(min_silence_d=3.0)
    with pytest.raises(ValidationError, match="min_reports"):
        RevivalParameters(min_reports=0)


def test_a_sailing_ship_is_never_cut():
    rows = sail(ALPHA, 0.0, HERE, (36.0, 131.0), **FEEDER)
    rows = [{**row, **(TANKER if i % 2 else FEEDER)} for i, row in enumerate(rows)]
    whole, cut = both(rows)
    assert cut is whole
    assert len(block_of(rows)) == len(cut)
