"""What backtest.json says: inputs with their digests, ships, counts, settings, versions, scans.

Takes what a backtest read and the scans it made; gives plain dictionaries. Writing them is left to
`detectors.backtest.writing`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detectors.backtest.fleet import Fleet
from detectors.batch.result import RunRecord
from detectors.batch.settings import Settings
from vessels.canonical import ConvertSummary
from vessels.quality import merge_counts
from vessels.reading import InputFile


def inputs_record(files: Sequence[InputFile], read: ConvertSummary, aside: list[dict[str, Any]]) -> dict[str, Any]:
    """What was read, with digests, and what was set aside."""
    counts = merge_counts(read.counts_by_input.values())
    return {
        "inputs": [
            {
                "name": file.name,
                "n_bytes": file.n_bytes,
                "sha256": _digest(file.path),
                "n_rows": read.rows_by_input[file.name],
                "dialect": read.dialects[file.name],
            }
            for file in files
            if file.name in read.rows_by_input
        ],
        "set_aside": sorted(aside, key=lambda item: str(item["name"])),
        "rejects": {reason: reject.n_rows for reason, reject in sorted(counts.rejects.items())},
    }


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def run_record(
    runs: Mapping[str, RunRecord],
    unplanted: RunRecord,
    fleet: Fleet,
    asked: Mapping[str, int],
    seed: int,
    inject: Mapping[str, int] | None,
    settings: Settings,
) -> dict[str, Any]:
    """What was done with them: ships, counts, settings, versions, and the scans; `runs` are those of the copies."""
    run = next(iter(runs.values()))
    return {
        "wakewatch": run.wakewatch,
        "versions": dict(run.versions),
        "detectors": list(run.detectors),
        "settings": settings.effective(),
        "as_of": run.as_of,
        "seed": seed,
        "inject": None if inject is None else dict(inject),
        "asked": dict(asked),
        "n_rows": fleet.rows.num_rows,
        "n_vessels": fleet.n_vessels,
        "n_ships_to_plant_into": len(fleet.ships),
        "unfit": dict(fleet.unfit),
        "unplanted": {"n_voyages": unplanted.n_voyages, "n_findings": unplanted.n_findings},
        "planted": {
            "n_voyages": sum(one.n_voyages for one in runs.values()),
            "n_findings": sum(one.n_findings for one in runs.values()),
        },
        "failures": [dict(failure) for one in (unplanted, *runs.values()) for failure in one.failures],
        "copies": {name: {"n_voyages": one.n_voyages, "n_findings": one.n_findings} for name, one in runs.items()},
        "stages": {"unplanted": dict(unplanted.stages)} | {name: dict(r.stages) for name, r in runs.items()},
    }
