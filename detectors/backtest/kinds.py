"""What can be planted: every kind of falsification and every lawful look-alike, in one explicit list.

Takes nothing; gives `KINDS` and the reading of what a user asks for. How a kind is planted is in the `plants_*` files
and in `lookalikes`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from detectors.backtest import (
    lookalikes,
    lookalikes_craft,
    lookalikes_feed,
    lookalikes_sea,
    plants_cargo,
    plants_claims,
    plants_hulls,
    plants_meetings,
    plants_pairs,
    plants_positions,
    plants_silence,
)
from detectors.backtest.fleet import Ship
from detectors.backtest.workshop import Plant, Workshop
from detectors.batch.refusals import nearest_name
from vessels.errors import UsageError

PlantShip = Callable[[Workshop, Ship, np.random.Generator], Plant | None]
PlantAll = Callable[[Workshop, np.random.Generator], Plant | None]


CopyName = Literal["identity", "sea", "feed"]
COPIES: Final[tuple[CopyName, ...]] = ("identity", "sea", "feed")
"""Copies of the tracks: who a ship says she is, what she does at sea, and what befalls all ships of a place at once.

Each is planted and scanned by itself: as many ships are there for each, and what was planted at sea has no share in
what is found of identities.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be planted. `name` is the kind of finding that a falsification should draw.

    `copy` says into which copy of the tracks. `plant` is for one ship, `plant_all` for all at once. `needs` says in
    words which track it needs, `n_ships` how many. A look-alike `resembles` kinds of finding that would be mistakes;
    `shows` are kinds true of it all the same.
    """

    name: str
    needs: str
    plant: PlantShip | None = None
    copy: CopyName = "identity"
    plant_all: PlantAll | None = None
    n_ships: int = 1
    resembles: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()

    @property
    def is_lookalike(self) -> bool:
        """Whether it is lawful."""
        return bool(self.resembles)


_ANY, _MOVING = "a ship", "a ship that was under way"
_PAIR = "two ships heard at one time"
_HULL: Final = ("hull_handover", "identity_exchange", "revived_identity")
_SILENCE: Final = ("dark_gap", "hidden_call_feasible")
_MEETING: Final = ("rendezvous", "dark_rendezvous", "loitering")
_POSITION: Final = ("position_jump", "position_on_land", "drawn_track")
_MERCHANT: Final = "a cargo ship or tanker under way 12 nmi off the shore and 10 nmi off ports, heard every hour"
_PASSAGE: Final = "a ship heard in half of the hours, and well before and after, under way for"
_LEG: Final = "a ship heard every hour under way for"


FALSIFICATIONS: Final = (
    Kind("hull_handover", _ANY, plants_hulls.hull_handover),
    Kind("identity_exchange", f"{_PAIR} within 40 nmi", plants_hulls.identity_exchange, n_ships=2),
    Kind("revived_identity", "two ships of different length, days apart", plants_hulls.revived_identity, n_ships=2),
    Kind("near_listed_identity", "two ships of one length", plants_pairs.near_listed_identity, n_ships=2),
    Kind("imo_twin", _PAIR, plants_pairs.imo_twin, n_ships=2),
    Kind("shared_mmsi", _PAIR, plants_pairs.shared_mmsi, n_ships=2),
    Kind("imo_dropped", _ANY, plants_claims.imo_dropped),
    Kind("imo_change", _ANY, plants_claims.imo_change),
    Kind("name_change", _MOVING, plants_claims.name_change),
    Kind("call_sign_change", _ANY, plants_claims.call_sign_change),
    Kind("flag_change", _MOVING, plants_hulls.flag_change),
    Kind("type_change", _ANY, plants_claims.type_change),
    Kind("dimension_change", "a ship, another of other length", plants_claims.dimension_change),
    Kind("invalid_imo", _ANY, plants_claims.invalid_imo),
    Kind("invalid_mmsi", _ANY, plants_claims.invalid_mmsi),
    Kind("flag_call_sign_mismatch", _ANY, plants_claims.flag_call_sign_mismatch),
    Kind(
        "hidden_call_feasible",
        "a ship that called at a zone watched at level high, or was under way within 250 nmi of one by water and "
        "heard in none within a day, and three others heard about her at either end",
        plants_silence.hidden_call_feasible,
        "sea",
    ),
    Kind(
        "reexport_pairing",
        "two cargo ships at about one berth of a Russian coal port within weeks, the first with a way open to a "
        "watched port before, the second with a market port behind",
        plants_cargo.reexport_pairing,
        "sea",
        n_ships=2,
    ),
    Kind(
        "dark_gap",
        f"{_PASSAGE} 6 h, with 20 reports in it and three others heard about her at either end",
        plants_silence.dark_gap,
        "sea",
    ),
    Kind("rendezvous", f"two within 25 nmi, each {_MERCHANT}", plants_meetings.rendezvous, "sea", n_ships=2),
    Kind("dark_rendezvous", f"two within 25 nmi, each {_MERCHANT}", plants_meetings.dark_rendezvous, "sea", n_ships=2),
    Kind("loitering", _MERCHANT, plants_meetings.loitering, "sea"),
    Kind("position_jump", "a ship, and sea enough to shift her to", plants_positions.position_jump, "sea"),
    Kind("position_on_land", "a ship within 300 nmi of a broad land", plants_positions.position_on_land, "sea"),
    Kind("drawn_track", f"{_LEG} 6 h", plants_positions.drawn_track, "sea"),
)
_IN_A_STAY = "a ship that lay still for 6 h"
LOOKALIKES: Final = (
    Kind(
        "reflag",
        _IN_A_STAY,
        lookalikes.reflag,
        resembles=(*_HULL, "imo_twin", "imo_change"),
        shows=("flag_change", "name_change", "call_sign_change"),
    ),
    Kind(
        "sale",
        _IN_A_STAY,
        lookalikes.sale,
        resembles=(*_HULL, "shared_mmsi", "imo_change"),
        shows=("name_change", "call_sign_change"),
    ),
    Kind(
        "mmsi_corrected",
        _ANY,
        lookalikes.mmsi_corrected,
        resembles=(*_HULL, "imo_twin", "flag_change", "near_listed_identity"),
    ),
    Kind("set_replaced", _ANY, lookalikes.set_replaced, resembles=(*_HULL, "shared_mmsi", *_SILENCE)),
    Kind("lay_up", "a ship at one berth a week apart", lookalikes.lay_up, resembles=(*_HULL, *_SILENCE)),
    Kind("edge_of_coverage", _MOVING, lookalikes.edge_of_coverage, resembles=(*_HULL, *_SILENCE)),
    Kind("newcomer", "two ships of one length within 20 nmi", lookalikes.newcomer, n_ships=2, resembles=_HULL),
    Kind(
        "feed_outage",
        "a span of four times its length",
        plant_all=lookalikes.feed_outage,
        resembles=(*_HULL, *_SILENCE),
    ),
    Kind(
        "bunkering",
        "a tanker under 120 m and two ships that lay within 15 nmi for 8 h",
        lookalikes_craft.bunkering,
        "sea",
        n_ships=3,
        resembles=_MEETING,
    ),
    Kind(
        "tow",
        "a tug, and a cargo ship or tanker that left its port",
        lookalikes_craft.tow,
        "sea",
        n_ships=2,
        resembles=_MEETING,
    ),
    Kind(
        "set_failure",
        f"{_PASSAGE} 12 h",
        lookalikes_sea.set_failure,
        "sea",
        resembles=("hidden_call_feasible", *_MEETING, *_HULL),
        shows=("dark_gap",),
    ),
    Kind(
        "satellite_pass_gaps",
        _ANY,
        lookalikes_sea.satellite_pass_gaps,
        "sea",
        resembles=(*_SILENCE, *_MEETING, *_POSITION),
    ),
    Kind(
        "anchor_wait",
        "a cargo ship or tanker heard on her way to a berth",
        lookalikes_sea.anchor_wait,
        "sea",
        resembles=_MEETING,
    ),
    Kind(
        "harbour_inland",
        "a ship that lay still for 6 h with land beside her",
        lookalikes_sea.harbour_inland,
        "sea",
        resembles=_POSITION,
    ),
    Kind(
        "regional_outage",
        "three ships within 200 nmi",
        copy="feed",
        plant_all=lookalikes_feed.regional_outage,
        resembles=(*_SILENCE, *_MEETING, *_HULL),
    ),
    Kind(
        "class_b_thinning",
        "three class B sets",
        copy="feed",
        plant_all=lookalikes_feed.class_b_thinning,
        resembles=(*_SILENCE, *_MEETING),
    ),
    Kind(
        "jamming",
        "three ships within 60 nmi",
        copy="feed",
        plant_all=lookalikes_feed.jamming,
        resembles=(*_POSITION, "shared_mmsi", *_HULL),
    ),
)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in (*FALSIFICATIONS, *LOOKALIKES)})

ALL: Final = "all"
"""In `--inject`: every falsification."""
ALL_LOOKALIKES: Final = "lookalikes"
"""In `--inject`: every look-alike."""
_GROUPS: Final = MappingProxyType({ALL: FALSIFICATIONS, ALL_LOOKALIKES: LOOKALIKES})

SHARE_PLANTED: Final = 2 / 3
"""Of the ships that something can be planted into, by default: the rest stay as they are, so that plants stand out."""
MOST_OF_A_KIND: Final = 50
"""By default: the interval of a recall of 0.9 is then 0.79 to 0.96."""
MOST_OUTAGES: Final = 2
"""Unless they are asked for by name: each falls on all ships."""


def parse_inject(texts: Sequence[str]) -> dict[str, int]:
    """What `--inject` asks for: `hull_handover=50,imo_twin=20`, `all=10`, `lookalikes=0`; a later part goes before.

    Raises UsageError for an unknown kind, one named twice, a count that is none, and where nothing is to be planted.
    """
    asked: dict[str, int] = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, equals, count = (piece.strip() for piece in part.partition("="))
        if not equals or not (count.isascii() and count.isdigit()):
            raise UsageError(f"--inject {part!r}: write KIND=N, such as hull_handover=50")
        if name in asked:
            raise UsageError(f"--inject names {name} more than once; give it one number")
        asked[name] = int(count)
    refuse_nothing(asked)
    return expanded(asked)


def refuse_nothing(asked: Mapping[str, int]) -> None:
    """Raises UsageError where nothing is named, or falsifications are, each with 0, and no look-alike is asked for.

    Raises what `expanded` raises too.
    """
    counts = expanded(asked)
    lawful = {name for name in counts if KINDS[name].is_lookalike}
    if not counts or (set(counts) - lawful and not any(counts.values())):
        named = ", ".join(f"{name}={n}" for name, n in asked.items()) or "nothing"
        raise UsageError(
            f"{named}: none is asked for, so nothing would be planted; name a kind with a number, such as "
            "hull_handover=50, or all but one: all=20,hull_handover=0"
        )


def expanded(asked: Mapping[str, int]) -> dict[str, int]:
    """Counts by kind, groups spelt out. Raises UsageError for an unknown kind or a negative count."""
    counts: dict[str, int] = {}
    for name, count in asked.items():
        if count < 0:
            raise UsageError(f"{name}={count}: how many are to be planted cannot be negative")
        if name in _GROUPS:
            counts.update(
                {kind.name: count if kind.plant is not None else min(count, MOST_OUTAGES) for kind in _GROUPS[name]}
            )
        elif name in KINDS:
            counts[name] = count
        else:
            near = nearest_name(name, [*KINDS, *_GROUPS])
            meant = f"; did you mean {near}?" if near else "."
            raise UsageError(
                f"nothing called {name!r} can be planted{meant} There are {', '.join(k.name for k in FALSIFICATIONS)}, "
                f"and lawful look-alikes: {', '.join(k.name for k in LOOKALIKES)}; "
                f"{ALL} and {ALL_LOOKALIKES} stand for each of them"
            )
    return counts


def default_count(n_ships: int, copy: CopyName) -> int:
    """How many of each kind are planted into so many ships of a copy where nobody says."""
    needed = sum(kind.n_ships for kind in KINDS.values() if kind.plant is not None and kind.copy == copy)
    return min(max(round(SHARE_PLANTED * n_ships / needed), 1), MOST_OF_A_KIND) if needed else MOST_OUTAGES


def counts_of(asked: Mapping[str, int] | None, n_ships: int) -> dict[str, int]:
    """How many of which kind are to be planted, falsifications first, in the order in which they take their ships.

    Without a word, some of each. Where falsifications are named, those only; look-alikes are planted unless told, in
    the copies of those named and in those where nothing is falsified.
    """
    named = expanded(asked or {})
    falsified = {name: n for name, n in named.items() if not KINDS[name].is_lookalike}
    if asked is None or not falsified:
        falsified = {kind.name: _usual(kind, n_ships) for kind in FALSIFICATIONS}
    lawful = {name: n for name, n in named.items() if KINDS[name].is_lookalike}
    if not lawful:
        used = {KINDS[name].copy for name in falsified}
        used |= set(COPIES) - {kind.copy for kind in FALSIFICATIONS} if "sea" in used else set()
        lawful = {kind.name: _usual(kind, n_ships) for kind in LOOKALIKES if kind.copy in used}
    return {name: n for name, n in (*falsified.items(), *lawful.items()) if n}


def _usual(kind: Kind, n_ships: int) -> int:
    usual = default_count(n_ships, kind.copy)
    return usual if kind.plant is not None else min(usual, MOST_OUTAGES)
