"""The table of flagged voyages: a row each, and the choices by which rows are picked.

Takes a finished run; gives plain records, not escaped. Sorting and picking is done by the page's script.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely

from detectors.run_folder import LoadedRun
from detectors.triage import BANDS
from vessels.ais import mmsi_text, state_names

EARLIER_NAMED: Final = 3
"""Earlier identities named in the table; the case has them all."""
NO_FLAG: Final = "no state"
NO_VERDICT: Final = "no verdict"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to pick rows by: its number, its words, and how many rows have it."""

    number: int
    words: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class TableRow:
    """One flagged voyage.

    `met` are the other MMSI that its findings name, and the `..._choices` numbers of choices: as text, apart by spaces.
    """

    voyage_id: str
    rank: int
    band: str
    band_order: int
    score: float
    name: str
    mmsi: str
    imo: str
    call_sign: str
    flag: str
    flag_words: str
    origin: str
    destination: str
    start_s: int
    start: str
    end: str
    kinds: tuple[str, ...]
    status: str
    verdict: str
    headline: str
    earlier: tuple[str, ...]
    met: str
    kind_choices: str
    zone_choices: str
    flag_choices: str
    band_choices: str
    status_choices: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The table: its rows by rank, and what they can be picked by."""

    rows: tuple[TableRow, ...]
    kinds: tuple[Choice, ...]
    zones: tuple[Choice, ...]
    flags: tuple[Choice, ...]
    bands: tuple[Choice, ...]
    statuses: tuple[Choice, ...]


def listing_of(run: LoadedRun) -> Listing:
    """The table of a run's flagged voyages."""
    told = run.tables["flagged_voyages"].drop_columns(["geometry"]).sort_by("rank").to_pylist()
    zones = run.tables["zones"]
    names = dict(zip(zones["zone_id"].to_pylist(), zones["name"].to_pylist(), strict=True))
    found = zones_of_findings(run.tables["findings"], zones)
    touched = [
        [zone for zone in dict.fromkeys((row["origin"], row["destination"], *found[row["voyage_id"]])) if zone]
        for row in told
    ]
    kinds = _Choices([row["kinds"] for row in told], kind_words)
    by_zone = _Choices(touched, lambda zone: zone_words(zone, names))
    flags = _Choices([[row["flag_state"]] for row in told], _state)
    bands = _Choices([[row["band"]] for row in told], str, [band for band, _ in BANDS])
    statuses = _Choices([[row["status"], *([row["verdict"]] if row["verdict"] else [])] for row in told], str)
    met = _met(run.tables["findings"])
    rows = [
        _row(
            row, names, met[row["voyage_id"]], *(choices.of(i) for choices in (kinds, by_zone, flags, bands, statuses))
        )
        for i, row in enumerate(told)
    ]
    return Listing(tuple(rows), *(choices.all for choices in (kinds, by_zone, flags, bands, statuses)))


def zones_of_findings(findings: pa.Table, zones: pa.Table) -> Mapping[str, list[str]]:
    """The zones in which findings lie, by voyage."""
    placed = findings.select(["voyage_id", "lat", "lon"]).drop_null()
    points = shapely.points(placed["lon"].to_numpy(), placed["lat"].to_numpy())
    shapes = shapely.from_wkb(zones["geometry"].to_pylist())
    inside, zone = shapely.STRtree(shapes).query(points, predicate="intersects")
    voyages, zone_ids = placed["voyage_id"].to_pylist(), zones["zone_id"].to_pylist()
    found: dict[str, list[str]] = defaultdict(list)
    for i, j in sorted(zip(inside.tolist(), zone.tolist(), strict=True)):
        found[voyages[i]].append(zone_ids[j])
    return found


def kind_words(kind: str) -> str:
    """A kind of finding as it is read.

    >>> kind_words("hull_handover")
    'hull handover'
    """
    return kind.replace("_", " ")


def zone_words(zone_id: str, names: Mapping[str, str]) -> str:
    """A zone by its name and its id."""
    name = names.get(zone_id)
    return f"{name} ({zone_id})" if name and name != zone_id else zone_id


def day(when: datetime | None) -> str:
    """The day of an instant, UTC; nothing for none."""
    return "" if when is None else when.astimezone(UTC).strftime("%Y-%m-%d")


class _Choices:
    """What rows can be picked by, numbered in the order in which it is offered."""

    def __init__(self, values: Sequence[Iterable[Any]], words: Any, order: Sequence[Hashable] = ()) -> None:
        self._values = [list(dict.fromkeys(of_row)) for of_row in values]
        counts = Counter(value for of_row in self._values for value in of_row)
        known = [value for value in order if value in counts]
        rest = sorted((value for value in counts if value not in known), key=lambda value: words(value).casefold())
        self._number = {value: number for number, value in enumerate([*known, *rest])}
        self.all = tuple(Choice(number, words(value), counts[value]) for value, number in self._number.items())

    def of(self, i: int) -> str:
        """The numbers of one row's choices."""
        return " ".join(str(self._number[value]) for value in self._values[i])


def _row(
    row: Row,
    names: Mapping[str, str],
    met: Iterable[int],
    kinds: str,
    zones: str,
    flags: str,
    bands: str,
    statuses: str,
) -> TableRow:
    start: datetime = row["start"]
    order = [band for band, _ in BANDS]
    return TableRow(
        voyage_id=row["voyage_id"],
        rank=row["rank"],
        band=row["band"],
        band_order=order.index(row["band"]) if row["band"] in order else len(order),
        score=row["score"],
        name=row["name"] or "no name sent",
        mmsi=mmsi_text(row["mmsi"]),
        imo=str(row["imo"] or ""),
        call_sign=row["call_sign"] or "",
        flag=row["flag_state"] or "--",
        flag_words=_state(row["flag_state"]),
        origin=names.get(row["origin"]) or row["origin"] or "not seen",
        destination=names.get(row["destination"]) or row["destination"] or ("open" if row["is_open"] else "not seen"),
        start_s=int(np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "s").astype(np.int64)),
        start=day(start),
        end=day(row["end"]) or "open",
        kinds=tuple(kind_words(kind) for kind in row["kinds"]),
        status=row["status"],
        verdict=row["verdict"] or "",
        headline=row["headline"] or "",
        earlier=_earlier(row),
        met=" ".join(map(mmsi_text, met)),
        kind_choices=kinds,
        zone_choices=zones,
        flag_choices=flags,
        band_choices=bands,
        status_choices=statuses,
    )


def _met(findings: pa.Table) -> Mapping[str, Mapping[int, None]]:
    """The other MMSI that findings name, by voyage, each once."""
    met: dict[str, dict[int, None]] = defaultdict(dict)
    for voyage_id, others in zip(findings["voyage_id"].to_pylist(), findings["other_mmsi"].to_pylist(), strict=True):
        met[voyage_id].update(dict.fromkeys(others or ()))
    return met


def _earlier(row: Row) -> tuple[str, ...]:
    """Other names and numbers of the hull, as far as links settle them."""
    now = (row["name"], row["mmsi"])
    linked = [
        one for one in row["earlier_identities"] or () if one["link_probability"] is not None and one["is_strong"]
    ]
    who = dict.fromkeys((one["name"], one["mmsi"]) for one in linked)
    words = [f"{name or 'no name'} (MMSI {mmsi_text(mmsi)})" for name, mmsi in who if (name, mmsi) != now]
    more = len(words) - EARLIER_NAMED
    return (*words[:EARLIER_NAMED], *([f"{more} more"] if more > 0 else []))


def _state(flag: str | None) -> str:
    return NO_FLAG if flag is None else f"{state_names().get(flag) or flag} ({flag})"
