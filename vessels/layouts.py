"""Which column of one file holds which field: a dialect bound to a header.

Takes a file's column names, the dialect (recognised or forced) and the user's mapping; gives a `Layout`. Whether the
columns' values bear it out is left to `vessels.settling`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from vessels.dialects import (
    CANONICAL,
    ESSENTIAL,
    FIELDS,
    REFERENCE_POINT,
    SYNONYMS,
    Dialect,
    bare,
    dialect_named,
    names_utc,
    recognise,
    squeezed,
)
from vessels.errors import InputFileError, UsageError

_SHOWN_NAMES: Final = 20
_SHOWN_CHARS: Final = 40
_SAY_ONE_THING: Final = ("mmsi", "lat", "lon")
"""Fields for which two columns under different common names must agree too: which is right cannot be told."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A dialect bound to one file's columns.

    `columns`: index of the file's column by field. `twins`: further columns that carry the same name as the one
    taken and must say the same, as (field, index). `zone`: the zone of times that state none; None refuses them.
    """

    dialect: Dialect
    names: tuple[str, ...]
    columns: Mapping[str, int]
    twins: tuple[tuple[str, int], ...]
    zone: str | None

    def name_of(self, field_name: str) -> str:
        """The file's own name for a field."""
        return self.names[self.columns[field_name]]

    def with_dialect(self, dialect: Dialect) -> "Layout":
        """The same columns, understood as another dialect writes them."""
        return replace(self, dialect=dialect)


def bind(
    names: Sequence[str],
    *,
    dialect: str | None = None,
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
) -> Layout:
    """Which column of a file holds which field.

    `dialect` forces one by name; `columns` maps canonical names to the file's names and goes before everything
    else (an empty text leaves the field unread); `timezone` is the zone of times that state none, where neither the
    dialect nor the column's name says that they are UTC. Raises UsageError for an unknown dialect or canonical name,
    InputFileError (`missing_column`) when MMSI, time or position have no column.
    """
    chosen = dialect_named(dialect) if dialect else recognise(names)
    mapping = dict(columns or {})
    if unknown := sorted(set(mapping) - set(CANONICAL)):
        raise UsageError(f"a column mapping names {', '.join(unknown)}; it can name {', '.join(CANONICAL)}")
    found: dict[str, int] = {}
    twins: list[tuple[str, int]] = []
    for field_name in FIELDS:
        if field_name in mapping:
            same = _mapped(names, mapping[field_name], field_name) if mapping[field_name] else []
        else:
            same = _named(names, chosen, field_name)
        if same:
            found[field_name] = same[0]
            twins += [(field_name, index) for index in same[1:]]
    if not all(part in found for part in REFERENCE_POINT):
        found = {key: index for key, index in found.items() if key not in REFERENCE_POINT}
    if "lat" in found and "lon" in found:
        found.pop("geometry", None)
    missing = [name for name in ESSENTIAL if name not in found]
    if {"lat", "lon"} & set(missing) and ("geometry" in found or chosen.static_only):
        missing = [name for name in missing if name not in ("lat", "lon")]
        found = {key: index for key, index in found.items() if key not in ("lat", "lon")}
    if missing:
        raise InputFileError(
            "missing_column",
            f"no column for {', '.join(missing)}, as dialect {chosen.name} names them, among {_listed(names)}; "
            "name them in the settings under [input] columns",
        )
    zone = "UTC" if chosen.naive_is_utc or names_utc(names[found["timestamp"]]) else timezone
    kept = tuple((key, index) for key, index in twins if key in found)
    return Layout(chosen, tuple(names), MappingProxyType(found), kept, zone)


def _named(names: Sequence[str], dialect: Dialect, field_name: str) -> list[int]:
    """Columns that a dialect, or common use, calls the field: the best first, then those that must say the same."""
    own = dialect.columns.get(field_name)
    same: list[int] = []
    for synonym in SYNONYMS[field_name] if own is None else own:
        exact = [i for i, name in enumerate(names) if squeezed(name) == synonym]
        same += [i for i in exact or (i for i, name in enumerate(names) if bare(name) == synonym) if i not in same]
        if same and (own is not None or field_name not in _SAY_ONE_THING):
            break
    return same


def _mapped(names: Sequence[str], wanted: str, field_name: str) -> list[int]:
    """Columns of the very name that a mapping gives, or else of that name but for case and separators."""
    exact = [i for i, name in enumerate(names) if name == wanted]
    same = exact or [i for i, name in enumerate(names) if squeezed(name) == squeezed(wanted)]
    if not same:
        raise InputFileError(
            "missing_column",
            f"the settings take {field_name} from a column {wanted!r}, but the columns are {_listed(names)}",
        )
    return same


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name.strip()[:_SHOWN_CHARS] for name in names[:_SHOWN_NAMES])
    more = len(names) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown or "no columns"
