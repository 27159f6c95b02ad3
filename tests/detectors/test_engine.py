"""The engine: findings tied to voyages, hulls and files; verdicts; detectors that fail."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from detectors.batch.engine import Placement, instants, run_detectors, with_anomaly
from detectors.finding import Evidence, Finding
from detectors.triage import weight_of
from tests.detectors.histories import DAY_0, at, history, scene, voyage
from vessels.errors import SettingsError
from vessels.instants import instant_us
from vessels.schema import COVERAGE

ALPHA, BRAVO = 273_412_340, 445_012_350


def finding(start: datetime, mmsi: int = ALPHA, **said: Any) -> Finding:
    values = {"kind": "imo_twin", "strength": 0.5, "end": start, "headline": "seen", "subject": ""}
    evidence = (Evidence("places", "2", "1"),)
    return Finding(
        detector="tester", detector_version="1", mmsi=mmsi, start=start, evidence=evidence, **{**values, **said}
    )


@dataclass(frozen=True)
class Says:
    """A detector that finds what it is told to."""

    found: tuple[Finding, ...] = ()
    name: str = "tester"
    version: str = "1"
    kinds: tuple[str, ...] = ("imo_twin",)

    def detect(self, scene):  # noqa: ARG002 - finds the same anywhere
        return self.found


@dataclass(frozen=True)
class Fails:
    """A detector that raises."""

    fault: Exception
    name: str = "broken"
    version: str = "1"
    kinds: tuple[str, ...] = ()

    def detect(self, scene):  # noqa: ARG002 - fails anywhere
        raise self.fault


@dataclass(frozen=True)
class Scores:
    """What a scoring detector gives."""

    anomaly_score: Any
    notes: tuple[str, ...] = ("few voyages to compare with",)


@dataclass(frozen=True)
class Scoring:
    """A detector that scores every voyage, and finds the odd ones."""

    scores: tuple[float, ...]
    name: str = "scoring"
    version: str = "1"
    kinds: tuple[str, ...] = ("unusual_voyage",)

    def score_voyages(self, scene):  # noqa: ARG002 - the same anywhere
        return Scores(np.array(self.scores))

    def findings(self, scene, scores):
        rows = scene.history.voyages.to_pylist()
        return [
            finding(row["start"], row["mmsi"], kind="unusual_voyage", voyage_id=row["voyage_id"])
            for row, score in zip(rows, scores.anomaly_score, strict=True)
            if score > 0.9
        ]


VOYAGES = [
    voyage(ALPHA, at(1), at(3), span_start=at(0), span_end=at(5), segment_id="a", hull_id="hull-a"),
    voyage(ALPHA, at(5), at(8), span_start=at(5), span_end=at(9), segment_id="a", hull_id="hull-a"),
    voyage(ALPHA, at(2), at(20), span_start=at(2), span_end=at(20), segment_id="b", hull_id="hull-b"),
    voyage(BRAVO, at(1), at(9), span_start=at(1), span_end=at(9), segment_id="c", hull_id="hull-c"),
]
IDS = [row["voyage_id"] for row in VOYAGES]
FILES = [
    {"mmsi": ALPHA, "source_id": "file-1", "first_seen": at(0), "last_seen": at(4)},
    {"mmsi": ALPHA, "source_id": "file-2", "first_seen": at(4), "last_seen": at(9)},
    {"mmsi": BRAVO, "source_id": "file-3", "first_seen": at(1), "last_seen": at(9)},
]
PAST = history(as_of=at(20), voyages=VOYAGES, coverage=FILES)


def placed(**said) -> Finding:
    start = said.pop("start")
    return Placement(PAST).placed(finding(start, **said))


def test_a_finding_on_a_track_belongs_to_the_voyage_whose_time_holds_its_start():
    assert placed(start=at(0.5), segment_id="a").voyage_id == IDS[0]
    assert placed(start=at(6), segment_id="a").voyage_id == IDS[1]
    assert placed(start=at(6), segment_id="b").voyage_id == IDS[2]


def test_where_two_voyages_meet_the_later_one_has_it():
    assert placed(start=at(5), segment_id="a").voyage_id == IDS[1]


def test_a_finding_outside_all_voyages_goes_to_the_nearest():
    assert placed(start=at(12), segment_id="a").voyage_id == IDS[1]
    assert placed(start=at(-4), segment_id="a").voyage_id == IDS[0]


def test_a_track_without_voyages_falls_back_on_the_vessel():
    assert placed(start=at(6.5), segment_id="gone").voyage_id == IDS[1]


CHANGED = history(
    as_of=at(20),
    voyages=[
        voyage(BRAVO, at(1), at(9), span_start=at(0), span_end=at(11), segment_id="b", hull_id="hull-a"),
        voyage(BRAVO, at(11), at(15), span_start=at(11), span_end=at(16), segment_id="b", hull_id="hull-a"),
    ],
    voyage_parts=[
        {"voyage_id": f"voyage-{BRAVO}-030200", "segment_id": "a", "mmsi": ALPHA, "start": at(0), "end": at(5)},
        {"voyage_id": f"voyage-{BRAVO}-030200", "segment_id": "b", "mmsi": BRAVO, "start": at(7), "end": at(11)},
    ],
)


@pytest.mark.parametrize(
    ("mmsi", "day", "segment_id", "row"),
    [
        (ALPHA, 2, "a", 0),
        (ALPHA, 2, None, 0),
        (ALPHA, 6, "a", 0),
        (ALPHA, 13, None, 0),
        (BRAVO, 8, "b", 0),
        (BRAVO, 8, None, 0),
        (BRAVO, 6, "b", 0),
        (BRAVO, 10.5, "b", 0),
        (BRAVO, 12, "b", 1),
        (BRAVO, 12, None, 1),
    ],
)
def test_a_voyage_over_a_change_has_the_findings_under_all_its_numbers(mmsi, day, segment_id, row):
    told = Placement(CHANGED).placed(finding(at(day), mmsi, segment_id=segment_id))
    assert told.voyage_id == CHANGED.voyages["voyage_id"][row].as_py()
    assert told.hull_id == "hull-a"


def test_a_vessel_without_voyages_has_findings_without_a_voyage():
    alone = placed(start=at(1), mmsi=BRAVO + 1)
    assert (alone.voyage_id, alone.hull_id, alone.source_ids) == (None, None, ())


def test_what_the_detector_said_of_voyage_hull_and_files_stays():
    said = placed(start=at(1), voyage_id=IDS[3], hull_id="mine", source_ids=("mine",))
    assert (said.voyage_id, said.hull_id, said.source_ids) == (IDS[3], "mine", ("mine",))


def test_a_finding_gets_its_voyages_hull():
    assert placed(start=at(6), segment_id="b").hull_id == "hull-b"


def test_a_finding_names_the_files_that_hold_its_vessels_in_its_time():
    assert placed(start=at(1), end=at(2)).source_ids == ("file-1",)
    assert placed(start=at(1), end=at(6)).source_ids == ("file-1", "file-2")
    assert placed(start=at(1), end=None).source_ids == ("file-1", "file-2")
    assert placed(start=at(1), end=at(2), other_mmsi=(BRAVO,)).source_ids == ("file-1", "file-3")


def test_findings_are_weighed_sorted_and_judged_by_voyage():
    found = (
        finding(at(6), segment_id="a"),
        finding(at(1), segment_id="a", subject="x"),
        finding(at(1), BRAVO, kind="shared_mmsi"),
        finding(at(1), 1),
    )
    judged = run_detectors(scene(PAST), [Says(found)])
    assert [(f.mmsi, f.start) for f in judged.findings] == sorted((f.mmsi, f.start) for f in found)
    assert all(f.weight_db == weight_of(f.kind).full_db / 2 for f in judged.findings)
    assert set(judged.verdicts) == {IDS[0], IDS[1], IDS[3]}
    assert np.isnan(judged.anomaly_score).all()


def test_the_order_of_detectors_and_findings_changes_nothing():
    one, other = Says((finding(at(6)), finding(at(1), BRAVO))), Says((finding(at(6), kind="shared_mmsi"),))
    mixed = [Says(other.found), Says(one.found[::-1])]
    assert run_detectors(scene(PAST), [one, other]).findings == run_detectors(scene(PAST), mixed).findings


def test_a_scoring_detector_scores_every_voyage_and_leaves_its_notes():
    judged = run_detectors(scene(PAST), [Scoring((0.1, 0.95, 0.2, 0.99))])
    assert judged.anomaly_score.tolist() == [0.1, 0.95, 0.2, 0.99]
    assert {f.voyage_id for f in judged.findings} == {IDS[1], IDS[3]}
    assert judged.notes == ("few voyages to compare with",)
    table = with_anomaly(PAST.voyages, judged.anomaly_score)
    assert table["anomaly_score"].to_pylist() == [0.1, 0.95, 0.2, 0.99]
    assert table.column_names[table.column_names.index("duration_h") + 1] == "anomaly_score"


def test_a_score_that_cannot_be_given_is_null():
    assert with_anomaly(PAST.voyages, np.full(4, np.nan))["anomaly_score"].to_pylist() == [None] * 4


def test_a_detector_that_fails_on_any_scene_is_left_out_with_the_reason_and_the_others_are_heard():
    judged = run_detectors(scene(PAST), [Fails(ZeroDivisionError("by nothing")), Says((finding(at(6)),))])
    (failure,) = judged.failures
    assert (failure.detector, failure.mmsi, failure.together) == ("broken", (), ())
    assert "ZeroDivisionError: by nothing" in failure.error
    assert [f.detector for f in judged.findings] == ["tester"]


@pytest.mark.parametrize("given", [None, 3, ["a finding in words"]])
def test_what_is_no_finding_is_the_detector_s_failure(given):
    judged = run_detectors(scene(PAST), [Says(given)])
    assert [(f.detector, f.mmsi) for f in judged.failures] == [("tester", ())]
    assert judged.findings == ()


def test_a_detector_that_scores_other_voyages_than_there_are_is_left_out():
    judged = run_detectors(scene(PAST), [Scoring((0.1, 0.95))])
    assert [f.detector for f in judged.failures] == ["scoring"]
    assert np.isnan(judged.anomaly_score).all()


@dataclass(frozen=True)
class ScoresButFor(Scoring):
    """Scores by the start of each voyage, and fails where it sees a vessel."""

    mmsi: int = BRAVO

    def score_voyages(self, scene):
        if self.mmsi in scene.history.voyages["mmsi"].to_pylist():
            raise ValueError("not this one")
        return Scores(np.array([start.day / 100.0 for start in scene.history.voyages["start"].to_pylist()]))


def test_scores_without_a_broken_vessel_stand_beside_the_voyages_they_belong_to():
    judged = run_detectors(scene(PAST), [ScoresButFor(())])
    days = [None if row["mmsi"] == BRAVO else row["start"].day / 100.0 for row in PAST.voyages.to_pylist()]
    assert with_anomaly(PAST.voyages, judged.anomaly_score)["anomaly_score"].to_pylist() == days
    assert [(f.detector, f.mmsi) for f in judged.failures] == [("scoring", (BRAVO,))]


@pytest.mark.parametrize("fault", [MemoryError("too little"), KeyboardInterrupt()])
def test_what_is_no_fault_of_the_data_goes_through(fault):
    with pytest.raises(type(fault)):
        run_detectors(scene(PAST), [Fails(fault)])


def test_what_the_user_can_mend_goes_through_as_it_is():
    with pytest.raises(SettingsError, match="mend me"):
        run_detectors(scene(PAST), [Fails(SettingsError("mend me"))])


def test_no_detectors_find_nothing():
    judged = run_detectors(scene(PAST), [])
    assert (judged.findings, dict(judged.verdicts), judged.notes) == ((), {}, ())


def test_instants_are_exact_to_the_microsecond_and_null_is_endless():
    when = DAY_0 + timedelta(days=12_345, microseconds=7)
    assert instant_us(when) == round(when.timestamp()) * 1_000_000 + 7
    column = COVERAGE.build(
        {"mmsi": [1, 2], "source_id": ["a", "b"], "first_seen": [when, None], "last_seen": [when, when]}
    )["first_seen"]
    assert instants(column).tolist() == [instant_us(when), np.iinfo(np.int64).max]


@dataclass(frozen=True)
class Lists:
    """Collects what a detector is shown."""

    seen: list = field(default_factory=list)
    name: str = "lists"
    version: str = "1"
    kinds: tuple[str, ...] = ()

    def detect(self, scene):
        self.seen.append(scene.as_of)
        return []


def test_a_detector_is_shown_the_scene_once():
    lists = Lists()
    run_detectors(scene(PAST), [lists])
    assert lists.seen == [at(20)]
