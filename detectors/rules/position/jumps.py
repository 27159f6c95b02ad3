"""Position jumps: a ship is heard where she cannot have sailed to.

Takes `position_events` of kinds jump, held and speed; gives findings. Receivers fail and are disturbed far more often
than positions are falsified, so one jump alone says little: its use is beside a drawn track, a silence or a call.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from detectors.finding import Evidence, Finding
from detectors.rules.position.events import OddEvent, Teller, shared_by
from detectors.rules.position.parameters import PositionThresholds

KIND: Final = "position_jump"
MOST: Final = 0.3
"""A jump alone, however far: ten sets fail for one that is made to lie, and interference moves many."""
SUSTAINED: Final = 0.75
"""Away for a day or more, sailing on, and back: no fault moves a track so; a second ship with the number might."""
_REPORT_EVERY_H: Final = 4.0
_BRIEF: Final = 0.25
"""Share of `sustained_h` up to which being away adds nothing: a watch or two."""
GLITCH: Final = 0.02
LONG_SILENCE: Final = 0.5
NOISY_SET: Final = 0.2
HELD: Final = 0.8
"""A position held for hours before the leap: a set that lost its antenna does this, and the simplest falsification."""
SPEED: Final = 0.06
"""A speed that the positions belie: a damaged message, or a set that lost its fix; told as a sudden change."""
HELD_ALONE: Final = 0.1
_SOON: Final = timedelta(hours=1)


def position_jumps(events: Sequence[OddEvent], teller: Teller, thresholds: PositionThresholds) -> list[Finding]:
    """Findings on jumps, held positions that no jump follows, and belied speeds, by track."""
    by_track: dict[tuple[int, str | None], list[OddEvent]] = defaultdict(list)
    for event in events:
        if event.kind in ("jump", "held", "speed"):
            by_track[event.mmsi, event.segment_id].append(event)
    noisy = noisy_sets(events, thresholds)
    found = []
    for track in sorted(by_track, key=str):
        jumps, held, speeds = ([e for e in by_track[track] if e.kind == kind] for kind in ("jump", "held", "speed"))
        for jump in jumps:
            before = next((one for one in held if abs(one.end - jump.start) <= _SOON), None)
            found.append(_jump(jump, before, track[0] in noisy, teller, thresholds))
        followed = [one for one in held if any(abs(one.end - jump.start) <= _SOON for jump in jumps)]
        found += [_held(one, teller) for one in held if one not in followed]
        if speeds:
            found.append(_speed(speeds, teller))
    return [one for one in found if one.strength >= thresholds.min_strength]


def noisy_sets(events: Sequence[OddEvent], thresholds: PositionThresholds) -> frozenset[int]:
    """MMSI whose positions jump, or whose speeds are belied, so often that the set must be faulty."""
    counts = Counter(event.mmsi for event in events if event.kind in ("jump", "speed"))
    return frozenset(mmsi for mmsi, n in counts.items() if n >= thresholds.noisy_jumps)


def jump_strength(jump: OddEvent, noisy: bool, thresholds: PositionThresholds) -> float:
    """How odd a jump is by itself: 0 to `MOST`, to `SUSTAINED` where she sailed on off her way for long."""
    few = jump.n_positions < thresholds.glitch_reports or jump.duration_h < thresholds.glitch_h
    most = MOST + (SUSTAINED - MOST) * _sustained(jump, thresholds)
    strength = GLITCH if jump.came_back is not False and few else most * _far(jump.distance_nmi, thresholds)
    strength *= shared_by(jump.n_others)
    strength *= LONG_SILENCE if jump.came_back is False and jump.duration_h > thresholds.leap_full_h else 1.0
    return strength * (NOISY_SET if noisy else 1.0)


def _jump(
    jump: OddEvent, held: OddEvent | None, noisy: bool, teller: Teller, thresholds: PositionThresholds
) -> Finding:
    strength = jump_strength(jump, noisy, thresholds) * (HELD if held is not None else 1.0)
    evidence = [
        Evidence("distance off her way", f"{jump.distance_nmi:.1f}", "0 to 1, the error of a receiver", "nmi"),
        Evidence("speed needed", f"{jump.implied_speed_kn:.0f}", "no more than she sails", "kn"),
        Evidence("from and to", f"{jump.start_place}, then {jump.end_place}"),
        Evidence("time", f"{jump.duration_h:.1f}", "", "h"),
        Evidence("reports concerned", str(jump.n_positions)),
        Evidence("other ships with a jump nearby then", str(jump.n_others), "0 if it is the ship, many if the place"),
    ]
    caveats = ["a receiver at fault, a damaged message and a wrong clock jump too"]
    if held is not None:
        evidence.append(
            Evidence("position held before it", f"{held.duration_h:.1f}", "moves by metres even at rest", "h")
        )
        caveats.append(
            "the position had stood still to the last digit before: a receiver without its antenna does this, "
            "and so does the simplest falsification"
        )
    if jump.n_others:
        caveats.append("others nearby jumped too: satellite positioning was disturbed there, or the feed mixed rows")
    if noisy:
        caveats.append("the set sends odd positions or speeds again and again: it is faulty")
    if jump.came_back is False or _sustained(jump, thresholds) > 0.0:
        caveats.append("another ship that begins to send the same number looks the same")
    if jump.came_back is False and jump.duration_h > thresholds.leap_full_h:
        caveats.append("nobody heard her in between")
    whither = {True: "and back", False: "and did not come back", None: "at the last"}[jump.came_back]
    headline = (
        f"{teller.ship(jump)} was heard {jump.distance_nmi:.0f} nmi off her way {whither}, "
        f"where {jump.implied_speed_kn:.0f} kn would have been needed"
    )
    return teller.finding(KIND, jump, strength, headline, evidence, caveats)


def _far(distance_nmi: float, thresholds: PositionThresholds) -> float:
    """0 for a jump as near as a fault's, 1 for a far one; by ratio."""
    full = max(thresholds.jump_full_nmi, thresholds.jump_from_nmi * 1.01)
    share = np.log(max(distance_nmi, 1e-3) / thresholds.jump_from_nmi) / np.log(full / thresholds.jump_from_nmi)
    return float(np.nan_to_num(np.clip(share, 0.0, 1.0)))


def _sustained(jump: OddEvent, thresholds: PositionThresholds) -> float:
    """0 for a jump that is over within hours or that nobody followed, 1 for one heard again and again for long."""
    if not jump.came_back or jump.n_positions * _REPORT_EVERY_H < jump.duration_h:
        return 0.0
    share = jump.duration_h / thresholds.sustained_h
    return float(np.clip((share - _BRIEF) / (1.0 - _BRIEF), 0.0, 1.0))


def _held(held: OddEvent, teller: Teller) -> Finding:
    strength = HELD_ALONE * shared_by(held.n_others)
    evidence = [
        Evidence("one position for", f"{held.duration_h:.1f}", "under way it changes with every report", "h"),
        Evidence("reports with it", str(held.n_positions)),
        Evidence("place", held.start_place),
        Evidence("other ships with the like nearby then", str(held.n_others)),
    ]
    caveats = ["a receiver that lost its antenna sends its last position with its last speed"]
    headline = f"{teller.ship(held)} said she moved while her position stood still for {held.duration_h:.0f} h"
    return teller.finding(KIND, held, strength, headline, evidence, caveats)


def _speed(speeds: Sequence[OddEvent], teller: Teller) -> Finding:
    first = min(speeds, key=lambda one: one.start)
    highest = max(speeds, key=lambda one: one.implied_speed_kn)
    strength = SPEED * shared_by(first.n_others)
    evidence = [
        Evidence("speed reported", f"{highest.implied_speed_kn:.1f}", "what her positions beside it show", "kn"),
        Evidence("spells of such reports", str(len(speeds))),
        Evidence("reports in the first", str(first.n_positions)),
        Evidence("place", first.start_place),
    ]
    caveats = ["a damaged message or a set that lost its fix; the positions themselves are in order"]
    kn = f"{highest.implied_speed_kn:.1f} kn"
    headline = f"{teller.ship(first)} suddenly reported {kn}, a speed that her positions do not show"
    return teller.finding(KIND, first, strength, headline, evidence, caveats)
