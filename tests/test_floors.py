"""The house rules that a parser can see, held against one written list of floors.

A module may import from its own floor and from those below, never from above, and never in a circle.
"""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("vessels", "detectors")

FLOORS: tuple[tuple[str, ...], ...] = (
    # vessels: what happened at sea
    ("vessels.ais", "vessels.units", "vessels.errors", "vessels.parameters", "vessels.text"),
    ("vessels.geodesy", "vessels.schema", "vessels.chunks", "vessels.instants", "vessels.names", "vessels.bodies"),
    ("vessels.event_tables", "vessels.anchors"),
    # ... files of any layout to canonical rows
    ("vessels.dialects", "vessels.layouts", "vessels.sniffing", "vessels.quality"),
    ("vessels.codes", "vessels.times", "vessels.values", "vessels.fields", "vessels.claims", "vessels.sources"),
    ("vessels.csv_files", "vessels.nmea_files", "vessels.parquet_files", "vessels.settling", "vessels.tabular"),
    ("vessels.reading", "vessels.canonical"),
    # ... places
    ("vessels.land_file", "vessels.scan_lines", "vessels.land"),
    ("vessels.sea_sheets", "vessels.sea_grid", "vessels.sea_ways", "vessels.sea_distance"),
    ("vessels.zones", "vessels.zone_index"),
    # ... rows to tracks, tracks to events, events to voyages
    ("vessels.digests", "vessels.track", "vessels.gather", "vessels.days", "vessels.intake"),
    (
        "vessels.motion",
        "vessels.segments",
        "vessels.thinning",
        "vessels.silences",
        "vessels.identities",
        "vessels.revivals",
    ),
    ("vessels.reception.*",),
    ("vessels.events.*",),
    ("vessels.hulls.*",),
    ("vessels.continuing", "vessels.legs", "vessels.voyages"),
    ("vessels.chaining", "vessels.continued_voyages", "vessels.parting", "vessels.parts", "vessels.placing"),
    (
        "vessels.anchoring",
        "vessels.anchors_settled",
        "vessels.at_sea",
        "vessels.hulls_begun",
        "vessels.joining",
        "vessels.redrawing",
        "vessels.sketched",
    ),
    ("vessels.history",),
    ("vessels.store.*",),
    # detectors: what is odd about it
    ("detectors.finding", "detectors.measures", "detectors.watchlist", "detectors.destinations"),
    ("detectors.links", "detectors.borne", "detectors.chains"),
    ("detectors.contract",),
    ("detectors.triage",),
    ("detectors.rules.*", "detectors.learned.*"),
    # ... what runs them
    ("detectors.batch.outcomes", "detectors.batch.worker"),
    ("detectors.batch.crew", "detectors.batch.cluster", "detectors.batch.engines"),
    ("detectors.batch.refusals", "detectors.batch.sections", "detectors.batch.settings"),
    ("detectors.shown", "detectors.run_tables", "detectors.run_folder", "detectors.batch.outputs"),
    ("detectors.batch.clock", "detectors.batch.record", "detectors.batch.window"),
    ("detectors.batch.lock", "detectors.batch.metrics", "detectors.batch.run_log", "detectors.batch.swap"),
    ("detectors.catalogue",),
    ("detectors.batch.culprits", "detectors.batch.broken"),
    ("detectors.batch.aside", "detectors.batch.engine", "detectors.batch.flagged", "detectors.batch.drawing"),
    # ... what people see of a run, made from its tables alone
    ("detectors.explain", "detectors.case_rows", "detectors.chain_rows"),
    ("detectors.report.*",),
    ("detectors.exports.*",),
    ("detectors.batch.pages", "detectors.batch.result", "detectors.batch.scan"),
    ("detectors.batch.drifting", "detectors.batch.learning"),
    ("detectors.batch.nights", "detectors.batch.told", "detectors.batch.mutes", "detectors.batch.sight"),
    ("detectors.batch.verdicts", "detectors.batch.verdict_files"),
    ("detectors.batch.standing",),
    ("detectors.batch.changes", "detectors.batch.widening", "detectors.batch.compare", "detectors.batch.alerts"),
    ("detectors.batch.night_facts", "detectors.batch.night_inputs"),
    ("detectors.batch.night_desk", "detectors.batch.night_key", "detectors.batch.night_record"),
    ("detectors.batch.night", "detectors.batch.nightly"),
    # ... what shows results to people, and what other tools' authors test with
    (
        "detectors.tracing",
        "detectors.scene_events",
        "detectors.scene_links",
        "detectors.scenes",
        "detectors.testing",
    ),
    # ... how well it works on the user's own tracks
    ("detectors.backtest.*",),
    ("detectors.cli.*",),
)
"""From the ground up; a name may hold `*`. Each module stands on exactly one floor."""

OPTIONAL_EXTRAS = frozenset({"dask", "distributed"})
"""Packages that may be missing, so that a function may import them."""
SKLEARN_ROOM = "detectors.learned.isolation_forest"
CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"})


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
FACES = frozenset(name for name, path in MODULES.items() if path.name == "__init__.py")
ROOMS = sorted(set(MODULES) - FACES)
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in MODULES.items()}


def imports(name: str) -> Iterator[tuple[int, str, str | None]]:
    """(line, module, name taken from it or None) of every import in a module."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, "." * node.level + (node.module or ""), alias.name


def own_imports(name: str) -> Iterator[tuple[int, str]]:
    """(line, module of ours) of every import of a module of ours."""
    for line, module, taken in imports(name):
        if taken is not None and f"{module}.{taken}" in MODULES:
            yield line, f"{module}.{taken}"
        elif module in MODULES:
            yield line, module


def floors_of(name: str) -> list[int]:
    return [i for i, floor in enumerate(FLOORS) if any(fnmatchcase(name, pattern) for pattern in floor)]


def test_every_room_stands_on_one_floor() -> None:
    for name in ROOMS:
        floors = floors_of(name)
        assert floors, f"{name} stands on no floor: write it into FLOORS, as low as its imports allow"
        assert len(floors) == 1, f"{name} stands on several floors: {floors}"


def test_every_line_of_the_list_has_a_room() -> None:
    for floor in FLOORS:
        for pattern in floor:
            assert any(fnmatchcase(name, pattern) for name in ROOMS), f"{pattern} in FLOORS is no module"


@pytest.mark.parametrize("name", ROOMS)
def test_imports_point_down(name: str) -> None:
    (floor,) = floors_of(name)
    for line, module in own_imports(name):
        assert module not in FACES, f"{name}, line {line}: takes a name through the face of {module}"
        assert max(floors_of(module)) <= floor, f"{name}, line {line}: imports {module} from a floor above"


def test_there_is_no_circle() -> None:
    graph = {name: {module for _, module in own_imports(name)} - {name} for name in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other in a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_vessels_know_nothing_of_detectors_and_one_room_knows_scikit_learn(name: str) -> None:
    for line, module, _ in imports(name):
        root = module.split(".")[0]
        assert not module.startswith("."), f"{name}, line {line}: relative import"
        if name.startswith("vessels"):
            assert root != "detectors", f"{name}, line {line}: vessels imports detectors"
        if name != SKLEARN_ROOM:
            assert root != "sklearn", f"{name}, line {line}: scikit-learn belongs in {SKLEARN_ROOM}"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_functions_import_nothing_but_optional_extras(name: str) -> None:
    for function in ast.walk(TREES[name]):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for node in ast.walk(function):
            roots = {alias.name.split(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()
            if isinstance(node, ast.ImportFrom):
                roots = {(node.module or "").split(".")[0]}
            assert roots <= OPTIONAL_EXTRAS, f"{name}, line {node.lineno}: import inside a function"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nothing_prints_reads_the_clock_or_keeps_state_in_a_module(name: str) -> None:
    for node in ast.walk(TREES[name]):
        assert not isinstance(node, ast.Global), f"{name}, line {node.lineno}: mutable module state"
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        assert called != "print", f"{name}, line {node.lineno}: print"
        last_two = ".".join(called.split(".")[-2:])
        assert last_two not in CLOCKS, f"{name}, line {node.lineno}: reads the clock; take the time as an argument"
