"""The whole store: its tables by name, the version they are of, and the number of buckets, fixed when it was made.

Takes a place; gives `TrackStore`. A store that is lost, half lost or of another version is refused, never taken for an
empty one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchors import ANCHORS
from vessels.errors import StoreError, UsageError
from vessels.schema import IDENTITIES, PORT_VISITS, Table
from vessels.store.faults import REBUILD, RESTORE, lost_log, store_faults
from vessels.store.layout import CLAIMS, INPUTS, META, NAMES, POSITIONS, POSITIONS_PARTITIONS, SCHEMA_VERSION
from vessels.store.log import newest
from vessels.store.place import StorePlace
from vessels.store.tables import StoreTable

_CORE: Final = (POSITIONS, CLAIMS, INPUTS, NAMES, IDENTITIES, PORT_VISITS, ANCHORS)
"""Tables that every store has from the start."""


@dataclass(frozen=True, slots=True)
class TrackStore:
    """A store that is open for use: nothing is held, every table is read as it stands when it is asked.

    `n_buckets` is that of the store, whatever the settings say; `noted` the version each table had when the store last
    noted them. Picklable.
    """

    place: StorePlace
    n_buckets: int
    noted: Mapping[str, int] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, place: StorePlace, *, n_buckets: int, create: bool) -> "TrackStore":
        """The store at a place; with `create` it is made, with `n_buckets`, where there is nothing yet.

        Raises StoreError where there is no store, something else, a store of another version, or one that lost tables.
        """
        if n_buckets < 1:
            raise UsageError(f"a store needs at least 1 bucket, not {n_buckets}")
        meta = StoreTable(place, META)
        known = meta.read()
        if known.num_rows:
            return cls._of(place, known)
        _check_unused(place)
        if not create:
            raise StoreError(f"there is no store at {place.url}; the first `wakewatch nightly` makes it")
        meta.create()
        for declared in _CORE:
            _core(place, declared).create()
        meta.append(_rows({declared.name: 0 for declared in _CORE}, n_buckets))
        return cls(place, n_buckets, {declared.name: 0 for declared in _CORE})

    @classmethod
    def _of(cls, place: StorePlace, known: pa.Table) -> "TrackStore":
        """The store that the rows of `meta` describe."""
        versions, buckets = (sorted(set(known[name].to_pylist())) for name in ("schema_version", "n_buckets"))
        if versions != [SCHEMA_VERSION]:
            raise StoreError(
                f"the store at {place.url} is of version {versions[-1]}, this wakewatch keeps {SCHEMA_VERSION}: run "
                f"the version that wrote it, or {REBUILD}"
            )
        if len(buckets) != 1:
            raise StoreError(f"the store at {place.url} contradicts itself: its buckets are {buckets}. {RESTORE}")
        noted: dict[str, int] = {}
        for name, version in zip(known["table"].to_pylist(), known["version"].to_pylist(), strict=True):
            noted[name] = max(version, noted.get(name, 0))
        return cls(place, int(buckets[0]), noted)

    @property
    def meta(self) -> StoreTable:
        """The store's list of its own tables."""
        return StoreTable(self.place, META, least_version=0)

    @property
    def positions(self) -> StoreTable:
        """Thinned reports, by week and bucket, sorted by (mmsi, timestamp) within a file."""
        return self._core(POSITIONS)

    @property
    def claims(self) -> StoreTable:
        """Static claims that positions refer to by number."""
        return self._core(CLAIMS)

    @property
    def inputs(self) -> StoreTable:
        """The ledger of contents taken in."""
        return self._core(INPUTS)

    @property
    def names(self) -> StoreTable:
        """What file name held what content."""
        return self._core(NAMES)

    @property
    def identities(self) -> StoreTable:
        """Identity spells of the last night."""
        return self._core(IDENTITIES)

    @property
    def port_visits(self) -> StoreTable:
        """Port visits of the last night."""
        return self._core(PORT_VISITS)

    @property
    def anchors(self) -> StoreTable:
        """What spans the boundaries of look-back windows."""
        return self._core(ANCHORS)

    def _core(self, declared: Table) -> StoreTable:
        return _core(self.place, declared, self.noted.get(declared.name, 0))

    def extra(self, declared: Table, partition_by: tuple[str, ...] = ()) -> StoreTable:
        """A table that another package keeps beside the store's own; made by the first row added to it.

        Raises UsageError for a name that the store uses itself.
        """
        if declared.name in {META.name, *(table.name for table in _CORE)}:
            raise UsageError(f"the store has a table {declared.name} of its own; choose another name")
        noted = self.noted.get(declared.name)
        if noted is None and declared.name in self.tables():
            noted = 0
        to_list = _rows({declared.name: 0}, self.n_buckets) if noted is None else None
        return StoreTable(self.place, declared, partition_by, least_version=noted, to_list=to_list)

    def tables(self) -> tuple[str, ...]:
        """Names of all tables that the store has, sorted; `meta` is not among them."""
        return tuple(sorted(set(self.meta.read(["table"])["table"].to_pylist())))

    def note(self) -> "TrackStore":
        """Note the version that each table has now, so that a log that is cut short later is found out."""
        versions: dict[str, int] = {}
        for name in self.tables():
            table = newest(self.place, name)
            if table is None:
                raise lost_log(self.place, name)
            versions[name] = table.version()
        known = self.meta.read(["table", "version"])
        if dict(zip(*(column.to_pylist() for column in known.columns), strict=True)) != versions:
            self.meta.replace(_rows(versions, self.n_buckets), pc.is_in(pc.field("table"), pa.array(list(versions))))
        return TrackStore(self.place, self.n_buckets, versions)


def _core(place: StorePlace, declared: Table, least_version: int | None = None) -> StoreTable:
    """One of the store's own tables; only positions are partitioned and sorted."""
    if declared is POSITIONS:
        return StoreTable(place, POSITIONS, POSITIONS_PARTITIONS, ("mmsi", "timestamp"), least_version)
    return StoreTable(place, declared, least_version=least_version)


def _rows(versions: Mapping[str, int], n_buckets: int) -> pa.Table:
    """Rows of `meta`."""
    n = len(versions)
    return META.build(
        {
            "table": list(versions),
            "version": list(versions.values()),
            "schema_version": [SCHEMA_VERSION] * n,
            "n_buckets": [n_buckets] * n,
        }
    )


def _check_unused(place: StorePlace) -> None:
    """Nothing is there, or no more than the beginnings of a store whose making was cut short."""
    with store_faults(place, META.name, "looking for a store"):
        entries = [name for name in place.entries() if not name.startswith(".") and name != _MOUNT_LEFTOVER]
    own = {META.name: META} | {table.name: table for table in _CORE}
    for name in entries:
        if name in own and _core(place, own[name]).version > 0:
            raise StoreError(
                f"the store at {place.url} has a table {name}, but its list of tables, `meta`, is gone or "
                f"empty. {RESTORE}"
            )
    if strange := [name for name in entries if name not in own]:
        raise StoreError(
            f"{place.url} is no store of wakewatch but holds {', '.join(strange[:5])}; name a new or empty folder in "
            "[store] path"
        )


_MOUNT_LEFTOVER: Final = "lost+found"
"""What a freshly made file system holds."""
