"""Tracks cut where an identity falls silent on one hull and is heard again on another.

Takes `Segments` and what the set said of its hull; gives `Segments` in which such a track is two. Steel does not grow:
a long silence with another length and another beam on its far side is a change of hull, which motion alone cannot show
because a hull gets anywhere in weeks. One with an other IMO number, name and call sign on its far side may be a number
passed on; whether it is one hull all the same, hull links weigh. What the return means is left to the detectors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vessels.bodies import Body, Papers, beyond, body_of, papers_of, passed_on, rebuilt
from vessels.chunks import StaticClaim
from vessels.identities import place_statements
from vessels.parameters import Parameters
from vessels.segments import Segments, some_segments
from vessels.track import IntArray, Statements
from vessels.units import US_PER_H, US_PER_S


class RevivalParameters(Parameters):
    """Where a track is cut because its identity returned on another hull."""

    min_silence_h: float = Field(
        120.0,
        ge=1,
        le=8760,
        description="Only a silence so long is looked at. Source: judgement; identities of scrapped ships came back "
        "after weeks and months (Shun Li, 2021 to 2022); five days leave out port stays and short trips out of reach.",
    )
    min_reports: int = Field(
        3,
        ge=1,
        le=1000,
        description="Reports that must carry a size on one side of the silence. Source: a damaged message is one "
        "report; three are a quarter of an hour of static messages (ITU-R M.1371-5).",
    )
    min_settled_h: float = Field(
        1.0,
        ge=0,
        le=720,
        description="Time those reports must span. Source: ten static messages; slips put right at once last minutes.",
    )
    length_tolerance_share: float = Field(
        0.10, ge=0, le=1, description="Difference in length that re-entering explains. Source: as dimension_change."
    )
    length_tolerance_m: float = Field(
        10.0, ge=0, le=100, description="The same in metres, whichever is more. Source: as dimension_change."
    )
    beam_tolerance_share: float = Field(
        0.25, ge=0, le=1, description="Difference in beam that re-entering explains. Source: typed to the metre."
    )
    beam_tolerance_m: float = Field(
        4.0,
        ge=0,
        le=30,
        description="The same in metres, whichever is more. Source: two typed distances, each off by up to 2 m.",
    )
    conversion_h: float = Field(
        720.0,
        ge=0,
        le=87600,
        description="Silence from which a yard may have made another class of ship of the hull. Source: single-hull "
        "tankers became ore carriers in yard stays of one to four months.",
    )


DEFAULT_REVIVALS: Final = RevivalParameters()


def other_hull(
    before: Sequence[Body], after: Sequence[Body], gap_h: float, parameters: RevivalParameters = DEFAULT_REVIVALS
) -> bool:
    """Whether what is settled on two sides of a silence is another hull's, or is to be shown to be the same one's.

    So if nothing of the papers is kept: the number may have been passed on, and place and body must tell. So too if
    length and beam both differ, or one of them and the class; but not if anything said before agrees with
    anything said after: then two entries for one hull take turns.
    """
    if passed_on(before, after):
        return True
    verdicts = {_compared(one, other, gap_h, parameters) for one, other in product(before, after)}
    return "other" in verdicts and "same" not in verdicts


def _compared(one: Body, other: Body, gap_h: float, p: RevivalParameters) -> str:
    """`other` hull, the `same` as far as it says, or `unclear`."""
    longer = beyond(one.length_m, other.length_m, p.length_tolerance_share, p.length_tolerance_m)
    broader = beyond(one.beam_m, other.beam_m, p.beam_tolerance_share, p.beam_tolerance_m)
    if longer and broader:
        return "other"
    if (longer or broader) and not rebuilt(one.ship_class, other.ship_class, gap_h, p.conversion_h):
        return "other"
    lengths_known = not np.isnan(one.length_m + other.length_m)
    beams_known = not np.isnan(one.beam_m + other.beam_m)
    return "same" if (lengths_known and not longer) or (beams_known and not broader) else "unclear"


class _Said(NamedTuple):
    """Runs of reports of one size within one part of a track; `part` counts stretches between long silences."""

    part: IntArray
    code: IntArray
    n: IntArray
    first_us: IntArray
    last_us: IntArray


def cut_revivals(
    segments: Segments,
    statements: Statements,
    claims: Sequence[StaticClaim],
    parameters: RevivalParameters = DEFAULT_REVIVALS,
    since_us: int | None = None,
) -> Segments:
    """The same tracks, each cut at the long silences over which its hull changed; what is not cut stays as it is.

    `claims` as in `ClaimRegister.claims`. What a report from before `since_us` says is settled: it stands for all that
    was heard of its track until then. Cost: one pass over the steps, then work on the tracks with such a silence.
    """
    silent = np.flatnonzero(segments.step_h >= np.float32(parameters.min_silence_h))
    if not len(silent):
        return segments
    tracks = np.unique(np.searchsorted(segments.offsets, silent, side="right") - 1)
    breaks = np.union1d(segments.offsets[:-1][tracks], silent)
    said, bodies = _said(segments, statements, claims, tracks, breaks, since_us, parameters)
    settled = _settled(said, parameters)
    cuts = [
        cut
        for parts in _by_track(settled, np.searchsorted(segments.offsets, breaks, side="right") - 1)
        for cut in _cuts(parts, bodies, breaks, segments.step_h, parameters)
    ]
    return cut_at_rows(segments, np.array(sorted(cuts), dtype=np.int64)) if cuts else segments


def _said(
    segments: Segments,
    statements: Statements,
    claims: Sequence[StaticClaim],
    tracks: IntArray,
    breaks: IntArray,
    since_us: int | None,
    parameters: RevivalParameters,
) -> tuple[_Said, Sequence[Body]]:
    """What was said of the hull on these tracks, by part, with the bodies that the codes stand for.

    Only tracks on which two bodies or more were claimed are kept.
    """
    sizes = np.diff(segments.offsets)[tracks]
    rows = np.arange(int(sizes.sum())) + np.repeat(segments.offsets[:-1][tracks] - np.cumsum(sizes) + sizes, sizes)
    rows = rows[segments.static[rows] != 0]
    said = np.flatnonzero((statements.static != 0) & np.isin(statements.vessel, segments.vessel[tracks]))
    statements = statements.take(said)
    part, placed = _parts_of(segments, statements, claims, tracks, breaks)
    code_of, bodies = _bodies(np.concatenate([segments.static[rows], statements.static[placed]]), claims)
    runs = _runs(
        np.searchsorted(breaks, rows, side="right") - 1, code_of[segments.static[rows]], segments.time_us[rows]
    )
    code, time = code_of[statements.static[placed]], statements.time_us[placed]
    one = np.ones(len(code), dtype=np.int64)
    known_rows = rows[segments.time_us[rows] < since_us] if since_us is not None else rows[:0]
    known = _Said(
        np.searchsorted(breaks, known_rows, side="right") - 1,
        code_of[segments.static[known_rows]],
        np.full(len(known_rows), parameters.min_reports),
        segments.time_us[known_rows] - int(parameters.min_settled_h * US_PER_H),
        segments.time_us[known_rows],
    )
    parts = zip(runs, _Said(part, code, one, time, time), known, strict=True)
    both = _Said._make(np.concatenate(part) for part in parts)
    has_size = both.code >= 0
    track = np.searchsorted(segments.offsets, breaks, side="right")[both.part] - 1
    low, high = np.full(len(segments.offsets), len(bodies)), np.full(len(segments.offsets), -1)
    np.minimum.at(low, track[has_size], both.code[has_size])
    np.maximum.at(high, track[has_size], both.code[has_size])
    kept = has_size & (high > low)[track]
    return _Said._make(column[kept] for column in both), bodies


def _parts_of(
    segments: Segments, statements: Statements, claims: Sequence[StaticClaim], tracks: IntArray, breaks: IntArray
) -> tuple[IntArray, npt.NDArray[np.intp]]:
    """The part that each static-only row belongs to by its time, and which rows have one; in a silence, the nearer."""
    if not len(statements.time_us):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.intp)
    track = place_statements(segments, statements, claims)
    placed = np.flatnonzero(np.isin(track, tracks))
    before = np.maximum(breaks - 1, 0)
    begins = segments.time_us[breaks] // 2 + segments.time_us[before] // 2
    opens = np.isin(breaks, segments.offsets[:-1])
    origin = int(segments.time_us.min())
    span = int(segments.time_us.max() - origin) // US_PER_S + 2
    of_break = np.searchsorted(segments.offsets, breaks, side="right") - 1
    keys = of_break * span + np.where(opens, 0, (begins - origin) // US_PER_S)
    wanted = np.clip((statements.time_us[placed] - origin) // US_PER_S, 0, span - 1)
    return np.searchsorted(keys, track[placed] * span + wanted, side="right") - 1, placed


def _bodies(static: npt.NDArray[np.int32], claims: Sequence[StaticClaim]) -> tuple[IntArray, Sequence[Body]]:
    """For each claim number a code of the body it says, to the metre, or -1 if it says no size; and the bodies."""
    known: dict[tuple[str, str, str, Papers | None], int] = {}
    bodies: list[Body] = []
    code_of = np.full(int(static.max(initial=0)) + 1, -1, dtype=np.int64)
    for number in np.unique(static).tolist():
        claim = claims[number]
        body = body_of(claim.length_m, claim.beam_m, claim.ship_type)
        if np.isnan(body.length_m) and np.isnan(body.beam_m):
            continue
        body = body._replace(papers=papers_of(claim.imo_raw, claim.name_raw, claim.call_sign_raw))
        key = (f"{body.length_m:.0f}", f"{body.beam_m:.0f}", body.ship_class, body.papers)
        code_of[number] = known.setdefault(key, len(known))
        if len(known) > len(bodies):
            bodies.append(body)
    return code_of, bodies


def _runs(part: IntArray, code: IntArray, time_us: IntArray) -> _Said:
    """Reports in order of track and time as runs of one body in one part; reports that say no size break none."""
    known = np.flatnonzero(code >= 0)
    part, code, time_us = part[known], code[known], time_us[known]
    if not len(known):
        return _Said(part, code, code, time_us, time_us)
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(part) != 0) | (np.diff(code) != 0)]))
    ends = np.append(starts[1:], len(known))
    return _Said(part[starts], code[starts], ends - starts, time_us[starts], time_us[ends - 1])


def _settled(said: _Said, parameters: RevivalParameters) -> Mapping[int, list[int]]:
    """Part -> codes of the bodies said in it often and long enough, in order of part."""
    order = np.lexsort((said.code, said.part))
    part, code, n, first, last = (column[order] for column in said)
    if not len(part):
        return {}
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(part) != 0) | (np.diff(code) != 0)]))
    total = np.add.reduceat(n, starts)
    lasted = np.maximum.reduceat(last, starts) - np.minimum.reduceat(first, starts)
    kept = starts[(total >= parameters.min_reports) & (lasted >= parameters.min_settled_h * US_PER_H)]
    found: dict[int, list[int]] = {}
    for one, body in zip(part[kept].tolist(), code[kept].tolist(), strict=True):
        found.setdefault(one, []).append(body)
    return found


def _by_track(settled: Mapping[int, list[int]], track_of: IntArray) -> list[dict[int, list[int]]]:
    """The settled parts of each track."""
    found: dict[int, dict[int, list[int]]] = {}
    for part, codes in settled.items():
        found.setdefault(int(track_of[part]), {})[part] = codes
    return list(found.values())


_MOST_BODIES: Final = 8
"""A stretch with more settled bodies than this tells nothing of one hull: a number that many sets send."""


def _cuts(
    parts: Mapping[int, list[int]],
    bodies: Sequence[Body],
    breaks: IntArray,
    step_h: npt.NDArray[np.float32],
    parameters: RevivalParameters,
) -> list[int]:
    """Rows of one track at which it is cut: between two parts of different hulls, at the longest silence."""
    found = []
    clear = [(part, [bodies[code] for code in codes]) for part, codes in parts.items() if len(codes) <= _MOST_BODIES]
    for (early, before), (late, after) in pairwise(clear):
        between = breaks[early + 1 : late + 1]
        longest = between[int(np.argmax(step_h[between]))]
        if other_hull(before, after, float(step_h[longest]), parameters):
            found.append(int(longest))
    return found


def cut_at_rows(segments: Segments, cuts: IntArray) -> Segments:
    """The segments with a new one beginning at each of these rows, ordered by vessel and start."""
    first = np.union1d(segments.offsets[:-1], cuts)
    vessel = segments.vessel[np.searchsorted(segments.offsets, first, side="right") - 1]
    step_nmi, step_h = segments.step_nmi.copy(), segments.step_h.copy()
    step_nmi[cuts] = 0.0
    step_h[cuts] = 0.0
    whole = replace(segments, vessel=vessel, offsets=np.append(first, len(segments)), step_nmi=step_nmi, step_h=step_h)
    order = np.lexsort((np.arange(len(first)), segments.time_us[first], vessel))
    if (order[1:] > order[:-1]).all():
        return whole
    return some_segments(whole, order)
