"""The end of a scan in words: what was read, what was left out, and which voyages deserve a second look first.

Takes tables and a run record; gives lines of text. The tables hold everything; this shows the first rows of them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from rich.text import Text

from detectors.cli.terminal import clip, grid, wrap
from detectors.shown import safe
from vessels.ais import mmsi_text

SHOWN: Final = 20
"""Flagged voyages listed: what fits a screen; the rest are in the table."""
BANDS: Final = ("critical", "high", "medium", "low")
STYLES: Final[Mapping[str, str]] = {"critical": "bold red", "high": "red", "medium": "yellow"}
SHORT_ID: Final = 8
"""Digits of a voyage id that are shown where they tell the run's voyages apart; `explain` takes them."""
_NAME_WIDTH: Final = 20
"""A ship's name has at most 20 characters (ITU-R M.1371-5, message 5)."""
_ZONE_WIDTH: Final = 18


def summary(tables: Mapping[str, pa.Table], run: Mapping[str, Any], out: Path, width: int) -> list[str | Text]:
    """The lines that end a scan; `run` is what run.json holds."""
    flagged = tables["flagged_voyages"]
    inputs, rejects = run["inputs"], run["rejects"]
    n_rejected = sum(rejects.values())
    lines: list[str | Text] = [
        f"Read     {counted(len(inputs), 'file')}, {counted(run['n_rows'], 'row')}"
        + (f"; {counted(n_rejected, 'row')} rejected ({by_reason(rejects)})" if n_rejected else ""),
        f"Heard    {counted(run['n_vessels'], 'vessel')}, {counted(run['n_voyages'], 'voyage')}, as of {run['as_of']}",
        f"Found    {counted(run['n_findings'], 'finding')}; {counted(run['n_flagged'], 'voyage')} flagged"
        + (f" ({by_band(flagged)})" if flagged.num_rows else ""),
        f"Written  {safe(out)}",
    ]
    for note in run["notes"]:
        first, *rest = wrap(note, min(width, 110), indent=9)
        lines += [f"Note     {first.lstrip()}", *rest]
    if flagged.num_rows:
        lines += ["", *flagged_lines(flagged, width)]
        first = short_ids(flagged.sort_by("rank")["voyage_id"].to_pylist())[0]
        lines += ["", f"The case for one of them: wakewatch explain {first} --run {safe(out)}"]
    return lines


def flagged_lines(flagged: pa.Table, width: int, shown: int = SHOWN) -> list[str | Text]:
    """The first flagged voyages by rank, two lines each: what sailed where and when, and the headline."""
    ranked = flagged.sort_by("rank")
    ids = short_ids(ranked["voyage_id"].to_pylist())
    rows = ranked.drop_columns(["geometry"]).slice(0, shown).to_pylist()
    header = ["#", "band", "score", "ship", "flag", "MMSI", "from", "to", "when", "voyage"]
    body = [
        [
            str(row["rank"]),
            row["band"],
            f"{row['score']:.2f}",
            clip(row["name"] or "no name", _NAME_WIDTH),
            row["flag_state"] or "--",
            mmsi_text(row["mmsi"]),
            clip(row["origin"] or "not seen", _ZONE_WIDTH),
            clip(row["destination"] or ("open" if row["is_open"] else "not seen"), _ZONE_WIDTH),
            span(row["start"], row["end"]),
            short,
        ]
        for row, short in zip(rows, ids, strict=False)
    ]
    first, *rest = grid(header, body, right=[0])
    lines: list[str | Text] = [first]
    for line, row in zip(rest, rows, strict=True):
        lines += [
            Text(line, style=STYLES.get(row["band"], "")),
            *wrap(row["headline"] or "", min(width, 110), indent=4),
        ]
    if ranked.num_rows > shown:
        lines.append(f"... and {ranked.num_rows - shown} more in flagged_voyages.parquet")
    return lines


def short_ids(voyage_ids: Sequence[str]) -> list[str]:
    """The shortest beginnings, of eight digits or more, that tell the ids apart; `voyage-` is left out.

    >>> short_ids(["voyage-00112233445566aa", "voyage-00112233ffff0000"])
    ['001122334', '00112233f']
    """
    bare = [voyage_id.rpartition("-")[2] for voyage_id in voyage_ids]
    longest = max((len(text) for text in bare), default=SHORT_ID)
    for length in range(SHORT_ID, longest):
        if len({text[:length] for text in bare}) == len(set(bare)):
            return [text[:length] for text in bare]
    return bare


def counted(n: int, noun: str) -> str:
    """A count and its noun.

    >>> counted(1, "voyage"), counted(1200, "row")
    ('1 voyage', '1,200 rows')
    """
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def by_reason(counts: Mapping[str, int]) -> str:
    """Counts by reason, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {n:,}" for reason, n in ordered if n)


def by_band(flagged: pa.Table) -> str:
    """How many flagged voyages each band holds, the worst first."""
    bands: list[Any] = flagged["band"].to_pylist()
    return ", ".join(f"{bands.count(band)} {band}" for band in BANDS if band in bands)


def span(start: datetime | None, end: datetime | None) -> str:
    """From day to day, UTC; open where no end was seen.

    >>> span(datetime(2024, 5, 1, tzinfo=UTC), None)
    '2024-05-01/..'
    """
    first = "?" if start is None else start.astimezone(UTC).strftime("%Y-%m-%d")
    if end is None:
        return f"{first}/.."
    last = end.astimezone(UTC)
    same_year = start is not None and start.astimezone(UTC).year == last.year
    return f"{first}/{last.strftime('%m-%d' if same_year else '%Y-%m-%d')}"
