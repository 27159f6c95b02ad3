"""What the README and docs say is so: examples run, shown output is real, tables follow the declarations.

Blocks between `<!-- what: argument -->` and `<!-- end -->` are made from the code. Run this file with
WAKEWATCH_REFRESH_DOCS=1 to write them anew.
"""

import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from pydantic import BaseModel

from detectors.backtest.tables import BACKTEST, FALSE, PLANTS
from detectors.batch.scan import scan
from detectors.batch.settings import Settings
from detectors.cli.entry import main
from detectors.learned.drift import DRIFT

ROOT = Path(__file__).parents[1]
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
REFRESH = os.environ.get("WAKEWATCH_REFRESH_DOCS") == "1"
BLOCK = re.compile(
    r"(?P<mark><!-- (?P<what>columns|keys|console): ?(?P<argument>[^>]*?) ?-->\n)(?P<body>.*?)(?=<!-- end -->)",
    re.DOTALL,
)
PYTHON = re.compile(r"<!-- run -->\n```python\n(?P<code>.*?)```", re.DOTALL)
MARKS = frozenset(
    (
        *("columns", "keys", "console", "run", "end"),
        *("do", "settings", "unit", "file", "events", "metrics"),
        *("needs", "layer", "gallery", "meanings"),
    )
)
"""What a comment of a page may begin with; the second line is for tests/test_operations.py, the third for those of
interop.md, gallery.md and reading-findings.md."""
COMMANDS = (
    *("scan", "nightly", "status", "verdict", "explain", "report", "export"),
    *("fit", "backtest", "convert", "zones", "detectors"),
)


def pages_with(pattern: re.Pattern[str]) -> list[Path]:
    return [page for page in PAGES if pattern.search(page.read_text(encoding="utf-8"))]


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to run the shown commands in, with the fixtures where the reader has them."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "fixtures").symlink_to(ROOT / "fixtures", target_is_directory=True)
    return folder


@pytest.fixture(scope="module")
def empty_tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """The tables of a scan of a file without rows: nothing but columns."""
    path = tmp_path_factory.mktemp("empty") / "empty.csv"
    path.write_text("mmsi,timestamp,lat,lon\n")
    return {**scan(path).tables, **{table.name: table.empty() for table in (BACKTEST, PLANTS, FALSE, DRIFT)}}


def markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def columns(table: pa.Table) -> str:
    rows = []
    for field in table.schema:
        about = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        meaning = about.get("meaning", "") + (f" ({about['unit']})" if "unit" in about else "")
        rows.append([f"`{field.name}`", type_text(field.type), meaning])
    return markdown(["column", "type", "meaning"], rows)


def type_text(kind: pa.DataType) -> str:
    if pa.types.is_struct(kind):
        return ", ".join(f"`{kind.field(i).name}`" for i in range(kind.num_fields))
    if pa.types.is_list(kind):
        inner = kind.value_type
        return "list of records: " + type_text(inner) if pa.types.is_struct(inner) else f"list of {inner}"
    return "time" if pa.types.is_timestamp(kind) else "text" if pa.types.is_string(kind) else str(kind)


def keys(section: str) -> str:
    record: Any = Settings
    for name in section.split("."):
        record = record.model_fields[name].annotation
    rows = []
    for name, field in record.model_fields.items():
        if not field.repr or (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            continue
        default = field.get_default(call_default_factory=True)
        shown = "unset" if default is None or default in ((), {}) else f"`{default}`"
        bounds = [
            f"{s} {getattr(m, k)}" for m in field.metadata for k, s in (("ge", "≥"), ("le", "≤")) if hasattr(m, k)
        ]
        rows.append([f"`{name}`", shown, ", ".join([field.description or "", *bounds])])
    return markdown(["key", "default", "meaning"], rows)


def console(argument: str, desk: Path, shown: list[str]) -> str:
    """A command and what it prints, cut as `| head -N` cuts it; RANK3 stands for the id of the third flagged voyage."""
    for word in re.findall(r"RANK\d+", argument):
        rank = int(word.removeprefix("RANK"))
        line = next(line for line in shown if re.match(rf" *{rank} +(critical|high|medium|low) ", line))
        argument = argument.replace(word, line.split()[-1])
    command, _, cut = argument.partition(" | head -")
    stdout = io.StringIO()
    with chdir(desk), redirect_stdout(stdout), mock.patch.dict(os.environ, {"COLUMNS": "80"}):
        assert main(shlex.split(command)) == 0
    lines = stdout.getvalue().splitlines()
    shown[:] = lines if command.startswith("scan") else shown
    return "\n".join(["```console", f"$ wakewatch {argument}", *(lines[: int(cut)] if cut else lines), "```", ""])


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_mark_is_one_that_a_test_reads(page: Path) -> None:
    assert set(re.findall(r"<!-- ([a-z]+)", page.read_text(encoding="utf-8"))) <= MARKS


@pytest.mark.parametrize("page", pages_with(BLOCK), ids=page_id)
def test_what_is_made_from_the_code_is_up_to_date(page: Path, desk: Path, empty_tables: dict[str, pa.Table]) -> None:
    shown: list[str] = []

    def made(match: re.Match[str]) -> str:
        what, argument = match["what"], match["argument"]
        if what == "columns":
            return match["mark"] + columns(empty_tables[argument])
        if what == "keys":
            return match["mark"] + keys(argument)
        return match["mark"] + console(argument, desk, shown)

    text = page.read_text(encoding="utf-8")
    fresh = BLOCK.sub(made, text)
    if REFRESH:
        page.write_text(fresh, encoding="utf-8")
    else:
        assert fresh == text, f"{page_id(page)} is out of date: run this test with WAKEWATCH_REFRESH_DOCS=1"


@pytest.mark.parametrize("page", pages_with(PYTHON), ids=page_id)
def test_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = "\n".join(match["code"] for match in PYTHON.finditer(page.read_text(encoding="utf-8")))
    module = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    exec(compile(code, str(page), "exec"), module.__dict__)  # noqa: S102 - our own page
    if page.name == "README.md":
        first = capsys.readouterr().out.splitlines()[0]
        assert re.match(r"1\. .+ \(\d+\) (critical|high|medium|low) \d\.\d\d: .+", first)


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            yield page, target


@pytest.mark.parametrize(("page", "target"), list(links()), ids=lambda value: str(value).removeprefix(f"{ROOT}/"))
def test_links_lead_somewhere(page: Path, target: str) -> None:
    assert (page.parent / target).exists(), f"{page_id(page)}: {target} does not exist"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_in_the_docs_exists(page: Path) -> None:
    code = re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL)
    for command in re.findall(r"(?:^|[`/]|\$ )wakewatch ([a-z]+)", "\n".join(code), re.MULTILINE):
        assert command in COMMANDS, f"{page_id(page)}: wakewatch {command}"


def test_every_page_is_linked_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in text, f"docs/{page.name} is not linked from README.md"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\((.+?)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in folder.glob("*.md")} - {"README.md"}


def test_every_data_file_is_in_the_sources() -> None:
    text = (ROOT / "docs" / "data-sources.md").read_text(encoding="utf-8")
    for path in (*ROOT.glob("vessels/data/*"), *ROOT.glob("detectors/data/*")):
        assert f"`{path.name}`" in text, f"{path.name} is not in docs/data-sources.md"


def test_the_readme_has_the_two_commands_that_ci_runs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^python3 -m venv \.venv && .*wakewatch scan fixtures/tracks .*$", text, re.MULTILINE)) == 1
    assert len(re.findall(r"^python3 -m venv \.venv-test && .*-m pytest$", text, re.MULTILINE)) == 1
