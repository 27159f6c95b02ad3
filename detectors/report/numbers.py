"""The night in numbers: what came in, what was found, what was set aside, and how that compares with nights before.

Takes what run.json holds; gives records of plain text and numbers, not escaped. How they are laid out is left to the
page's templates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

MEASURES: Final = (
    ("n_files_in", "new inputs taken in"),
    ("n_rows_in", "new rows taken in"),
    ("n_vessels", "ships in the window"),
    ("n_voyages", "voyages in the window"),
    ("n_findings", "findings"),
    ("n_flagged", "voyages flagged"),
    ("n_new", "of these, new"),
    ("n_revised", "revised"),
    ("n_unchanged", "unchanged"),
    ("n_withdrawn", "withdrawn"),
    ("n_set_aside", "inputs set aside"),
)
"""What nights are compared by: the name in run.json, and in words."""
STATUSES: Final = ("new", "revised", "unchanged", "withdrawn")
ENOUGH_NIGHTS: Final = 3
"""Fewer nights before make no range that a night could lie outside of."""
SET_ASIDE_SHOWN: Final = 200
"""Inputs set aside that are named; run.json names them all."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of the night beside those of the nights before, oldest first; None where a night did not keep it."""

    words: str
    tonight: int
    before: tuple[int | None, ...]

    @property
    def known(self) -> tuple[int, ...]:
        """The numbers of the nights that kept it."""
        return tuple(value for value in self.before if value is not None)

    @property
    def last(self) -> int | None:
        """The number of the night before."""
        return self.before[-1]

    @property
    def usual(self) -> str:
        """The middle of the nights before, and their range.

        >>> Measure("ships heard", 4, (3, 9, 5)).usual
        '5 (3 to 9)'
        """
        if not self.known:
            return "not kept"
        return f"{median(self.known):,.0f} ({min(self.known):,} to {max(self.known):,})"

    @property
    def remark(self) -> str:
        """Where the night lies outside what the nights before had.

        >>> Measure("ships heard", 2, (3, 9, 5)).remark
        'fewer than on any of the 3 nights before'
        """
        if len(self.known) < ENOUGH_NIGHTS:
            return ""
        if self.tonight > max(self.known):
            return f"more than on any of the {len(self.known)} nights before"
        if self.tonight < min(self.known):
            return f"fewer than on any of the {len(self.known)} nights before"
        return ""

    @property
    def heights(self) -> tuple[float, ...]:
        """Heights of bars, the night itself last: 0 to 1 of the greatest."""
        values = [value or 0 for value in (*self.before, self.tonight)]
        top = max(*values, 1)
        return tuple(round(value / top, 3) for value in values)


@dataclass(frozen=True, slots=True)
class SetAside:
    """An input that was not read: its name, the code of the reason, and a sentence why."""

    name: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Night:
    """One night, or one scan. `dates` name the nights before, oldest first; without them there are no `measures`."""

    as_of: str
    is_nightly: bool
    line: str
    told: str
    rejected: str
    notes: tuple[str, ...]
    failures: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    n_set_aside: int
    min_score: float | None
    dates: tuple[str, ...]
    measures: tuple[Measure, ...]


def night_of(run: Mapping[str, Any], bands: Sequence[tuple[str, int]]) -> Night:
    """The night of a run record; `bands` say how many flagged voyages each band holds."""
    aside = [SetAside(item["name"], item["reason"], item["detail"]) for item in run.get("set_aside") or ()]
    failures = tuple(item["words"] for item in run.get("failures") or ())
    before: Sequence[Row] = run.get("nights_before") or ()
    alerts: Row = run.get("alerts") or {}
    minimum = alerts.get("min_score", ((run.get("settings") or {}).get("alerts") or {}).get("min_score"))
    return Night(
        as_of=run["as_of"],
        is_nightly="alerts" in run,
        line=_line(run, bands, len(aside), len(failures)),
        told=_told(alerts),
        rejected=_rejected(run.get("rejects") or {}),
        notes=tuple(run.get("notes") or ()),
        failures=failures,
        set_aside=tuple(aside[:SET_ASIDE_SHOWN]),
        n_set_aside=len(aside),
        min_score=minimum,
        dates=tuple(row["date"] for row in before),
        measures=_measures(run, alerts, len(aside), before) if before else (),
    )


def counted(n: int, noun: str) -> str:
    """A count and its noun.

    >>> counted(1, "voyage"), counted(1200, "row")
    ('1 voyage', '1,200 rows')
    """
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _line(run: Mapping[str, Any], bands: Sequence[tuple[str, int]], n_aside: int, n_failures: int) -> str:
    """The night in one sentence."""
    by_band = ", ".join(f"{n:,} {band}" for band, n in bands if n)
    flagged = counted(run["n_flagged"], "voyage") + " flagged" + (f" ({by_band})" if by_band else "")
    came: Row | None = run.get("taken_in")
    inputs = f"{counted(len(run['inputs']), 'input')} with {counted(run['n_rows'], 'row')}"
    parts = (
        *(
            (f"{counted(came['files'], 'new input')} with {counted(came['rows'], 'row')}", f"{inputs} looked back on")
            if came
            else (inputs,)
        ),
        f"{counted(run['n_vessels'], 'ship')} on {counted(run['n_voyages'], 'voyage')}",
        flagged,
        f"{counted(n_aside, 'input')} set aside" if n_aside else "no input set aside",
        counted(n_failures, "failure") if n_failures else "no failures",
    )
    return "; ".join(parts) + "."


def _told(alerts: Row) -> str:
    """What a night tells, and what it keeps back; nothing of a scan."""
    if not alerts:
        return ""
    told = ", ".join(f"{alerts.get(status, 0):,} {status}" for status in STATUSES)
    kept = (
        ("beyond_budget", "beyond the alert budget, to be told another night"),
        ("dismissed", "kept quiet by an analyst's word"),
        ("carried", "listed as told before, because their rows were not all looked at"),
        ("left_window", "told before, now older than what the night looks at"),
        ("muted", "findings that weigh nothing by an analyst's word"),
    )
    rest = [f"{alerts[name]:,} {words}" for name, words in kept if alerts.get(name)]
    return "; ".join([told, *rest]) + "."


def _rejected(rejects: Mapping[str, int]) -> str:
    """How many rows were left out, by reason."""
    left_out = sorted((item for item in rejects.items() if item[1]), key=lambda item: (-item[1], item[0]))
    if not left_out:
        return ""
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in left_out)
    return f"{counted(sum(n for _, n in left_out), 'row')} left out ({reasons})."


def _measures(run: Mapping[str, Any], alerts: Row, n_aside: int, before: Sequence[Row]) -> tuple[Measure, ...]:
    """The numbers by which nights are compared, those left out that neither this night nor any before has."""
    came: Row = run.get("taken_in") or {}
    tonight = {
        **run,
        **{f"n_{status}": alerts.get(status) for status in STATUSES},
        "n_files_in": came.get("files"),
        "n_rows_in": came.get("rows"),
        "n_set_aside": n_aside,
    }
    return tuple(
        Measure(words, tonight[name], tuple(row.get(name) for row in before))
        for name, words in MEASURES
        if tonight.get(name) is not None
    )
