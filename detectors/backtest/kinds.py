"""What can be planted: every kind of falsified identity and every lawful look-alike, in one explicit list.

Takes nothing; gives `KINDS` and the reading of what a user asks for. How a kind is planted is in the `plants_*` files
and in `lookalikes`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from detectors.backtest import lookalikes, plants_claims, plants_hulls, plants_pairs
from detectors.backtest.fleet import Ship
from detectors.backtest.workshop import Plant, Workshop
from detectors.batch.refusals import nearest_name
from vessels.errors import UsageError

PlantShip = Callable[[Workshop, Ship, np.random.Generator], Plant | None]
PlantAll = Callable[[Workshop, np.random.Generator], Plant | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be planted. `name` is the kind of finding that a falsification should draw.

    `plant` is for one ship, `plant_all` for all at once. `needs` says in words which track it needs, `n_ships` how
    many. A look-alike `resembles` kinds of finding that would be mistakes; `shows` are kinds true of it all the same.
    """

    name: str
    needs: str
    plant: PlantShip | None = None
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
    Kind("set_replaced", _ANY, lookalikes.set_replaced, resembles=(*_HULL, "shared_mmsi")),
    Kind("lay_up", "a ship at one berth a week apart", lookalikes.lay_up, resembles=_HULL),
    Kind("edge_of_coverage", _MOVING, lookalikes.edge_of_coverage, resembles=_HULL),
    Kind("newcomer", "two ships of one length within 20 nmi", lookalikes.newcomer, n_ships=2, resembles=_HULL),
    Kind("feed_outage", "a span of four times its length", plant_all=lookalikes.feed_outage, resembles=_HULL),
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


def default_count(n_ships: int) -> int:
    """How many of each kind are planted into so many ships where nobody says."""
    needed = sum(kind.n_ships for kind in KINDS.values() if kind.plant is not None)
    return min(max(round(SHARE_PLANTED * n_ships / needed), 1), MOST_OF_A_KIND)


def counts_of(asked: Mapping[str, int] | None, n_ships: int) -> dict[str, int]:
    """How many of which kind are to be planted, falsifications first, in the order in which they take their ships.

    Without a word, some of each. Where falsifications are named, those only; look-alikes are planted unless told.
    """
    usual = default_count(n_ships)
    named = expanded(asked or {})
    falsified = {name: n for name, n in named.items() if not KINDS[name].is_lookalike}
    if asked is None or not falsified:
        falsified = {kind.name: usual for kind in FALSIFICATIONS}
    lawful = {name: n for name, n in named.items() if KINDS[name].is_lookalike}
    if not lawful:
        lawful = {kind.name: usual if kind.plant is not None else min(usual, MOST_OUTAGES) for kind in LOOKALIKES}
    return {name: n for name, n in (*falsified.items(), *lawful.items()) if n}
