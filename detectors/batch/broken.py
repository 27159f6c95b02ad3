"""Broken vessels: one whose data make a step fail is left out of that step and named, and all others go on.

Takes a detector's run over a scene, `derive` over a block, `combine` over facts; gives what the step yields without the
vessels that break it, and a `Failure` for each. Finding them is left to `culprits`. What is wrong with the machine (no
memory) or with what the user asked (UsageError) is no vessel's fault and passes through.
"""

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.culprits import Conflict, without_culprits
from detectors.contract import Scene
from vessels.ais import mmsi_text
from vessels.errors import UsageError, WakewatchError
from vessels.history import Facts, History
from vessels.track import ROW_COLUMNS, IntArray, Tally, TrackBlock, offsets_of, vessel_of_rows

ResultT = TypeVar("ResultT")
RecordT = TypeVar("RecordT")

FACTS: Final = "facts"
"""Names, in a `Failure`, the deriving of what a vessel did: it is then in no table of the run."""
FLEET: Final = "fleet"
"""Names, in a `Failure`, the step that puts all vessels' facts together."""

_MOST_ERROR: Final = 300
"""Characters of an error that are kept: some quote whole arrays."""
_LIBRARIES: Final = frozenset({"numpy", "pandas", "pyarrow", "scipy", "shapely", "sklearn", "pydantic", "enum"})
_NAMED: Final = 5
"""Vessels that a message names; the rest are counted."""


class FactsError(WakewatchError):
    """Facts cannot be derived, and no few vessels are the cause."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed, and what was left out of it so that the rest could go on.

    `detector` is a detector's name, `FACTS` or `FLEET`. `mmsi` are the vessels left out; empty if the detector as a
    whole is. `together` are the vessels that fail only with each other, of whom the one left out is one; empty if it
    fails by itself.
    """

    detector: str
    mmsi: tuple[int, ...]
    together: tuple[int, ...]
    error: str

    @property
    def words(self) -> str:
        """The failure in a line, for people.

        >>> Failure("dark", (273412340,), (), "ValueError: no track").words
        'detector dark: left out vessel 273412340, whose data it failed on (ValueError: no track)'
        """
        step = {FACTS: "facts", FLEET: "facts of the fleet"}.get(self.detector, f"detector {self.detector}")
        if not self.mmsi:
            return f"{step}: left out of this run, failed whatever vessels were left out ({self.error})"
        why = "whose data it failed on"
        if self.together:
            beside = [mmsi for mmsi in self.together if mmsi not in self.mmsi]
            why = f"whose data it failed on together with those of {_named(beside)}, not by themselves"
        return f"{step}: left out {_named(self.mmsi)}, {why} ({self.error})"

    def as_record(self) -> dict[str, Any]:
        """The failure as plain values for run.json."""
        return {**asdict(self), "mmsi": list(self.mmsi), "together": list(self.together), "words": self.words}


def _named(mmsi: Sequence[int]) -> str:
    shown = ", ".join(mmsi_text(number) for number in mmsi[:_NAMED])
    more = f" and {len(mmsi) - _NAMED} more" if len(mmsi) > _NAMED else ""
    return f"vessel{'s' if len(mmsi) > 1 else ''} {shown}{more}"


def by_step(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """Failures in the order of run.json: by step and vessel."""
    return tuple(sorted(failures, key=lambda one: (one.detector, one.mmsi, one.error)))


def detect_surely(
    name: str, scene: Scene, detect: Callable[[Scene], ResultT]
) -> tuple[ResultT | None, tuple[Failure, ...]]:
    """What a detector says of the scene, or of the vessels that it can be run on; None if it fails on any.

    `detect` works on the scene it is given, which lacks the vessels left out. UsageError is the user's to mend and is
    raised.
    """
    try:
        return detect(scene), ()
    except (MemoryError, UsageError):
        raise
    except Exception as error:
        fault = _light(error)
    vessels, n_rows = _vessels_of(_tables(scene.history))

    def attempt(left_out: frozenset[int]) -> ResultT:
        return detect(replace(scene, history=history_without(scene.history, left_out)))

    cured = without_culprits(vessels, n_rows, attempt, fault)
    if cured is None:
        return None, (Failure(name, (), (), _told(fault)),)
    return cured.result, _failures(name, cured.left_out, cured.conflicts)


def derive_surely(block: TrackBlock, work: Callable[[TrackBlock], Facts]) -> tuple[Facts, tuple[Failure, ...]]:
    """The facts of a block, without the vessels whose rows break `work`; `tally` still counts these.

    Raises FactsError where no few vessels are the cause.
    """
    try:
        return work(block), ()
    except (MemoryError, UsageError):
        raise
    except Exception as error:
        fault = _light(error)
    n_rows = dict(zip(block.mmsi.tolist(), np.diff(block.offsets).tolist(), strict=True))
    cured = without_culprits(sorted(n_rows), n_rows, lambda out: work(block_without(block, out)), fault)
    if cured is None:
        raise FactsError(_hopeless("facts cannot be derived", fault)) from fault
    return replace(cured.result, tally=block.tally), _failures(FACTS, cured.left_out, cured.conflicts)


def combine_surely(
    parts: Sequence[Facts], work: Callable[[Sequence[Facts]], History]
) -> tuple[History, tuple[Failure, ...]]:
    """The history of all parts, without the vessels whose facts break `work`.

    What was counted over vessels, such as reception, still counts these. Raises FactsError as `derive_surely`.
    """
    try:
        return work(parts), ()
    except (MemoryError, UsageError):
        raise
    except Exception as error:
        fault = _light(error)
    vessels, n_rows = _vessels_of([table for part in parts for table in _tables(part)])
    cured = without_culprits(vessels, n_rows, lambda out: work([record_without(part, out) for part in parts]), fault)
    if cured is None:
        raise FactsError(_hopeless("the facts of all vessels cannot be put together", fault)) from fault
    return cured.result, _failures(FLEET, cured.left_out, cured.conflicts)


def _light(error: Exception) -> Exception:
    """The error without the arrays that its frames hold; where it was raised can still be told."""
    traceback.clear_frames(error.__traceback__)
    return error


def _failures(step: str, left_out: Sequence[int], conflicts: Sequence[Conflict]) -> tuple[Failure, ...]:
    """One failure for each vessel left out, with the first error that it had a part in."""
    told = []
    for vessel in left_out:
        own = [conflict for conflict in conflicts if vessel in conflict.vessels]
        alone = any(len(conflict.vessels) == 1 for conflict in own)
        together = () if alone else tuple(sorted({mmsi for conflict in own for mmsi in conflict.vessels}))
        told.append(Failure(step, (vessel,), together, _told(own[0].error)))
    return by_step(told)


def _told(error: Exception) -> str:
    """An error in one line, cut short, and where it was raised, as far as that is not in a library of arrays."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    words = words if len(words) <= _MOST_ERROR else words[: _MOST_ERROR - 3] + "..."
    places = [(frame.f_globals.get("__name__", ""), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [f"{module}:{line}" for module, line in places if module.partition(".")[0] not in _LIBRARIES]
    return f"{words}, at {own[-1]}" if own else words


def _hopeless(what: str, fault: Exception) -> str:
    return (
        f"{what}, whichever vessels are left out ({_told(fault)}). This is a defect of wakewatch: please report it in "
        "the project's issue tracker, with what `wakewatch --debug ...` prints"
    )


def scene_without(scene: Scene, mmsi: Iterable[int]) -> Scene:
    """The scene as if these vessels had not been heard; see `history_without`."""
    return replace(scene, history=history_without(scene.history, frozenset(mmsi)))


def history_without(history: History, mmsi: frozenset[int]) -> History:
    """The history without every row that names one of these vessels, and without what such rows leave in the air.

    Voyages go that any of these vessels sailed a part of, or that begin or end with a visit of theirs.
    """
    numbers = _sorted(mmsi)
    parts, visits, voyages = history.voyage_parts, history.port_visits, history.voyages
    sailed = parts["voyage_id"].filter(pa.array(_names(parts, numbers)))
    called = visits["visit_id"].filter(pa.array(_names(visits, numbers)))
    lost = _names(voyages, numbers) | _is_in(voyages["voyage_id"], sailed)
    for end in ("origin_visit_id", "destination_visit_id"):
        lost |= _is_in(voyages[end], called)
    gone = voyages["voyage_id"].filter(pa.array(lost))
    left = record_without(history, mmsi)
    return replace(
        left,
        voyages=voyages.filter(pa.array(~lost)),
        voyage_parts=left.voyage_parts.filter(pa.array(~_is_in(left.voyage_parts["voyage_id"], gone))),
    )


def record_without(record: RecordT, mmsi: frozenset[int]) -> RecordT:
    """A record of tables, `Facts` or `History`, without every row that names one of these vessels in any column."""
    numbers = _sorted(mmsi)
    changed: dict[str, Any] = {}
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        if isinstance(value, pa.Table):
            changed[field.name] = value.filter(pa.array(~_names(value, numbers)))
        elif is_dataclass(value) and not isinstance(value, Tally):
            changed[field.name] = record_without(value, mmsi)
    return replace(record, **changed)  # type: ignore[type-var]


def block_without(block: TrackBlock, mmsi: frozenset[int]) -> TrackBlock:
    """The block without the rows of these vessels; `tally` is that of the whole."""
    left = ~np.isin(block.mmsi, _sorted(mmsi))
    vessel, said = vessel_of_rows(block.offsets), block.statements
    rows, which = left[vessel], np.flatnonzero(left[said.vessel])
    place = np.cumsum(left) - 1
    columns: dict[str, Any] = {name: getattr(block, name)[rows] for name in ROW_COLUMNS}
    for column in columns.values():
        column.flags.writeable = False
    return replace(
        block,
        mmsi=block.mmsi[left],
        offsets=offsets_of(place[vessel[rows]], int(left.sum())),
        statements=replace(said.take(which), vessel=place[said.vessel[which]]),
        **columns,
    )


def _tables(record: Any) -> list[pa.Table]:
    """The tables of a record, those of records within it too."""
    values = [getattr(record, field.name) for field in fields(record)]
    within = (value for value in values if is_dataclass(value) and not isinstance(value, Tally))
    return [value for value in values if isinstance(value, pa.Table)] + [t for one in within for t in _tables(one)]


def _vessels_of(tables: Sequence[pa.Table]) -> tuple[list[int], dict[int, int]]:
    """Every vessel that has a row of its own, in order, and how many rows."""
    own = [table["mmsi"].to_numpy() for table in tables if "mmsi" in table.column_names]
    vessels, counts = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *own]), return_counts=True)
    return vessels.tolist(), dict(zip(vessels.tolist(), counts.tolist(), strict=True))


def _names(table: pa.Table, numbers: IntArray) -> npt.NDArray[np.bool_]:
    """Which rows name one of these vessels, as their own or as another's. Shape (rows,)."""
    found = np.zeros(table.num_rows, dtype=np.bool_)
    for name in table.column_names:
        if name == "mmsi" or name.endswith("_mmsi"):
            found |= _is_in(table[name], pa.chunked_array([pa.array(numbers)]))
    return found


def _is_in(column: pa.ChunkedArray, values: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Which values of a column are among these; null is not."""
    found = pc.is_in(column, value_set=values.combine_chunks(), skip_nulls=True)
    return np.asarray(found.to_numpy(), dtype=np.bool_)


def _sorted(mmsi: Iterable[int]) -> IntArray:
    return np.array(sorted(mmsi), dtype=np.int64)
