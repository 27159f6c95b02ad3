"""Drawn tracks: motion that engine, helm and sea do not give a ship.

Takes `position_events` of kinds laps, constant and replay; gives findings. The innocent reasons are in the feed (one
that interpolates, or delivers twice) and then befall others too, or in the trade (patrols, dredgers, ferries, ships
that wait under track control).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from detectors.finding import Evidence, Finding
from detectors.rules.position.events import OddEvent, Teller, shared_by
from detectors.rules.position.parameters import PositionThresholds
from vessels.ais import mmsi_text

KIND: Final = "drawn_track"
LAPS_DAY, LAPS_FULL = 0.5, 1.0
"""A day of laps on one line within metres, and days of them: see laps_full_h."""
DAY_H: Final = 24.0
BY_TRADE: Final = 0.3
ROUND_BY_TRADE: Final = frozenset({"work", "service", "law", "military", "passenger", "tug", "fishing", "pleasure"})
"""Classes of ship that go round and round for a living, or for pleasure, under track control."""
CONSTANT_SHORT, CONSTANT_FULL = 0.3, 0.9
UNKNOWN_USUAL: Final = 0.5
"""Nothing to compare her with: the feed may be like this."""
REPLAY_OWN, REPLAY_OTHER = 0.8, 0.9
LATE: Final = 0.2
"""The feed may have delivered her own rows again with other times."""


def drawn_tracks(events: Sequence[OddEvent], teller: Teller, thresholds: PositionThresholds) -> list[Finding]:
    """Findings on laps, constant motion and replays."""
    found = [_RULES[event.kind](event, teller, thresholds) for event in events if event.kind in _RULES]
    return [one for one in found if one.strength >= thresholds.min_strength]


def _laps(laps: OddEvent, teller: Teller, thresholds: PositionThresholds) -> Finding:
    span = max(thresholds.laps_full_h - DAY_H, 1.0)
    strength = LAPS_DAY + (LAPS_FULL - LAPS_DAY) * float(np.clip((laps.duration_h - DAY_H) / span, 0.0, 1.0))
    strength *= min(laps.duration_h / DAY_H, 1.0) * shared_by(laps.n_others)
    group = teller.group(laps)
    strength *= BY_TRADE if group in ROUND_BY_TRADE else 1.0
    evidence = [
        Evidence("the same way round and round for", f"{laps.duration_h:.0f}", "", "h"),
        Evidence("way sailed", f"{laps.distance_nmi:.0f}", "", "nmi"),
        Evidence(
            "speed along it",
            f"{laps.implied_speed_kn:.1f}, the same throughout",
            "varies, and is broken by stops",
            "kn",
        ),
        Evidence(
            "from the way of the other laps", f"{laps.residual_m:.0f}", "tens to hundreds, as helm and sea allow", "m"
        ),
        Evidence("other ships with the like nearby then", str(laps.n_others)),
    ]
    caveats = ["patrols, trials and ships that wait under track control go round as well"]
    if group in ROUND_BY_TRADE:
        caveats.append(f"she says that her class is {group}, and such craft go round by trade")
    headline = (
        f"{teller.ship(laps)} went round the same way for {laps.duration_h / DAY_H:.1f} days at "
        f"{laps.implied_speed_kn:.1f} kn, each lap within {laps.residual_m:.0f} m of the others"
    )
    return teller.finding(KIND, laps, strength, headline, evidence, caveats, "laps")


def _constant(even: OddEvent, teller: Teller, thresholds: PositionThresholds) -> Finding:
    share = min(even.duration_h / thresholds.constant_full_h, 1.0)
    strength = (CONSTANT_SHORT + (CONSTANT_FULL - CONSTANT_SHORT) * share) * shared_by(even.n_others)
    if np.isnan(even.usual_residual_m):
        smoother, usual = UNKNOWN_USUAL, "not known"
    else:
        ratio = even.usual_residual_m / max(even.residual_m, 0.1)
        smoother = float(np.clip((ratio - 1.0) / (thresholds.even_ratio - 1.0), 0.0, 1.0))
        usual = f"{even.usual_residual_m:.0f} on her other legs, or those of others"
    evidence = [
        Evidence("even motion for", f"{even.duration_h:.1f}", "half an hour at most", "h"),
        Evidence("way sailed", f"{even.distance_nmi:.0f}", "", "nmi"),
        Evidence("speed along it", f"{even.implied_speed_kn:.1f}", "", "kn"),
        Evidence("from even motion", f"{even.residual_m:.1f}", usual, "m"),
        Evidence("other ships with the like nearby then", str(even.n_others), "many if the feed interpolates"),
    ]
    caveats = ["autopilots on a calm sea, and feeds that interpolate, give smooth tracks"]
    if np.isnan(even.usual_residual_m):
        caveats.append("too little else is heard to say what is usual in this feed")
    headline = (
        f"{teller.ship(even)} moved for {even.duration_h:.0f} h at {even.implied_speed_kn:.1f} kn without departing "
        f"from even motion by more than {even.residual_m:.0f} m"
    )
    return teller.finding(KIND, even, strength * smoother, headline, evidence, caveats, "constant")


def _replay(copy: OddEvent, teller: Teller, thresholds: PositionThresholds) -> Finding:
    own = copy.replayed_mmsi == copy.mmsi
    lag_h = np.inf if copy.replayed_from is None else (copy.start - copy.replayed_from).total_seconds() / 3600.0
    strength = (REPLAY_OWN if own else REPLAY_OTHER) * min(0.4 + 0.6 * copy.duration_h / thresholds.replay_full_h, 1.0)
    strength *= shared_by(copy.n_others)
    late = own and lag_h <= thresholds.late_h
    strength *= LATE if late else 1.0
    source = "her own track" if own else f"the track of MMSI {mmsi_text(copy.replayed_mmsi or 0)}"
    when = (
        "at a time not known"
        if copy.replayed_from is None
        else f"first sent at {copy.replayed_from:%Y-%m-%dT%H:%M:%SZ}"
    )
    moved_m = 0.0 if np.isnan(copy.residual_m) else copy.residual_m
    what = "positions sent before, to the last digit" if moved_m == 0.0 else "reports on an earlier path of hers"
    evidence = [
        Evidence(what, f"about {copy.n_positions}", "none under way"),
        Evidence("sent before", f"{source}, {when}"),
        Evidence("for", f"{copy.duration_h:.1f}", "", "h"),
        Evidence("way", f"{copy.distance_nmi:.0f}", "", "nmi"),
        Evidence("other ships with the like nearby then", str(copy.n_others), "many if the feed repeats itself"),
    ]
    if moved_m > 0.0:
        usual = "" if np.isnan(copy.usual_residual_m) else f"{copy.usual_residual_m:.0f} at other times of it"
        evidence.append(Evidence("from the earlier path", f"{moved_m:.0f}", usual, "m"))
    caveats = ["a feed that delivers rows again with other times looks the same"]
    if late:
        caveats.append("the first and the second time are less than a day apart")
    sent = "sent the positions of" if moved_m == 0.0 else f"kept within {max(moved_m, 1.0):.0f} m of"
    again = "again, " if moved_m == 0.0 else ""
    headline = f"{teller.ship(copy)} {sent} {source} {again}{lag_h:.0f} h later"
    others = () if own or copy.replayed_mmsi is None else (copy.replayed_mmsi,)
    return teller.finding(KIND, copy, strength, headline, evidence, caveats, "replay", others)


_RULES: Final[Mapping[str, Callable[[OddEvent, Teller, PositionThresholds], Finding]]] = {
    "laps": _laps,
    "constant": _constant,
    "replay": _replay,
}
