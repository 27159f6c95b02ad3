"""Small invented worlds for tests of hull links: tracks as plain records, and the tables they become.

Times are days after `T0`, places (latitude, longitude). A track says what it claims in `said`, once and for its whole
life, unless `spells` gives several; its `silences` are (from day, to day, where it fell silent, where it woke).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from tests.vessels.builders import T0_US
from vessels import schema
from vessels.hulls.background import births_around, bodies_of
from vessels.hulls.ends import Ends, both_ends
from vessels.hulls.evidence import Background, Weighed, background_of, weigh_pairs
from vessels.hulls.links import find_links
from vessels.hulls.parameters import DEFAULT_LINKS, LinkParameters
from vessels.instants import times_us
from vessels.units import US_PER_DAY

Place = tuple[float, float]
DAYS = 60.0
"""How long a world is heard."""
H = 1.0 / 24.0
"""An hour, in days."""
MID = (273, 412, 416, 431, 440, 445, 457, 511, 538, 572, 613, 620, 636, 671)


@dataclass(frozen=True)
class Silence:
    """A track falls silent at one day and place and wakes at another."""

    fell: float
    woke: float
    at: Place
    to: Place
    fell_kn: float = 0.1
    woke_kn: float = 0.1
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Track:
    """One track: who, when, from where, to where, how fast at both ends, and what it claims."""

    mmsi: int
    born: float
    died: float
    at: Place
    to: Place
    said: Mapping[str, Any] = field(default_factory=dict)
    born_kn: float = 0.1
    died_kn: float = 0.1
    born_cog: float | None = None
    died_cog: float | None = None
    cruise_kn: float | None = 11.0
    interval_s: float | None = 60.0
    longest_h: float | None = None
    n_reports: int = 500
    draught_m: tuple[float | None, float | None] = (None, None)
    silences: tuple[Silence, ...] = ()
    spells: tuple[Mapping[str, Any], ...] | None = None


def valid_imo(k: int) -> int:
    """The k-th invented IMO number: its check digit is right, and it lies below those that were issued."""
    stem = 200_000 + k
    total = sum(int(digit) * weight for digit, weight in zip(str(stem), range(7, 1, -1), strict=True))
    return stem * 10 + total % 10


def ship_mmsi(k: int) -> int:
    """The k-th invented MMSI, of the shape of a ship's."""
    return MID[k % len(MID)] * 1_000_000 + 100_000 + k


def us(day: float) -> int:
    """Microseconds since 1970."""
    return T0_US + round(day * 86_400) * 1_000_000


def ids_of(tracks: Sequence[Track]) -> list[str]:
    """The segment id of each track: of its MMSI and start, and of its place where two start at once."""
    seen: dict[tuple[int, int], int] = {}
    ids = []
    for track in tracks:
        key = (track.mmsi, us(track.born))
        n = seen[key] = seen.get(key, -1) + 1
        ids.append(schema.make_id("segment", *key, *([n] if n else [])))
    return ids


def filled(declared: schema.Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of rows; what a row leaves out is null."""
    for row in rows:
        assert set(row) <= set(declared.names), set(row) - set(declared.names)
    return declared.build({c.name: pa.array([row.get(c.name) for row in rows], c.type) for c in declared.columns})


def instant_us(day: float) -> int:
    """A day as the value of a timestamp column."""
    return us(day)


def tables_of(tracks: Sequence[Track]) -> dict[str, pa.Table]:
    """The tables `segments`, `silences` and `identities` of some tracks, in their order."""
    segments, silences, identities = [], [], []
    for track, segment_id in zip(tracks, ids_of(tracks), strict=True):
        who = {"segment_id": segment_id, "mmsi": track.mmsi}
        segments.append(
            {
                **who, "start": us(track.born), "end": us(track.died), "n_positions": track.n_reports,
                "start_lat": track.at[0], "start_lon": track.at[1], "end_lat": track.to[0], "end_lon": track.to[1],
                "median_interval_s": track.interval_s, "cruise_kn": track.cruise_kn,
                "longest_interval_h": track.longest_h,
                "start_draught_m": track.draught_m[0], "end_draught_m": track.draught_m[1],
                "start_sog_kn": track.born_kn, "end_sog_kn": track.died_kn,
                "start_cog_deg": track.born_cog, "end_cog_deg": track.died_cog,
            }
        )  # fmt: skip
        silences += [
            {
                **who, "start": us(one.fell), "end": us(one.woke), "start_lat": one.at[0], "start_lon": one.at[1],
                "end_lat": one.to[0], "end_lon": one.to[1], "start_sog_kn": one.fell_kn, "end_sog_kn": one.woke_kn,
                **one.more,
            }
            for one in track.silences
        ]  # fmt: skip
        spells = ({"first": track.born, "last": track.died, **track.said},) if track.spells is None else track.spells
        identities += [
            {
                **who, "n_reports": 400, **{k: v for k, v in spell.items() if k not in ("first", "last")},
                "first_seen": us(spell["first"]), "last_seen": us(spell.get("last", track.died)),
            }
            for spell in spells
            if len(spell) > 2 or track.spells is not None
        ]  # fmt: skip
    return {
        "segments": filled(schema.SEGMENTS, segments),
        "silences": filled(schema.SILENCES, silences),
        "identities": filled(schema.IDENTITIES, identities),
    }


def ends_of(tracks: Sequence[Track]) -> tuple[Ends, Ends]:
    """Both sides of possible links."""
    return both_ends(**tables_of(tracks))


def links_of(tracks: Sequence[Track], parameters: LinkParameters = DEFAULT_LINKS) -> pa.Table:
    """The links of some tracks."""
    return find_links(**tables_of(tracks), parameters=parameters)


def measured(tracks: Sequence[Track]) -> tuple[Ends, Ends, Background]:
    """Both sides, and what chance alone brings."""
    tables = tables_of(tracks)
    ends, starts = both_ends(**tables)
    span = int(times_us(tables["segments"]["start"]).min()), int(times_us(tables["segments"]["end"]).max())
    return ends, starts, background_of(ends, starts, births_around(starts, span), bodies_of(starts), span)


def weighed(
    tracks: Sequence[Track], pairs: Sequence[tuple[int, int]], parameters: LinkParameters = DEFAULT_LINKS
) -> Weighed:
    """The weights of pairs of tracks, by their places in the list: the end of the one, the start of the other."""
    ends, starts, background = measured(tracks)
    e, s = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return weigh_pairs(ends, starts, e, s, background, parameters)


def weights_of(tracks: Sequence[Track], e: int = 0, s: int = 1, **how: Any) -> dict[str, float]:
    """What each piece of evidence weighs for one pair, decibans."""
    return {name: float(column[0]) for name, column in weighed(tracks, [(e, s)], **how).weights.items()}


Linked = dict[tuple[int, int, bool, bool], float]
"""Probability by old track, new track, whether from a silence, whether to one."""


def linked(tracks: Sequence[Track], links: pa.Table, strong_only: bool = False) -> Linked:
    """The links as places in the list of tracks."""
    place = {segment_id: i for i, segment_id in enumerate(ids_of(tracks))}
    return {
        (place[row["from_segment_id"]], place[row["to_segment_id"]], row["from_silence"], row["to_silence"]): row[
            "probability"
        ]
        for row in links.to_pylist()
        if row["is_strong"] or not strong_only
    }


def strong(tracks: Sequence[Track], parameters: LinkParameters = DEFAULT_LINKS) -> set[tuple[int, int]]:
    """Pairs of tracks that are strongly linked."""
    return {(e, s) for e, s, _, _ in linked(tracks, links_of(tracks, parameters), strong_only=True)}


def body(k: int) -> dict[str, Any]:
    """Dimensions and class of the k-th design, some forty of them."""
    length = 40 + (k * 37) % 203
    kind = (70, 80, 30, 60, 52)[k % 5]
    return {"length_m": float(length), "beam_m": float(round(length / (5.2 + k % 4 * 0.6))), "ship_type": kind}


def name_of(k: int) -> str:
    """The k-th ship's name: ten letters like no other's, and no number, so that no two are sisters' or slips."""
    digest = hashlib.blake2b(str(k).encode(), digest_size=10).digest()
    return "".join(chr(ord("A") + byte % 26) for byte in digest)


def papers(k: int, **other: Any) -> dict[str, Any]:
    """What the k-th ship claims: a name, a call sign, an IMO number, a body, a class A set."""
    return {
        "name": name_of(k), "call_sign": f"XV{k:04d}", "imo": valid_imo(k), "transceiver": "A", **body(k), **other
    }  # fmt: skip


def bystanders(n: int = 300, seed: int = 1, first: int = 10_000) -> list[Track]:
    """Ordinary ships all over the seas, heard for a while or all the time: what chance brings."""
    rng = np.random.default_rng(seed)
    tracks = []
    for k in range(n):
        born = 0.0 if rng.random() < 0.5 else float(rng.uniform(0, DAYS))
        died = DAYS if rng.random() < 0.5 else float(rng.uniform(born, DAYS))
        at, to = ((float(rng.uniform(-50, 60)), float(rng.uniform(-180, 180))) for _ in range(2))
        kn = [float(rng.choice([0.1, 9.0, 13.0])) for _ in range(2)]
        cog = [float(rng.uniform(0, 359.9)) for _ in range(2)]
        tracks.append(
            Track(
                ship_mmsi(first + k), born, max(died, born + H), at, to, papers(first + k),
                born_kn=kn[0], died_kn=kn[1], born_cog=cog[0], died_cog=cog[1],
                cruise_kn=float(rng.normal(11.0, 2.5)), interval_s=float(np.exp(rng.normal(4.5, 0.8))),
            )
        )  # fmt: skip
    return tracks


def moved(place: Place, nmi: float, course_deg: float) -> Place:
    """So far on a course, on the plane; longitudes stay in [-180, 180)."""
    angle = np.radians(course_deg)
    lat = place[0] + nmi * float(np.cos(angle)) / 60.0
    lon = place[1] + nmi * float(np.sin(angle)) / 60.0 / float(np.cos(np.radians(place[0])))
    return lat, float((lon + 180.0) % 360.0 - 180.0)


def rotated(tracks: Iterable[Track], degrees: float) -> list[Track]:
    """The same world, turned east."""

    def turn(place: Place) -> Place:
        return place[0], round((place[1] + degrees + 180.0) % 360.0 - 180.0, 9)

    return [
        replace(
            track,
            at=turn(track.at),
            to=turn(track.to),
            silences=tuple(replace(one, at=turn(one.at), to=turn(one.to)) for one in track.silences),
        )
        for track in tracks
    ]


def later(tracks: Iterable[Track], days: float) -> list[Track]:
    """The same world, so many days later."""
    return [
        replace(
            track,
            born=track.born + days,
            died=track.died + days,
            silences=tuple(replace(one, fell=one.fell + days, woke=one.woke + days) for one in track.silences),
            spells=None
            if track.spells is None
            else tuple({**one, "first": one["first"] + days, "last": one["last"] + days} for one in track.spells),
        )
        for track in tracks
    ]


def renamed(tracks: Iterable[Track], names: Mapping[int, int]) -> list[Track]:
    """The same world under other MMSI."""
    return [replace(track, mmsi=names[track.mmsi]) for track in tracks]


def day_of(time_us: int) -> float:
    """Days after `T0`."""
    return (time_us - T0_US) / US_PER_DAY
