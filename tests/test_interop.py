"""What docs/interop.md says is so: its examples run on a run's folder, its tables follow the layers' declarations.

Each example stands under `<!-- needs: PACKAGE -->` and is skipped where that package is not installed. Tables between
`<!-- layer: NAME -->` and `<!-- end -->` are written anew with WAKEWATCH_REFRESH_DOCS=1.
"""

import os
import re
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
import shapely

from detectors.batch.outputs import write_result
from detectors.exports import tables
from detectors.exports.export import NAMES, export
from detectors.run_folder import run_in_memory
from tests.detectors.conftest import make_run
from tests.detectors.exports.runs import gap, gaps_of, reports, tracks_of
from vessels.schema import Table

PAGE = Path(__file__).parents[1] / "docs" / "interop.md"
REFRESH = os.environ.get("WAKEWATCH_REFRESH_DOCS") == "1"
EXAMPLE = re.compile(r"<!-- needs: (?P<package>\w+) -->\n```python\n(?P<code>.*?)```", re.DOTALL)
LAYER = re.compile(r"(?P<mark><!-- layer: (?P<name>\w+) -->\n)(?P<body>.*?)(?=<!-- end -->)", re.DOTALL)
LAYERS = {
    table.name: table
    for table in (
        tables.FLAGGED,
        tables.TRACK_LINES,
        tables.SILENCES,
        tables.POSITIONS,
        tables.FINDINGS,
        tables.FENCES,
    )
}
EXAMPLES = list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `out` is a run with a track, a silence and a ship met, exported as GeoPackage."""
    folder = tmp_path_factory.mktemp("desk")
    result = make_run()
    voyage_id = result.tables["flagged_voyages"]["voyage_id"][0].as_py()
    zones = result.tables["zones"].to_pylist()
    port = shapely.from_wkb(next(zone["geometry"] for zone in zones if zone["watch"] == "high")).point_on_surface()
    way = [(i / 3, port.x - i / 100, port.y - i / 50) for i in range(40)]
    after = [(30 + i / 3, port.x - 1 - i / 100, port.y - 1 - i / 50) for i in range(40)]
    met = [(i / 3, port.x - i / 100, port.y + 0.1 - i / 50) for i in range(10)]
    rows = [
        *reports(voyage_id, *way, *after),
        *reports(voyage_id, *met, role="met", mmsi=457000001, segment_id="segment-b"),
    ]
    made = {"tracks": tracks_of(rows), "gaps": gaps_of([gap(way[-1], after[0])])}
    result = replace(result, tables={**result.tables, **made})
    write_result(result, folder / "out")
    export(run_in_memory(result, folder / "out"), "gpkg")
    return folder


def test_the_page_has_an_example_for_each_program_that_is_a_package() -> None:
    assert {example["package"] for example in EXAMPLES} >= {"duckdb", "polars", "geopandas", "movingpandas", "IPython"}


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{i}-{example['package']}" for i, example in enumerate(EXAMPLES, 1)]
)
def test_examples_run_and_show_something(
    example: re.Match[str], desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other people's packages warn of, while they are imported or at work
        pytest.importorskip(example["package"], reason=f"{example['package']} is not installed")
        monkeypatch.chdir(desk)
        module = ModuleType("example")
        monkeypatch.setitem(sys.modules, "example", module)
        exec(compile(example["code"], str(PAGE), "exec"), module.__dict__)  # noqa: S102 - our own page
    shown = capsys.readouterr().out
    assert shown.strip()
    for word in ("Empty DataFrame", "Empty GeoDataFrame", "shape: (0,", " 0 rows"):
        assert word not in shown


def described(table: Table) -> str:
    lines = [["column", "type", "meaning"], ["---"] * 3]
    for column in table.columns:
        unit = f" ({column.unit})" if column.unit else ""
        lines.append([f"`{column.name}`", type_text(column.type), column.meaning + unit])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def type_text(kind: Any) -> str:
    return "time" if pa.types.is_timestamp(kind) else "text" if pa.types.is_string(kind) else str(kind)


def test_columns_of_layers_are_those_that_are_declared() -> None:
    text = PAGE.read_text(encoding="utf-8")
    fresh = LAYER.sub(lambda match: match["mark"] + described(LAYERS[match["name"]]), text)
    if REFRESH:
        PAGE.write_text(fresh, encoding="utf-8")
    else:
        assert fresh == text, "docs/interop.md is out of date: run this test with WAKEWATCH_REFRESH_DOCS=1"
    assert {match["name"] for match in LAYER.finditer(text)} == set(NAMES) == set(LAYERS)
