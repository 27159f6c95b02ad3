"""A run's flagged voyages written for other programs: which formats there are, where each goes, and what was written.

Takes a finished run, read back from its folder or in memory; gives files. Everything comes from the run alone.
"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from detectors.batch.refusals import nearest_name, unknown_name
from detectors.explain import ID_PREFIX, OFFERED
from detectors.exports import geopackage
from detectors.exports.csv_files import ENCODING, csv_text
from detectors.exports.geojson import geojson_text
from detectors.exports.geopackage import write_geopackage
from detectors.exports.kml import DOCUMENT, INSIDE, kml_text, kmz_bytes
from detectors.exports.layers import Layer, Layers, layers_of
from detectors.exports.placing import check_file, check_folder, whole_file, whole_folder
from detectors.exports.tables import FENCES, FINDINGS, FLAGGED, POSITIONS, SILENCES, TRACK_LINES
from detectors.run_folder import LoadedRun
from vessels.errors import UsageError

NAMES: Final = tuple(table.name for table in (FENCES, SILENCES, TRACK_LINES, POSITIONS, FINDINGS, FLAGGED))
"""The layers of every export."""
FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {"gpkg": "export.gpkg", "geojson": "export-geojson", "csv": "export-csv", "kml": "export.kml"}
)
"""Formats, and the name in the run's folder under which each is written unless another is given."""
FOLDERS: Final = frozenset({"geojson", "csv"})
"""Formats of a file a layer, and so of a folder."""
SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"gpkg": (".gpkg",), "kml": (".kml", ".kmz")})
READ: Final = ("flagged_voyages", "findings", "identities", "gaps", "tracks", "zones")
"""Tables of a run that an export is made from."""
_START: Final = 2048
"""Bytes at the beginning of a KML file in which its document's id stands."""


@dataclass(frozen=True)
class Exported:
    """What was written: where, and how many rows in each layer."""

    path: Path
    rows: Mapping[str, int]


def export(
    run: LoadedRun,
    form: str,
    out: Path | str | None = None,
    voyages: Sequence[str] = (),
    *,
    force: bool = False,
) -> Exported:
    """Write the flagged voyages of a run as `form`: gpkg, geojson, csv or kml (kmz where `out` ends so).

    `out` is a file for gpkg and kml, a folder for geojson and csv, and lies in the run's folder by default. `voyages`
    are ids, or their beginnings; all flagged ones where it is empty. Each file appears whole or not at all.

    Raises UsageError for an unknown format, a voyage that is not flagged, or a target that an export did not make
    (unless `force`); OSError when the disk fails.
    """
    form = check_format(form)
    target = target_of(form, out, run.folder)
    check_target(form, target, force=force)
    chosen = voyages_named(run, voyages) if voyages else None
    layers = layers_of(run, chosen)
    as_of = datetime.fromisoformat(run.run["as_of"])
    rows = {layer.name: layer.table.num_rows for layer in layers.in_order}
    if form in FOLDERS:
        _write_folder(form, layers, target, run)
    elif form == "gpkg":
        with whole_file(target) as staging:
            write_geopackage(layers.in_order, staging, as_of)
    else:
        text = kml_text(layers, f"wakewatch: {rows['flagged_voyages']} flagged voyages as of {run.run['as_of']}")
        with whole_file(target) as staging:
            staging.write_bytes(kmz_bytes(text) if target.suffix.lower() == ".kmz" else text.encode())
    return Exported(target, rows)


def check_format(form: str) -> str:
    """The format that a word names. Raises UsageError that says which there are."""
    word = form.strip().lower()
    if word not in FORMATS:
        raise UsageError(f"--format {form}: {unknown_name(word, FORMATS, 'format')}")
    return word


def target_of(form: str, out: Path | str | None, folder: Path) -> Path:
    """Where a format goes. Raises UsageError where a file's name ends as that of another format would."""
    if out is None:
        return folder / FORMATS[form]
    target = Path(out)
    suffixes = SUFFIXES.get(form, ())
    if suffixes and not target.is_dir() and target.suffix.lower() not in suffixes:
        raise UsageError(f"{target}: the name of a {form} file ends in {' or '.join(suffixes)}")
    return target


def check_target(form: str, target: Path, *, force: bool) -> None:
    """Refuse a target before anything is made. Raises UsageError."""
    if form in FOLDERS:
        check_folder(target, force=force)
    else:
        check_file(target, _OURS[form], force=force)


def voyages_named(run: LoadedRun, words: Sequence[str]) -> list[str]:
    """The full ids of flagged voyages that ids, or their beginnings, stand for. Raises UsageError."""
    known: list[str] = run.tables["flagged_voyages"].sort_by("rank")["voyage_id"].to_pylist()
    return [_named(run, word, known) for word in words]


def _named(run: LoadedRun, word: str, known: Sequence[str]) -> str:
    bare = word.strip().lower().removeprefix(ID_PREFIX)
    matches = [full for full in known if bare and full.removeprefix(ID_PREFIX).startswith(bare)]
    if len(matches) == 1:
        return matches[0]
    where = f"--voyage {word}"
    if matches:
        more = f" and {len(matches) - OFFERED} more" if len(matches) > OFFERED else ""
        raise UsageError(f"{where}: {len(matches)} begin so: {', '.join(matches[:OFFERED])}{more}; give more of the id")
    near = nearest_name(ID_PREFIX + bare, known)
    hint = f"did you mean {near}?" if near else f"flagged there: {', '.join(known[:OFFERED]) or 'none'}"
    raise UsageError(f"{where}: no flagged voyage of {run.folder}; {hint}")


def _write_folder(form: str, layers: Layers, target: Path, run: LoadedRun) -> None:
    counts = {layer.name: layer.table.num_rows for layer in layers.in_order}
    with whole_folder(target, {"format": form, "as_of": run.run["as_of"], "layers": counts}) as staging:
        for layer in layers.in_order:
            _TEXTS[form](layer, staging)


def _write_geojson(layer: Layer, folder: Path) -> None:
    (folder / f"{layer.name}.geojson").write_text(geojson_text(layer), encoding="utf-8")


def _write_csv(layer: Layer, folder: Path) -> None:
    (folder / f"{layer.name}.csv").write_text(csv_text(layer), encoding=ENCODING, newline="")


def _is_our_kml(path: Path) -> bool:
    """Whether a KML or KMZ file begins as an export does."""
    mark = f'<Document id="{DOCUMENT}">'.encode()
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return archive.namelist() == [INSIDE] and mark in archive.open(INSIDE).read(_START)
        with path.open("rb") as file:
            return mark in file.read(_START)
    except (OSError, zipfile.BadZipFile):
        return False


_TEXTS: Final[Mapping[str, Callable[[Layer, Path], None]]] = MappingProxyType(
    {"geojson": _write_geojson, "csv": _write_csv}
)
_OURS: Final[Mapping[str, Callable[[Path], bool]]] = MappingProxyType(
    {"gpkg": lambda path: geopackage.is_ours(path, NAMES), "kml": _is_our_kml}
)
