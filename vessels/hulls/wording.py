"""What was observed for each piece of a link's evidence, in words."""

import math
from typing import Final

import pyarrow as pa

from vessels.hulls import evidence as piece
from vessels.hulls.ends import Ends
from vessels.hulls.whereabouts import STOPPED_KN

_CLASSES = ("cargo ship", "tanker", "fishing vessel", "passenger ship", "tug", "pleasure craft", "naval ship")


def observed(
    name: str, ends: Ends, starts: Ends, e: int, s: int, gap_h: float, apart_nmi: float, identities: pa.Table
) -> str:
    """What was observed, for one link and one piece of evidence; numbers can be looked up in the tables."""
    if name == piece.PLACE:
        return _place(ends, starts, e, s, gap_h, apart_nmi)
    if name == piece.BODIES:
        return f"{_body(ends, e)}, then {_body(starts, s)}"
    if name == piece.DRAUGHT:
        return f"{ends.draught_m[e]:.1f} m, then {starts.draught_m[s]:.1f} m"
    if name == piece.CLASS:
        return f"{_class(ends, e)}, then {_class(starts, s)}"
    if name == piece.HABIT:
        return f"a report every {ends.interval_s[e]:.0f} s, then every {starts.interval_s[s]:.0f} s (medians)"
    if name == piece.CRUISE:
        return f"{ends.cruise_kn[e]:.1f} kn under way, then {starts.cruise_kn[s]:.1f} kn (medians)"
    if name == piece.SET:
        return _pair("transceiver", ends, starts, e, s, identities, "class {} set")
    if name == piece.CLAIMED:
        said = [_pair(c, ends, starts, e, s, identities, "{}") for c in ("name", "call_sign")]
        told = [f"{what} {one}" for what, one in zip(("name", "call sign"), said, strict=True) if one != _NEVER]
        return "; ".join(told)
    if name == piece.NUMBERS:
        imo = [str(one) if one > 0 else "none" for one in (int(ends.claims.imo[e]), int(starts.claims.imo[s]))]
        numbers = f"MMSI {ends.mmsi[e]:09d}, then {starts.mmsi[s]:09d}"
        return f"IMO number {imo[0]}, then {imo[1]}; {numbers}" if imo != ["none", "none"] else numbers
    if name == piece.HEARD:
        return "the old MMSI is heard again, or the new one was heard before, on another track"
    if name == piece.QUIET:
        return "the data begin so shortly before the new one, or end so shortly after the old one, that little is known"
    if name == piece.OVERLAP:
        return f"the new one was heard {_hours(-gap_h)} before the old one's last report"
    return ""


def _place(ends: Ends, starts: Ends, e: int, s: int, gap_h: float, apart_nmi: float) -> str:
    text = f"{apart_nmi:.1f} nmi apart, {_hours(gap_h) if gap_h > 0 else 'no'} silence between"
    if gap_h > 0 and apart_nmi > 1.0:
        text += f", {apart_nmi / gap_h:.1f} kn needed"
    speeds = [_motion(float(side.sog_kn[i]), float(side.cog_deg[i])) for side, i in ((ends, e), (starts, s))]
    return f"{text}; {speeds[0]} before, {speeds[1]} after"


def _hours(gap_h: float) -> str:
    if gap_h < 2.0:
        return f"{gap_h * 60.0:.0f} min"
    return f"{gap_h:.1f} h" if gap_h < 72.0 else f"{gap_h / 24.0:.1f} days"


def _motion(sog_kn: float, cog_deg: float) -> str:
    if math.isnan(sog_kn):
        return "speed unknown"
    if sog_kn < STOPPED_KN:
        return "stopped"
    return f"{sog_kn:.1f} kn" + ("" if math.isnan(cog_deg) else f" on course {cog_deg:03.0f}")


def _body(side: Ends, i: int) -> str:
    length, beam = float(side.claims.length_m[i]), float(side.claims.beam_m[i])
    return f"{length:.0f} m" + ("" if math.isnan(beam) else f" by {beam:.0f} m")


def _class(side: Ends, i: int) -> str:
    return _CLASSES[int(side.claims.type_group[i])]


def _pair(column: str, ends: Ends, starts: Ends, e: int, s: int, identities: pa.Table, form: str) -> str:
    said = []
    for claims, i in ((ends.claims, e), (starts.claims, s)):
        spell = int(getattr(claims, f"{column}_spell")[i])
        value = identities[column][spell].as_py() if spell >= 0 else None
        said.append("none" if value is None else form.format(value))
    return f"{said[0]}, then {said[1]}" if said[0] != said[1] else f"{said[0]} before and after"


_NEVER: Final = "none before and after"
