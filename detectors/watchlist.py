"""Watch lists: the user's own file of vessels to look out for, read and looked up.

Takes a CSV file, OpenSanctions' maritime table or a plain one; gives a frozen list with lookups by IMO number, MMSI,
and call sign with name. A name alone never matches. What a match is worth is left to the `watchlist` detector.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import numpy as np

from vessels.ais import MMSI_MAX, MmsiKind, clean_call_sign, clean_text, mmsi_kinds, parse_imo
from vessels.errors import SettingsError
from vessels.names import spelling

K = TypeVar("K")

COLUMNS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "imo": frozenset({"imo", "imo_number", "imo_no"}),
        "mmsi": frozenset({"mmsi", "mmsi_number"}),
        "name": frozenset({"name", "caption", "vessel_name", "ship_name"}),
        "call_sign": frozenset({"call_sign", "callsign"}),
        "type": frozenset({"type", "schema"}),
        "id": frozenset({"id"}),
        "url": frozenset({"url"}),
        "datasets": frozenset({"datasets"}),
        "aliases": frozenset({"aliases", "other_names"}),
        "countries": frozenset({"countries"}),
        "flag": frozenset({"flag"}),
        "risk": frozenset({"risk"}),
        "length_m": frozenset({"length_m", "length", "length_overall", "loa"}),
        "beam_m": frozenset({"beam_m", "beam", "breadth", "width"}),
    }
)
"""What we call a column, and the headings it is known by; case, blanks and hyphens in a heading do not matter."""
NUMBER_COLUMNS: Final = ("imo", "mmsi", "call_sign")
"""A watch list must have one of these, because a name alone never matches."""
VESSEL_TYPES: Final = frozenset({"", "VESSEL", "SHIP"})
"""Values of `type` that mean a ship; OpenSanctions also lists ORGANIZATION (owners, operators)."""
FULL_LENGTH_M: Final = 460.0
"""Longer ships were never built (Seawise Giant, 458 m)."""
FULL_BEAM_M: Final = 125.0
"""Wider ones neither (Pioneering Spirit, 124 m)."""
MOST_SHARED: Final = 20
"""A call sign belongs to one ship; lists name one several times over. More entries than this have a filler."""


@dataclass(frozen=True, slots=True)
class ListedVessel:
    """One entry of a watch list: whatever numbers, names and sizes it gives. Text is cleaned as AIS text is.

    `flags` are states by two-letter ISO 3166 codes; a length or beam is None where the list gives none or several.
    """

    entry_id: str
    caption: str
    imo: int | None
    mmsi: frozenset[int]
    names: frozenset[str]
    call_signs: frozenset[str]
    datasets: str
    url: str
    length_m: float | None = None
    beam_m: float | None = None
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WatchList:
    """The entries of a watch list, with the name and digest of the file they came from, indexed.

    `skipped` counts what was left out, by reason: rows that are no vessels, rows or cells that say nothing usable.
    """

    entries: tuple[ListedVessel, ...] = ()
    name: str = ""
    digest: str = ""
    skipped: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    by_imo: Mapping[int, tuple[ListedVessel, ...]] = field(init=False, repr=False, compare=False)
    by_mmsi: Mapping[int, tuple[ListedVessel, ...]] = field(init=False, repr=False, compare=False)
    by_call_sign: Mapping[str, tuple[ListedVessel, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_imo", _index((e.imo, e) for e in self.entries if e.imo is not None))
        object.__setattr__(self, "by_mmsi", _index((m, e) for e in self.entries for m in e.mmsi))
        signs = _index((sign, e) for e in self.entries if e.names for sign in e.call_signs)
        own = {sign: entries for sign, entries in signs.items() if len(entries) <= MOST_SHARED}
        object.__setattr__(self, "by_call_sign", MappingProxyType(own))

    def __reduce__(self) -> tuple[Any, ...]:
        # Read-only mappings do not pickle; the lookups are built again where the list arrives (worker processes).
        return _restore, (self.entries, self.name, self.digest, dict(self.skipped))

    def call_sign_and_name(self, call_sign: str, name: str) -> tuple[ListedVessel, ...]:
        """Entries that give this call sign together with this name, spelling apart."""
        spelt = spelling(name)
        entries = self.by_call_sign.get(call_sign, ())
        return tuple(entry for entry in entries if any(spelling(one) == spelt for one in entry.names))


def _restore(entries: tuple[ListedVessel, ...], name: str, digest: str, skipped: dict[str, int]) -> WatchList:
    return WatchList(entries, name, digest, MappingProxyType(skipped))


def _index(pairs: Iterable[tuple[K, ListedVessel]]) -> Mapping[K, tuple[ListedVessel, ...]]:
    found: dict[K, tuple[ListedVessel, ...]] = {}
    several: dict[K, list[ListedVessel]] = {}
    for key, entry in pairs:
        first = found.setdefault(key, (entry,))
        if first[0] is not entry:
            several.setdefault(key, [*first]).append(entry)
    found.update((key, tuple(dict.fromkeys(entries))) for key, entries in several.items())
    return MappingProxyType(found)


def read_watchlist(path: str | Path) -> WatchList:
    """The watch list in a CSV file: OpenSanctions' maritime table, or any with imo, mmsi or call_sign, and name.

    Headings in any case and order; several values in a cell are separated by `;`. Rows and cells that say nothing
    usable are counted in `skipped`, never fatal. Raises SettingsError when the file cannot be a watch list: not a
    readable file, no CSV, no column with a number to match by, two columns of one meaning.
    """
    file = Path(path)
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "is no ordinary file" if file.exists() else "does not exist"
        raise SettingsError(f"watch list {file}: {what}; give the path of a CSV file")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"watch list {file}: cannot be read ({error.strerror}); give a readable CSV file"
        ) from error
    rows, delimiter = _rows(_decoded(data, file), file)
    headings = next(rows, None) or []
    places = _places(headings, file)
    skipped: Counter[str] = Counter()
    entries = tuple(_entries(rows, places, len(headings), delimiter, skipped))
    usable = _ship_numbers({number for entry in entries for number in entry.mmsi})
    entries = tuple(_with_ship_numbers(entries, usable, skipped))
    signs = Counter(sign for entry in entries if entry.names for sign in entry.call_signs)
    skipped["call_sign_shared"] = sum(n > MOST_SHARED for n in signs.values())
    digest = hashlib.sha256(data).hexdigest()
    return WatchList(
        entries, file.name, digest, MappingProxyType({reason: n for reason, n in sorted(skipped.items()) if n})
    )


def _decoded(data: bytes, file: Path) -> str:
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text[:4096]:
            return text
        break
    raise SettingsError(f"watch list {file}: its bytes are no text; give a CSV file, uncompressed")


def _rows(text: str, file: Path) -> tuple[Iterator[list[str] | None], str]:
    """The rows, None for one that CSV cannot hold, with the delimiter that the heading uses."""
    if not text.strip():
        raise SettingsError(f"watch list {file}: it is empty; give a CSV file whose first line names its columns")
    heading = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=heading.count)
    return _readable(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter)), delimiter


def _readable(reader: Iterator[list[str]]) -> Iterator[list[str] | None]:
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None


def _heading(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_")


def _places(headings: Sequence[str], file: Path) -> dict[str, list[int]]:
    """Where each column we know stands. A name may stand in several columns, anything else in one."""
    known = {heading: column for column, spelt in COLUMNS.items() for heading in spelt}
    places: dict[str, list[int]] = {}
    for place, heading in enumerate(headings):
        column = known.get(_heading(heading))
        if column is not None:
            places.setdefault(column, []).append(place)
    shown = ", ".join(repr(heading[:40]) for heading in headings[:12])
    for column, found in places.items():
        if len(found) > 1 and column != "name":
            raise SettingsError(f"watch list {file}: column {column} stands {len(found)} times ({shown}); keep one")
    if not any(column in places for column in NUMBER_COLUMNS):
        near = [(h, n) for h in headings for n in get_close_matches(_heading(h), list(known), n=1, cutoff=0.6)]
        numbers = [(h, n) for h, n in near if known[n] in NUMBER_COLUMNS]
        remedy = "".join(f"; did you mean {n} by {h[:40]!r}?" for h, n in numbers[:1])
        raise SettingsError(
            f"watch list {file}: none of the columns imo, mmsi, call_sign among {shown}; a name alone never "
            f"matches, so one of them is needed{remedy}"
        )
    if "name" not in places and not {"imo", "mmsi"} & set(places):
        raise SettingsError(f"watch list {file}: column name is missing; a call sign matches only with a name")
    return places


_SINGLE_COLUMNS: Final = (
    *("type", "id", "imo", "mmsi", "call_sign", "aliases", "datasets", "url", "flag", "length_m", "beam_m"),
)


def _entries(
    rows: Iterable[list[str] | None], places: Mapping[str, list[int]], width: int, delimiter: str, skipped: Counter[str]
) -> Iterator[ListedVessel]:
    separator = ";" if delimiter != ";" else "|"
    place_of = {column: found[0] for column, found in places.items()}
    named = places.get("name", [])
    kind, key, imo_at, mmsi_at, sign_at, alias_at, datasets_at, url_at, flag_at, length_at, beam_at = (
        place_of.get(column, width) for column in _SINGLE_COLUMNS
    )

    def values(text: str) -> Sequence[str]:
        if separator in text:
            return [value for value in text.split(separator) if value.strip()]
        return (text,) if text and not text.isspace() else ()

    def size(text: str, unusable: str, full_m: float) -> float | None:
        if not text:
            return None
        said = [_metres(value, full_m) for value in values(text)]
        skipped[unusable] += said.count(None)
        known = {one for one in said if one is not None}
        return known.pop() if len(known) == 1 else None

    for number, row in enumerate(rows, start=2):
        if row is None or (len(row) > width and "".join(row[width:]).strip()):
            skipped["row_malformed"] += 1
            continue
        if not "".join(row).strip():
            skipped["row_empty"] += 1
            continue
        row = [*row[:width], *[""] * (width + 1 - len(row))]
        if row[kind].strip().upper() not in VESSEL_TYPES:
            skipped["row_no_vessel"] += 1
            continue
        imo_cells = [parse_imo(text) for text in values(row[imo_at])]
        skipped["imo_unusable"] += imo_cells.count(None)
        imos = dict.fromkeys(imo for imo in imo_cells if imo is not None)
        mmsis = [_mmsi(text) for text in values(row[mmsi_at])]
        skipped["mmsi_unusable"] += mmsis.count(None)
        captions = [name for place in named for text in values(row[place]) if (name := _text(text))]
        names = frozenset([*captions, *(name for text in values(row[alias_at]) if (name := _text(text)))])
        signs = frozenset(sign for text in values(row[sign_at]) if (sign := clean_call_sign(text)))
        if not imos and not any(mmsis) and not (signs and names):
            skipped["row_without_number"] += 1
            continue
        for imo in imos or (None,):
            yield ListedVessel(
                entry_id=row[key].strip() or f"row {number}",
                caption=captions[0] if captions else "",
                imo=imo,
                mmsi=frozenset(mmsi for mmsi in mmsis if mmsi is not None),
                names=names,
                call_signs=signs,
                datasets=row[datasets_at].strip(),
                url=row[url_at].strip(),
                length_m=size(row[length_at], "length_unusable", FULL_LENGTH_M),
                beam_m=size(row[beam_at], "beam_unusable", FULL_BEAM_M),
                flags=frozenset(text.strip().upper() for text in values(row[flag_at]) if len(text.strip()) == 2),
            )


def _text(text: str) -> str | None:
    """As `clean_text`; names that hold nothing odd, which most are, by a shorter way."""
    plain = text.strip()
    if len(plain) > _LONGER_THAN_NOTHING and plain.isascii() and plain.isprintable() and "@" not in plain:
        return " ".join(plain.upper().split())
    return clean_text(text)


_LONGER_THAN_NOTHING: Final = 12
"""Letters that no word for "not known" has."""
_METRES_TEXT: Final = re.compile(r"\s*(\d{1,4}(?:[.,]\d{1,3})?)\s*(?:M|METRES|METERS)?\.?\s*", re.IGNORECASE)


def _metres(text: str, full_m: float) -> float | None:
    """A size in metres, decimal point or comma; None for anything else, for nought and for more than any ship's."""
    match = _METRES_TEXT.fullmatch(text)
    metres = float(match.group(1).replace(",", ".")) if match else 0.0
    return metres if 0.0 < metres <= full_m else None


_MMSI_TEXT: Final = re.compile(r"\s*(?:MMSI)?[\s:#-]*(\d{1,9})(?:\.0*)?\s*", re.IGNORECASE)


def _mmsi(text: str) -> int | None:
    match = _MMSI_TEXT.fullmatch(text)
    return int(match.group(1)) if match and int(match.group(1)) <= MMSI_MAX else None


def _ship_numbers(numbers: set[int]) -> frozenset[int]:
    """Those that a ship can be assigned: 000000000 or 123456789 on a list would match every set left unprogrammed."""
    mmsi = np.array(sorted(numbers), dtype=np.int64)
    ships = np.isin(mmsi_kinds(mmsi), (MmsiKind.SHIP, MmsiKind.UNKNOWN_MID))
    return frozenset(mmsi[ships].tolist())


def _with_ship_numbers(
    entries: Iterable[ListedVessel], usable: frozenset[int], skipped: Counter[str]
) -> Iterator[ListedVessel]:
    for entry in entries:
        kept = entry.mmsi & usable
        skipped["mmsi_unusable"] += len(entry.mmsi) - len(kept)
        if kept == entry.mmsi:
            yield entry
        elif kept or entry.imo is not None or (entry.call_signs and entry.names):
            yield replace(entry, mmsi=kept)
        else:
            skipped["row_without_number"] += 1
