"""The end of a backtest in words: what was planted, what of it was found, and how often look-alikes were mistaken.

Takes the result's tables and record; gives lines of text. The tables in the folder hold more.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from rich.text import Text

from detectors.cli.summary import counted
from detectors.cli.terminal import grid, wrap
from detectors.shown import safe

GOOD_RECALL: Final = 0.9
FEW_FALSE_PER_1000: Final = 1.0
"""What wakewatch's design asks of each kind; what falls short is coloured."""
_MISSED, _REACHED = "yellow", "green"
_TEXT_WIDTH: Final = 110


def backtest_lines(
    tables: Mapping[str, pa.Table], record: Mapping[str, Any], out: Path, width: int
) -> list[str | Text]:
    """The lines that end a backtest; `record` is what backtest.json holds."""
    rows = tables["backtest"].to_pylist()
    falsified, lawful = ([row for row in rows if row["is_lookalike"] is wanted] for wanted in (False, True))
    planted = record["planted"]
    read = f"{counted(len(record['inputs']), 'file')}, {counted(record['n_rows'], 'row')}"
    vessels = f"{counted(record['n_vessels'], 'vessel')}, {record['n_ships_to_plant_into']:,} fit to be planted into"
    what = _number(falsified, "falsification", "falsifications")
    what += f", {_number(lawful, 'lawful look-alike', 'lawful look-alikes')}, seed {record['seed']}"
    scanned = f"{counted(planted['n_voyages'], 'voyage')}, {counted(planted['n_findings'], 'finding')}"
    lines: list[str | Text] = [
        f"Read     {read}; {vessels}",
        f"Planted  {what}",
        f"Found    {scanned}; {record['unplanted']['n_findings']:,} in the tracks as they were",
        f"Written  {safe(out)}",
    ]
    for note in record["notes"]:
        first, *rest = wrap(note, min(width, _TEXT_WIDTH), indent=9)
        lines += [f"Note     {first.lstrip()}", *rest]
    if falsified:
        lines += ["", *_falsified(falsified)]
        lines += wrap(
            "recall: planted and found, with its 95 % interval. false: new findings of the kind without a plant, in "
            "1,000 voyages; in brackets had those also been false that the tracks as they were have too. flagged: "
            "false ones on voyages with evidence enough to be flagged, in 1,000. rank: of the planted voyage among all "
            f"of its copy{_voyages(record['copies'])}, median and 90th percentile. links: share of planted changes "
            "of MMSI that became strong hull links",
            min(width, _TEXT_WIDTH),
            indent=1,
        )
    lines += ["", _links(record["links"])]
    if lawful:
        lines += ["", *_lawful(lawful)]
    return lines


def _voyages(copies: Mapping[str, Mapping[str, int]]) -> str:
    return " (" + ", ".join(f"{name} {copy['n_voyages']:,}" for name, copy in copies.items()) + ")"


def _number(rows: Sequence[Mapping[str, Any]], one: str, many: str) -> str:
    n = sum(row["n_planted"] for row in rows)
    return f"{n} {one if n == 1 else many}"


def _falsified(rows: Sequence[Mapping[str, Any]]) -> list[str | Text]:
    header = ["kind", "planted", "found", "recall", "95 %", "precision", "false/1,000", "flagged", "rank"]
    header += ["crit/high/med/low/none", "links"]
    body = [
        [
            row["kind"],
            _of(row["n_planted"], row["n_asked"]),
            str(row["n_found"]),
            _share(row["recall"]),
            f"{_share(row['recall_low'])}-{_share(row['recall_high'])}" if row["n_planted"] else "",
            _share(row["precision"]),
            f"{row['false_per_1000_voyages']:.2f} ({row['false_per_1000_voyages_at_worst']:.2f})",
            f"{1000 * row['n_false_flagged'] / max(row['n_voyages'], 1):.2f}",
            f"{row['median_rank']:.0f}, {row['p90_rank']:.0f}" if row["n_planted"] else "",
            " ".join(f"{100 * row[f'share_{band}']:.0f}" for band in ("critical", "high", "medium", "low", "none"))
            + " %"
            if row["n_planted"]
            else "",
            _share(row["link_recall"]),
        ]
        for row in rows
    ]
    first, *rest = grid(header, body, right=[1, 2, 3, 5, 6, 7, 8, 10])
    return [first, *(Text(line, style=_style(row)) for line, row in zip(rest, rows, strict=True))]


def _style(row: Mapping[str, Any]) -> str:
    if not row["n_planted"]:
        return ""
    reached = row["recall"] >= GOOD_RECALL and row["false_per_1000_voyages"] <= FEW_FALSE_PER_1000
    return _REACHED if reached else _MISSED


def _lawful(rows: Sequence[Mapping[str, Any]]) -> list[str | Text]:
    header = ["look-alike", "planted", "drew a finding it resembles", "turned critical or high", "wrong strong links"]
    body = [
        [
            row["kind"],
            _of(row["n_planted"], row["n_asked"]),
            str(row["n_drew"]),
            str(row["n_serious"]),
            str(row["n_links_wrong"]),
        ]
        for row in rows
    ]
    first, *rest = grid(header, body, right=[1, 2, 3, 4])
    styles = (_MISSED if row["n_serious"] or row["n_links_wrong"] else "" for row in rows)
    return [first, *(Text(line, style=style) for line, style in zip(rest, styles, strict=True))]


def _links(links: Mapping[str, Any]) -> str:
    if not links["n_planted"]:
        return "Hull links  none planted"
    recall = f"{links['n_found']} of {links['n_planted']} planted found ({_share(links['recall'])})"
    told = links["n_right"] + links["n_wrong"]
    precision = f"{links['n_right']} of {told} strong links join one hull ({_share(links['precision'])})"
    return f"Hull links  {recall}; {precision}; {links['n_already_there']} more were there before, right or not"


def _of(planted: int, asked: int) -> str:
    return str(planted) if planted == asked else f"{planted} of {asked}"


def _share(value: float | None) -> str:
    return "--" if value is None else f"{value:.2f}"
