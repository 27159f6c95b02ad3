"""Links, silences and parts of voyages for the small invented scene: one of each, between tracks that it already has.

Takes the rows of the scene's tables; adds rows of `silences`, `hull_links` and `voyage_parts`. The link is possible,
not strong, so that no hull is joined and the other tables hold as they are.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from vessels import schema
from vessels.geodesy import distance_nmi

PROBABILITY: Final = 0.6
RIVAL_PROBABILITY: Final = 0.2
_CLAIMED: Final = ("imo", "name", "call_sign", "ship_type", "length_m", "beam_m", "transceiver")
Rows = dict[str, list[dict[str, Any]]]


def add_links(rows: Rows, before_mmsi: int, after_mmsi: int, rival_mmsi: int) -> None:
    """A possible link from the last track of one MMSI to the first of another, with a third as its rival."""
    before = _track(rows, before_mmsi)
    after, rival = _track(rows, after_mmsi), _track(rows, rival_mmsi)
    old, new = _spells(rows, before)[-1], _spells(rows, after)[0]
    apart = float(distance_nmi(before["end_lat"], before["end_lon"], after["start_lat"], after["start_lon"]))
    gap_h = (after["start"] - before["end"]) / timedelta(hours=1)
    rows["hull_links"].append(
        {
            "link_id": schema.make_id("link", before["segment_id"], after["segment_id"]),
            "from_segment_id": before["segment_id"],
            "to_segment_id": after["segment_id"],
            "from_mmsi": before_mmsi,
            "to_mmsi": after_mmsi,
            "ended": before["end"],
            "began": after["start"],
            **{f"from_{axis}": before[f"end_{axis}"] for axis in ("lat", "lon")},
            **{f"to_{axis}": after[f"start_{axis}"] for axis in ("lat", "lon")},
            "from_silence": False,
            "to_silence": False,
            "gap_h": gap_h,
            "distance_nmi": apart,
            "probability": PROBABILITY,
            "weight_db": 20.0,
            "is_strong": False,
            **{f"from_{name}": old[name] for name in _CLAIMED},
            **{f"to_{name}": new[name] for name in _CLAIMED},
            "from_imo": old["imo"] or _spells(rows, before)[0]["imo"],
            "n_rivals": 1,
            "rivals": [
                {
                    "side": "from",
                    "segment_id": rival["segment_id"],
                    "mmsi": rival_mmsi,
                    "probability": RIVAL_PROBABILITY,
                }
            ],
            "evidence": [{"what": "dimensions", "observed": "110 m by 17 m, then 110 m by 17 m", "weight_db": 20.0}],
        }
    )
    rows["silences"].append(_silence(before))
    voyage = next(row for row in rows["voyages"] if row["segment_id"] == after["segment_id"])
    rows["voyage_parts"].append(
        {
            **{name: voyage[name] for name in ("voyage_id", "segment_id", "mmsi")},
            "start": voyage["span_start"],
            "end": voyage["span_end"],
        }
    )


def _track(rows: Rows, mmsi: int) -> dict[str, Any]:
    return next(row for row in rows["segments"] if row["mmsi"] == mmsi)


def _spells(rows: Rows, track: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [row for row in rows["identities"] if row["segment_id"] == track["segment_id"]]


def _silence(track: Mapping[str, Any]) -> dict[str, Any]:
    """A day's silence at the end of a track's first third, at its first position."""
    start = track["start"] + (track["end"] - track["start"]) / 3
    motion = {f"{end}_{name}": 1.0 for end in ("start", "end") for name in ("sog_kn", "cog_deg", "draught_m")}
    places = {f"{end}_{axis}": track[f"start_{axis}"] for end in ("start", "end") for axis in ("lat", "lon")}
    return {
        **{name: track[name] for name in ("segment_id", "mmsi")},
        "start": start,
        "end": start + timedelta(days=1),
        **places,
        **motion,
        "is_leap": False,
    }
