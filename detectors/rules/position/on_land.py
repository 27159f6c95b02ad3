"""Positions on land: a ship is heard where no water is known.

Takes `position_events` of kinds on_land and jump; gives findings. Land polygons lack most rivers, canals and lakes, and
many ships live there; so being inland says nothing. What counts is a straight way over land from sea to sea, or a jump
that leads inland, where next to nobody else is ever heard.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from detectors.finding import Evidence, Finding
from detectors.rules.position.events import OddEvent, Teller, apart_nmi
from detectors.rules.position.jumps import MOST, jump_strength, noisy_sets
from detectors.rules.position.parameters import PositionThresholds

KIND: Final = "position_on_land"
CROSSED: Final = 0.5
"""A straight way over land from sea to sea, alone. Gaps in a track filled by a feed, and canals, show the same."""
CROSSED_FAR: Final = 0.75
FAR: Final = 3.0
"""A way over land this many times the least looked at weighs in full."""
JUMPED: Final = 0.2
"""A jump that leads inland, as far as the jump alone weighs: it is told for itself, receivers that fail do this, and
interference shows airfields. Where she sailed on there for a day, up to two and a half times as much."""
LEAST_LEAP: Final = 0.2
"""A jump with a smaller share of what a jump can weigh, such as a glitch or one of many ships', leads nowhere."""
ONE_OTHER: Final = 0.5


def positions_on_land(events: Sequence[OddEvent], teller: Teller, thresholds: PositionThresholds) -> list[Finding]:
    """Findings on runs on land."""
    jumps: dict[int, list[OddEvent]] = defaultdict(list)
    for event in events:
        if event.kind == "jump":
            jumps[event.mmsi].append(event)
    runs = (one for one in events if one.kind == "on_land" and one.n_others <= thresholds.land_others)
    noisy = noisy_sets(events, thresholds)
    found = [_on_land(run, jumps[run.mmsi], run.mmsi in noisy, teller, thresholds) for run in runs]
    return [one for one in found if one is not None and one.strength >= thresholds.min_strength]


def _on_land(
    run: OddEvent, jumps: Sequence[OddEvent], noisy: bool, teller: Teller, thresholds: PositionThresholds
) -> Finding | None:
    way_nmi = run.implied_speed_kn * run.duration_h
    straight = apart_nmi(run) / way_nmi if way_nmi > 0.0 else 0.0
    crossed = run.crosses_land and way_nmi >= thresholds.straight_nmi and straight >= thresholds.straight_share
    near = timedelta(hours=thresholds.land_jump_h)
    beside = [one for one in jumps if one.start <= run.end + near and one.end >= run.start - near]
    leap = max(beside, key=lambda one: jump_strength(one, noisy, thresholds), default=None)
    leap_share = 0.0 if leap is None else jump_strength(leap, noisy, thresholds) / MOST
    if leap_share < LEAST_LEAP:
        leap = None
    strength = 0.0
    if crossed:
        share = min((way_nmi / thresholds.straight_nmi - 1.0) / (FAR - 1.0), 1.0)
        strength = CROSSED + (CROSSED_FAR - CROSSED) * share
    if leap is not None:
        strength = 1.0 - (1.0 - strength) * (1.0 - JUMPED * leap_share)
    strength *= ONE_OTHER if run.n_others else 1.0
    if strength == 0.0:
        return None
    evidence = [
        Evidence("farthest inland", f"{run.distance_nmi:.1f}", "under 2, the error of coast lines", "nmi"),
        Evidence("way over land", f"{way_nmi:.1f}", "", "nmi"),
        Evidence("great circle over way", f"{straight:.2f}", "0.95 or less on rivers", ""),
        Evidence("from and to", f"{run.start_place}, {run.end_place}"),
        Evidence("other ships ever heard there", str(run.n_others), "many on a waterway"),
    ]
    caveats = ["the land polygons lack rivers, canals and lakes: look at a chart"]
    if leap is not None:
        evidence.append(
            Evidence("jump before or after", f"{leap.distance_nmi:.0f} nmi at {leap.start:%Y-%m-%dT%H:%M:%SZ}")
        )
        caveats.append("receivers that fail and interference put ships on land as well")
    if crossed:
        caveats.append("feeds that fill silences with straight lines lead ships over land")
    headline = f"{teller.ship(run)} was heard on land, {run.distance_nmi:.0f} nmi from the shore"
    told = teller.finding(KIND, run, strength, headline, evidence, caveats)
    # A false way belongs to the voyage that the ship was on when she left it.
    return told if leap is None else told.with_(segment_id=leap.segment_id, hull_id=leap.hull_id)
