"""The facts of a night: what the store holds of a window, bucket by bucket on an engine, put together as one history.

Takes an open store, the inputs that count and a window; gives `NightFacts`. Judging them is left to
`detectors.batch.nightly`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.broken import Failure, combine_surely, derive_surely
from detectors.batch.engines import Engine
from detectors.batch.window import Window
from vessels.errors import StoreError
from vessels.gather import bucket_of
from vessels.history import FactParameters, Facts, History, combine, derive
from vessels.intake import Progress, coverage_table
from vessels.schema import TIMESTAMP
from vessels.store.store import TrackStore
from vessels.store.stored import Sources, StoredBucket, stored_block
from vessels.zones import Zones


@dataclass(frozen=True, slots=True)
class NightFacts:
    """The history of a window, the vessels that had to be left out of it, and how many stored rows it was made from."""

    history: History
    failures: tuple[Failure, ...]
    n_rows: int


@dataclass(frozen=True, slots=True)
class _Part:
    facts: Facts
    failures: tuple[Failure, ...]
    n_rows: int


def night_facts(
    engine: Engine,
    store: TrackStore,
    window: Window,
    sources: Sources,
    zones: Zones,
    parameters: FactParameters,
    *,
    n_rows: int,
    progress: Progress,
) -> NightFacts:
    """The facts of a window from the store. `n_rows` is about how many rows the store holds of it."""
    known = store.anchors.read(where=pc.field("boundary") == pa.scalar(window.start, TIMESTAMP))
    place, n_buckets = store.place, store.n_buckets
    bucket = bucket_of(known["mmsi"].to_numpy(), n_buckets)
    items = [
        (
            StoredBucket(place, number, window.first_us, window.last_us, sources),
            known.filter(pa.array(bucket == number)),
        )
        for number in range(n_buckets)
    ]
    work = partial(_bucket_facts, store, store.positions.version, zones, parameters, window.boundaries_us)
    finish = partial(_put_together, sources.source_ids, window.as_of, zones, parameters)
    return engine.fold(work, items, finish, stage="facts", progress=progress, n_rows=n_rows)


def _bucket_facts(
    store: TrackStore,
    version: int,
    zones: Zones,
    parameters: FactParameters,
    boundaries_us: Sequence[int],
    item: tuple[StoredBucket, pa.Table],
) -> _Part:
    """One task: the facts of one bucket of vessels; refused where the store is not the one that the job sees."""
    spec, anchors = item
    here = TrackStore.open(store.place, n_buckets=store.n_buckets, create=False)
    if here.positions.version < version:
        raise StoreError(
            f"the store at {store.place.url} is older here than where the job runs: all workers must share one folder, "
            "at the same path"
        )
    block, claims = stored_block(spec)
    facts, failures = derive_surely(block, lambda rows: derive(rows, claims, zones, parameters, anchors, boundaries_us))
    return _Part(facts, failures, len(block))


def _put_together(
    source_ids: Sequence[str], as_of: datetime, zones: Zones, parameters: FactParameters, parts: Sequence[_Part]
) -> NightFacts:
    """The fleet-wide step: all buckets as one history."""
    coverage = coverage_table([part.facts.tally for part in parts], source_ids)
    history, failures = combine_surely(
        [part.facts for part in parts], lambda facts: combine(facts, coverage, as_of, zones, parameters)
    )
    left_out = (failure for part in parts for failure in part.failures)
    return NightFacts(history, (*left_out, *failures), sum(part.n_rows for part in parts))
