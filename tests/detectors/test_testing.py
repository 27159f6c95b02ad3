"""`check_detector` passes a law-abiding detector and names the law that another one breaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from detectors.batch.settings import Settings
from detectors.catalogue import make_detectors
from detectors.contract import Detector, Scene
from detectors.finding import Evidence, Finding
from detectors.scenes import TABLES, empty_scene, silent_scene, small_scene
from detectors.testing import check_detector

EXPECTED = {
    "geofence": {"watched_port_call", "relay_voyage"},
    "identity": {"shared_mmsi", "name_change", "imo_dropped"},
    "watchlist": {"listed_vessel"},
}
"""What the small scene holds for certain, so that the laws are tried on findings and not on silence."""


@dataclass(frozen=True)
class NamedTwice:
    """Ships that sent two names.

    Claims: a ship changed its name. Reads: identities. Misses: what was never sent. Known mistakes: sold ships.
    """

    name: str = "named_twice"
    version: str = "1"
    kinds: tuple[str, ...] = ("two_names",)

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """A finding for every MMSI with two names or more."""
        names: dict[int, set[str]] = {}
        first: dict[int, datetime] = {}
        for row in scene.history.identities.to_pylist():
            if row["name"] is not None:
                names.setdefault(row["mmsi"], set()).add(row["name"])
                first[row["mmsi"]] = min(row["first_seen"], first.get(row["mmsi"], row["first_seen"]))
        return [
            Finding(
                detector=self.name,
                detector_version=self.version,
                kind=self.kinds[0],
                mmsi=mmsi,
                start=first[mmsi],
                end=None,
                strength=0.1,
                headline=f"{mmsi} sent {len(sent)} names",
                evidence=(Evidence("names", ", ".join(sorted(sent)), "one"),),
            )
            for mmsi, sent in names.items()
            if len(sent) > 1
        ]


def test_a_law_abiding_detector_passes_and_its_findings_come_back() -> None:
    found = check_detector(NamedTwice())
    assert {finding.mmsi for finding in found} == {412903360, 445012340}


@pytest.mark.parametrize("detector", make_detectors(Settings()), ids=lambda detector: detector.name)
def test_every_detector_of_the_catalogue_keeps_the_laws(detector: Detector) -> None:
    found = check_detector(detector)
    assert {finding.kind for finding in found} >= EXPECTED.get(detector.name, set())


def test_a_scene_of_ones_own_is_used() -> None:
    assert check_detector(NamedTwice(), empty_scene()) == ()


@dataclass(frozen=True)
class Broken(NamedTwice):
    """A detector that does to its findings what it is told."""

    change: Callable[[Scene, list[Finding]], Any] = lambda _, found: found

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The findings of NamedTwice, changed."""
        found: Sequence[Finding] = self.change(scene, list(super().detect(scene)))
        return found


def first_row_decides(scene: Scene, found: list[Finding]) -> list[Finding]:
    identities = scene.history.identities
    place = identities["name"][0].as_py() if identities.num_rows else ""
    return [replace(finding, caveats=(str(place),)) for finding in found]


def first_chunk_only(scene: Scene, found: list[Finding]) -> list[Finding]:
    """Chunks show only where a table has several."""
    n_chunks = scene.history.identities["mmsi"].num_chunks
    return found if n_chunks <= 1 or not found else found[:1]


COUNTER = iter(range(10**6))


def counts_its_calls(_: Scene, found: list[Finding]) -> list[Finding]:
    n = next(COUNTER)
    return [replace(finding, caveats=(f"call {n}",)) for finding in found]


def changes_the_history(scene: Scene, found: list[Finding]) -> list[Finding]:
    object.__setattr__(scene.history, "identities", scene.history.identities.slice(1))
    return found


def loud(scene: Scene, found: list[Finding]) -> list[Finding]:
    rows = scene.history.vessels.num_rows
    return found if found else [finding_of(rows)]


def loud_on_silent_ships(scene: Scene, found: list[Finding]) -> list[Finding]:
    return found if found or scene.history.vessels.num_rows == 0 else [finding_of(1)]


def finding_of(n: int) -> Finding:
    return Finding(
        "named_twice",
        "1",
        "two_names",
        1,
        datetime(2024, 1, 1, tzinfo=UTC),
        None,
        0.1,
        f"{n}",
        (Evidence("n", str(n)),),
    )


def each(**changes: Any) -> Callable[[Scene, list[Finding]], list[Finding]]:
    return lambda _, found: [replace(finding, **changes) for finding in found]


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (first_row_decides, "the order of rows does not matter"),
        (first_chunk_only, "the chunks of a table do not matter"),
        (counts_its_calls, "the same scene gives the same findings"),
        (changes_the_history, "the scene is not changed"),
        (loud, "nothing is found in an empty history"),
        (loud_on_silent_ships, "nothing is found in ships that said nothing"),
        (lambda _, found: found * 2, "ids are unique"),
        (each(kind="other"), "the kind is not among the kinds"),
        (each(detector="other"), "detector is 'other'"),
        (each(detector_version="2"), "version is '2'"),
        (each(headline=" "), "no headline"),
        (each(headline="a\x1bb"), "control or direction characters"),
        (each(caveats=("a\u202eb",)), "control or direction characters"),
        (each(evidence=(Evidence("n", 3),)), "is no text"),  # type: ignore[arg-type]
        (each(start=datetime(2024, 1, 1)), "has no time zone"),  # noqa: DTZ001 - the fault it is about
        (each(end=datetime(2000, 1, 1, tzinfo=UTC)), "ends before it starts"),
        (each(mmsi=1.5), "not an int"),
        (each(lat=float("nan")), "cannot be written as JSON"),
    ],
)
def test_a_broken_law_is_named(change: Any, law: str) -> None:
    with pytest.raises(AssertionError, match="broken law: ") as caught:
        check_detector(Broken(change=change), small_scene())
    assert law in str(caught.value)


class Thawed(NamedTwice):
    """A record whose attributes may be set."""

    __setattr__ = object.__setattr__  # type: ignore[assignment]


@dataclass(frozen=True)
class Nameless(NamedTwice):
    """A detector without a name."""

    name: str = ""


@dataclass(frozen=True)
class Kindless(NamedTwice):
    """A detector without kinds."""

    kinds: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("detector", "law"), [(Thawed(), "frozen"), (Nameless(), "name '' is no word"), (Kindless(), "a kind in it")]
)
def test_a_detector_says_what_it_is(detector: Any, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_detector(detector)


def test_a_detector_that_cannot_be_sent_to_another_process_is_named() -> None:
    local = Broken(change=lambda _, found: found)
    with pytest.raises(AssertionError, match="sent to another process"):
        check_detector(local)


def test_scenes_have_the_declared_columns() -> None:
    for scene in (small_scene(), empty_scene(), silent_scene()):
        for name, declared in TABLES.items():
            assert getattr(scene.history, name).schema.equals(declared.arrow), name


def test_the_small_scene_fills_every_column() -> None:
    for name in TABLES:
        table = getattr(small_scene().history, name)
        empty = [column for column in table.column_names if table[column].null_count == table.num_rows]
        assert empty == [], f"{name}: nothing in {empty}"
