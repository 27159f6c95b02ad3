"""`wakewatch status`: how the nightly job stands, for a person or (`--json`) for a program.

Takes the command line; shows what `detectors.batch.standing` finds. Changes nothing.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from detectors.batch.settings import load_settings
from detectors.batch.standing import standing
from detectors.cli.options import NeededSettings, needed_settings
from detectors.cli.summary import by_reason, counted
from detectors.cli.terminal import console, emit, grid, width_of, wrap
from detectors.shown import safe
from vessels.ais import mmsi_text

SHOWN: Final = 20
"""Names listed of each sort; the rest are counted, and `--json` has them all."""
_INDENT: Final = 10


def status(
    settings: NeededSettings = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with everything.")] = False,
) -> None:
    """How the nightly job stands: the last night, inputs set aside and why, what waits to be taken in, the size of the
    store, and verdicts by kind of finding.

    Reads only, and may be asked while a night is at work.

    \b
    Examples:
      wakewatch status --settings wakewatch.toml
      wakewatch status --settings wakewatch.toml --json
    """
    found = standing(load_settings(needed_settings(settings)))
    stdout = console()
    if as_json:
        emit([json.dumps(found, indent=2)], stdout)
    else:
        emit(status_lines(found, width_of(stdout)), stdout)


def status_lines(found: Mapping[str, Any], width: int) -> list[str]:
    """The standing in lines."""
    store = found["store"]
    lines = [*_night_lines(found.get("last_night"), width), *_input_lines(found, width)]
    if store["exists"]:
        files = f"{counted(store['files'], 'file')}, {counted(store['n_buckets'], 'bucket')}"
        lines.append(f"Store     {safe(store['path'])}: {bytes_text(store['bytes'])} in {files}")
    else:
        lines.append(f"Store     {safe(store['path'])}: not made yet; the first night makes it")
    if found.get("unfinished"):
        lines.append("Unfinished  a night was cut short, or is at work now; the next one sees to it")
    return [*lines, *_verdict_lines(found)]


def bytes_text(n_bytes: int) -> str:
    """A size for people, in powers of a thousand.

    >>> bytes_text(999), bytes_text(1_234_567)
    ('999 B', '1.2 MB')
    """
    size, units = float(n_bytes), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.0f} {units[0]}" if units[0] == "B" else f"{size:.1f} {units[0]}"


def told_text(alerts: Mapping[str, Any]) -> str:
    """How many voyages a night told as what, and how many it kept to itself.

    >>> told_text({"new": 3, "revised": 1, "withdrawn": 0, "unchanged": 9, "beyond_budget": 2, "dismissed": 0})
    '3 new, 1 revised, 0 withdrawn, 9 unchanged; 2 beyond the budget'
    """
    told = ", ".join(f"{alerts[one]:,} {one}" for one in ("new", "revised", "withdrawn", "unchanged"))
    kept = [("beyond_budget", "beyond the budget"), ("dismissed", "dismissed")]
    return "; ".join([told, *(f"{alerts[key]:,} {words}" for key, words in kept if alerts.get(key))])


def _night_lines(night: Mapping[str, Any] | None, width: int) -> list[str]:
    if night is None:
        return ["Night     none yet"]
    seconds = sum(night["stages"].values())
    lines = [
        f"Night     {night['date']}, as of {night['as_of']}, window from {night['window_start'][:10]}",
        f"Took      {seconds:,.1f} s",
        f"Told      {told_text(night['alerts'])}",
        f"Folder    {safe(night['folder'])}",
    ]
    for note in night["notes"]:
        first, *rest = wrap(note, min(width, 110), indent=_INDENT)
        lines += [f"Note      {first.lstrip()}", *rest]
    return lines


def _input_lines(found: Mapping[str, Any], width: int) -> list[str]:
    lines, inputs, backlog = [], found.get("inputs"), found["backlog"]
    if inputs is not None:
        span = f", {inputs['first_day']} to {inputs['last_time']}" if inputs["last_time"] else ""
        replaced = f", {inputs['n_superseded']:,} replaced" if inputs["n_superseded"] else ""
        lines.append(
            f"Inputs    {inputs['n_known']:,} known{replaced}; {counted(inputs['n_rows'], 'row')} read, "
            f"{inputs['n_stored']:,} kept{span}"
        )
    waiting = (
        f"{counted(backlog['n_files'], 'file')}, {bytes_text(backlog['n_bytes'])}" if backlog["n_files"] else "none"
    )
    texts = f"; {counted(backlog['n_texts'], 'text file')} to look into" if backlog["n_texts"] else ""
    lines.append(f"Backlog   {waiting}{texts}")
    if backlog["problem"]:
        lines += [f"          {line.lstrip()}" for line in wrap(backlog["problem"], min(width, 110), indent=_INDENT)]
    lines += _names(backlog["files"])
    aside = {item["name"]: item for item in (*found.get("set_aside", ()), *backlog["set_aside"])}
    reasons = [item["reason"] for item in aside.values()]
    if aside:
        lines.append(f"Set aside {by_reason({reason: reasons.count(reason) for reason in reasons})}")
        lines += _names([f"{item['name']}: {item['detail']} ({item['reason']})" for item in aside.values()])
    failures = found.get("failures", ())
    if failures:
        lines += ["Left out", *_names([item["words"] for item in failures])]
    return lines


def _names(names: list[str]) -> list[str]:
    more = [f"{'':{_INDENT}}... and {len(names) - SHOWN:,} more"] if len(names) > SHOWN else []
    return [*(f"{'':{_INDENT}}{safe(name)}" for name in names[:SHOWN]), *more]


def _verdict_lines(found: Mapping[str, Any]) -> list[str]:
    counts, hulls = found.get("verdicts", ()), found.get("confirmed_hulls", ())
    if not counts and not hulls:
        return ["Verdicts  none yet"]
    rows = [
        [
            item["kind"],
            *(f"{item[word]:,}" for word in ("confirmed", "dismissed", "watch")),
            "--" if item["precision"] is None else f"{item['precision']:.2f}",
        ]
        for item in counts
    ]
    table = grid(["kind", "confirmed", "dismissed", "watch", "precision"], rows, right=[1, 2, 3, 4])
    lines = ["", "Verdicts, by the kinds of findings that the voyages had", *(f"  {line}" for line in table)]
    if hulls:
        named = [f"{mmsi_text(hull['mmsi'])}  {hull['name'] or 'no name'}  {hull['reason'] or ''}" for hull in hulls]
        lines += ["", f"Confirmed hulls: {len(hulls):,}", *_names(named)]
    return lines
