"""Nights in memory: small histories judged, compared and remembered, without a store."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from detectors.batch.alerts import Telling, tell
from detectors.batch.broken import Failure
from detectors.batch.engine import run_detectors
from detectors.batch.nights import Nights
from detectors.batch.sight import Sight
from detectors.batch.told import ToldVoyage, told_voyage
from detectors.batch.verdicts import Said, Verdicts, settled
from detectors.finding import Evidence, Finding
from detectors.triage import FLAG_SCORE
from tests.detectors.histories import at, history, scene, spell, voyage
from vessels.history import History
from vessels.zones import Zones

ALPHA, BRAVO, CHARLIE, DELTA = 273_412_340, 445_012_350, 457_300_620, 312_004_440
_AFLOAT = {"start_lat": 35.0, "start_lon": 130.0, "end_lat": 36.0, "end_lon": 131.0}
WINDOW = at(-60)


def sailing(mmsi: int, start: float = 1.0, end: float = 5.0, **said: Any) -> dict[str, Any]:
    """A row of `voyages` between two days; its own time begins a day before."""
    row = voyage(mmsi, at(start), at(end))
    return {**row, **_AFLOAT, "span_start": at(start - 1), "destination": "KR_BUSAN", **said}


def still_open(row: dict[str, Any]) -> dict[str, Any]:
    """The voyage before it arrived."""
    return {**row, "end": None, "is_open": True, "destination": None}


@dataclass(frozen=True)
class Finds:
    """A detector that finds what it is told to: (voyage row, kind, strength, what else a finding says)."""

    found: tuple[tuple[Any, ...], ...]
    name: str = "tester"
    version: str = "1"
    kinds: tuple[str, ...] = ()

    def detect(self, scene):  # noqa: ARG002 - finds the same anywhere
        return [self._finding(*one) for one in self.found]

    def _finding(self, row, kind, strength, said=None):
        said = {"start": row["start"], "end": row["start"], **(said or {})}
        return Finding(
            detector=said.pop("detector", "tester"),
            detector_version="1",
            kind=kind,
            mmsi=row["mmsi"],
            strength=strength,
            headline=f"{kind} seen",
            evidence=(Evidence("reports", "2", "1"),),
            voyage_id=row["voyage_id"],
            hull_id=row["hull_id"],
            segment_id=row["segment_id"],
            **said,
        )


@dataclass
class Log:
    """What was told, night after night; each night is given what is found in it."""

    verdicts: Verdicts = field(default_factory=Verdicts)
    told: dict[str, ToldVoyage] = field(default_factory=dict)
    nights: list[dict[str, Any]] = field(default_factory=list)

    def night(
        self,
        *found: tuple[Any, ...],
        voyages: list[dict[str, Any]] | None = None,
        day: float = 20.0,
        window: datetime = WINDOW,
        failures: tuple[Failure, ...] = (),
        data_start: datetime | None = None,
        budget: int | None = None,
        min_score: float = FLAG_SCORE,
        **tables: Any,
    ) -> Telling:
        """One night with what it finds; `voyages` are those of the findings unless given."""
        rows = voyages if voyages is not None else list({f[0]["voyage_id"]: f[0] for f in found}.values())
        past = seen(rows, day, **tables)
        seq = len(self.nights) + 1
        telling = tell(
            past,
            run_detectors(scene(past), [Finds(found)]),
            Zones(()),
            told=self.told,
            verdicts=self.verdicts,
            sight=Sight(window, at(day), failures, data_start),
            night_id=f"night-{seq}",
            seq=seq,
            budget=budget,
            min_score=min_score,
        )
        self.nights.append({"night_id": f"night-{seq}", "seq": seq, "as_of": at(day), "window_start": window})
        self.told |= {row["voyage_id"]: told_voyage(row) for row in telling.told.to_pylist()}
        return telling

    def say(self, row: dict[str, Any], verdict: str, **said: Any) -> None:
        """An analyst's word on a voyage."""
        told = [{**one.row, "revision": one.revision} for one in self.told.values()]
        (word,) = settled([Said(row["voyage_id"], verdict, **said)], told, Nights(tuple(self.nights)))
        self.verdicts = Verdicts((*self.verdicts.rows, {**word, "seq": len(self.verdicts.rows) + 1}))


def seen(voyages: list[dict[str, Any]], day: float, **tables: Any) -> History:
    """A history of these voyages, one track an MMSI; what a ship says of herself is her number and a plain name."""
    spells = tables.pop("identities", [spell(v["mmsi"], at(0), at(6), name=f"SHIP {v['mmsi']}") for v in voyages])
    tracks = {
        v["segment_id"]: {"segment_id": v["segment_id"], "hull_id": v["hull_id"], "mmsi": v["mmsi"]} for v in voyages
    }
    return history(
        as_of=at(day),
        voyages=sorted(voyages, key=lambda v: (v["mmsi"], v["start"])),
        identities=sorted(spells, key=lambda s: (s["mmsi"], s["first_seen"])),
        segments=sorted(tracks.values(), key=lambda t: t["mmsi"]),
        **tables,
    )


def by_id(telling: Telling) -> dict[str, dict[str, Any]]:
    """The rows of a night's table by voyage."""
    return {row["voyage_id"]: row for row in telling.flagged.to_pylist()}


def statuses(telling: Telling) -> dict[int, str]:
    """The status of each vessel's voyage."""
    return {row["mmsi"]: row["status"] for row in telling.flagged.to_pylist()}


def changes(telling: Telling, row: dict[str, Any]) -> list[str]:
    """What changed about one voyage."""
    return list(by_id(telling)[row["voyage_id"]]["changes"])


def days(n: float) -> timedelta:
    """So many days."""
    return timedelta(days=n)
