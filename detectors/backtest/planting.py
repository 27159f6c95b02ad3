"""Planting: which ships get what, by lot, kind after kind; and the planted table that comes of it.

Takes a `Fleet`, counts by kind and a seed; gives `Planted`. A ship is used for one plant of a copy only. Kinds take
their ships in the order in which they were asked for, each with draws of its own, so that one kind more, asked for
last, leaves the others as they were unless it must share their ships.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from detectors.backtest.draws import generator
from detectors.backtest.fleet import SIDE_H, SIDE_REPORTS, Fleet
from detectors.backtest.kinds import COPIES, KINDS, CopyName, Kind
from detectors.backtest.sheet import Sheet
from detectors.backtest.waters import Waters
from detectors.backtest.workshop import Plant, Workshop
from vessels.errors import UsageError
from vessels.intake import Progress, no_progress

NEEDS = (
    f"A plant needs a class A ship that sends one name, call sign, IMO number (check digit valid), type and length "
    f"throughout, with {SIDE_REPORTS} positions over {SIDE_H} h before the change and as many after it"
)


@dataclass(frozen=True, slots=True)
class Planted:
    """What was planted, the rows it was planted into, and what could not be planted, in words."""

    plants: tuple[Plant, ...]
    sheet: Sheet
    asked: Mapping[str, int]
    notes: tuple[str, ...]

    def table(self) -> pa.Table:
        """The planted rows."""
        return self.sheet.table()


def by_copy(counts: Mapping[str, int]) -> dict[CopyName, dict[str, int]]:
    """The counts of each copy of the tracks that anything is planted into."""
    parted = {copy: {name: n for name, n in counts.items() if KINDS[name].copy == copy} for copy in COPIES}
    return {copy: asked for copy, asked in parted.items() if asked}


def refuse_barren(n_plants: int, notes: Sequence[str]) -> None:
    """Raises UsageError, with the notes, where not one thing could be planted into any copy."""
    if not n_plants:
        raise UsageError(f"nothing could be planted. {NEEDS}. {'; '.join(notes)}")


def plant_all(
    fleet: Fleet, counts: Mapping[str, int], seed: int, waters: Waters, progress: Progress = no_progress
) -> Planted:
    """Plant so many of each kind into one copy, or as many as the tracks allow, and say where they do not.

    Raises UsageError where no ship is fit for it.
    """
    if not fleet.ships:
        lacks = ", ".join(f"{lack} {n:,}" for lack, n in fleet.unfit.items()) or "nothing was heard"
        raise UsageError(
            f"nothing can be planted: none of {fleet.n_vessels:,} vessels fits ({lacks}). {NEEDS}. "
            "Give longer tracks with static data"
        )
    shop = Workshop(fleet, seed, waters)
    plants: list[Plant] = []
    notes: list[str] = []
    for done, (name, count) in enumerate(counts.items()):
        progress("plant", done, len(counts))
        kind = KINDS[name]
        n_free = sum(shop.is_free(number) for number in fleet.ships)
        made = _plant(shop, kind, count)
        plants += made
        if len(made) < count:
            left = f"{n_free} of {len(fleet.ships)} ships were left to choose from, and " if kind.plant else ""
            notes.append(f"{name}: {len(made)} of {count} planted; {left}it needs {kind.needs}")
    progress("plant", len(counts), len(counts))
    return Planted(tuple(plants), shop.sheet, dict(counts), tuple(notes))


def _plant(shop: Workshop, kind: Kind, count: int) -> list[Plant]:
    made: list[Plant] = []
    if kind.plant_all is not None:
        draws = (kind.plant_all(shop, generator(shop.seed, kind.name, i)) for i in range(count))
        return [plant for plant in draws if plant is not None]
    if kind.plant is None:
        return made
    for ship, rng in shop.in_turn(kind.name):
        if len(made) == count:
            break
        plant = kind.plant(shop, ship, rng)
        if plant is not None:
            shop.taken.update(plant.ships)
            made.append(plant)
    return made
