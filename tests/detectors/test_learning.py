"""Learning what is usual: from settled voyages that nothing speaks against, and the same from the same data."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from detectors.batch import learning
from detectors.batch.drifting import Anchor
from detectors.batch.engine import run_detectors
from detectors.batch.learning import judge_and_learn, learned_until_us
from detectors.contract import Scene
from detectors.finding import Evidence, Finding
from detectors.learned.baseline import fit_baseline
from detectors.learned.isolation_forest import UnusualVoyages
from detectors.watchlist import WatchList
from tests.detectors.learned.conftest import BEGIN, ODD, WATCHED, Fleet, sail
from vessels.instants import instant_us
from vessels.schema import VOYAGE_PARTS

AS_OF = BEGIN + timedelta(days=60)
WINDOW = BEGIN - timedelta(days=2)
FOREST = UnusualVoyages(n_trees=30, max_samples=128, baseline=None)
UNTIL = datetime(2024, 4, 18, tzinfo=UTC)
"""The last Thursday, the day on which 1970 began, that lies a week or more before `AS_OF`."""
FLEET = sail(45, 22, seed=3)


def scene_of(fleet: Fleet, as_of=AS_OF, shuffle=None) -> Scene:
    history = fleet.history(shuffle)
    seen = pa.array([when < as_of for when in history.voyages["last_seen"].to_pylist()], pa.bool_())
    history = replace(history, as_of=as_of, voyages=history.voyages.filter(seen))
    return Scene(history, WATCHED, WatchList(), as_of)


ANCHOR = Anchor(fit_baseline(scene_of(sail(45, 22, seed=4)).history, WATCHED), "packaged")


@dataclass(frozen=True)
class Flags:
    """A rule that speaks against some voyages, with a weight that flags them; or fails where it sees a vessel."""

    voyages: tuple[str, ...] = ()
    fails_on: int = 0
    name: str = "rule"
    version: str = "1"
    kinds: tuple[str, ...] = ("listed_vessel",)

    def detect(self, scene):
        rows = scene.history.voyages.to_pylist()
        if any(row["mmsi"] == self.fails_on for row in rows):
            raise ValueError("not this one")
        return [
            Finding(
                detector="rule",
                detector_version="1",
                kind="listed_vessel",
                mmsi=row["mmsi"],
                start=row["start"],
                end=row["end"],
                strength=1.0,
                headline="listed",
                evidence=(Evidence("list", "it", ""),),
                voyage_id=row["voyage_id"],
            )
            for row in rows
            if row["voyage_id"] in self.voyages
        ]


def learn(scene, *rules, **how):
    return judge_and_learn(scene, [*rules, FOREST], **{"window_start": WINDOW, "learn": True, "anchor": ANCHOR, **how})


@pytest.fixture(scope="module")
def scene():
    return scene_of(FLEET)


@pytest.fixture(scope="module")
def learned(scene):
    return learn(scene)


def voyages_of(learned):
    return set(learned.baseline.table["voyage_id"].to_pylist())


def settled(scene):
    return {row["voyage_id"]: row for row in scene.history.voyages.to_pylist() if row["last_seen"] < UNTIL}


def test_voyages_that_ended_before_a_week_ago_teach_down_to_a_fixed_day(scene, learned):
    assert learned_until_us(instant_us(AS_OF)) == instant_us(UNTIL)
    assert learned_until_us(instant_us(UNTIL + timedelta(days=7))) == instant_us(UNTIL)
    assert learned_until_us(instant_us(UNTIL + timedelta(days=7)) - 1) == instant_us(UNTIL - timedelta(days=7))
    _, what = learned
    assert what.in_force == "learned"
    taught = voyages_of(what)
    assert taught <= set(settled(scene))
    unusual = what.record["left_out"]["unusual"]
    assert 0 < unusual <= 0.03 * len(taught)
    assert len(taught) + unusual == what.record["n_voyages_accepted"]
    assert what.record["n_voyages_accepted"] > 0.99 * len(settled(scene))


def test_what_is_usual_stays_the_same_for_a_week_and_whatever_the_order_of_rows(learned):
    _, what = learned
    for as_of, shuffle in ((UNTIL + timedelta(days=7), 5), (UNTIL + timedelta(days=14, microseconds=-1), None)):
        _, again = learn(scene_of(FLEET, as_of, shuffle))
        assert again.baseline == what.baseline
    _, later = learn(scene_of(FLEET, UNTIL + timedelta(days=14)))
    assert later.baseline != what.baseline


def test_what_was_flagged_teaches_nothing(scene, learned):
    some = tuple(sorted(voyages_of(learned[1])))[::7]
    judged, what = learn(scene, Flags(some))
    assert not voyages_of(what).intersection(some)
    assert what.record["left_out"]["flagged"] == len(some)
    assert all(judged.verdicts[voyage].is_flagged for voyage in some)


def test_vessels_that_a_rule_failed_on_and_confirmed_hulls_teach_nothing(scene, learned):
    rows = settled(scene).values()
    broken, confirmed = sorted({row["mmsi"] for row in rows})[:2]
    hull = next(row["hull_id"] for row in rows if row["mmsi"] == confirmed)
    judged, what = learn(scene, Flags(fails_on=broken), leave_out_hulls=[hull])
    assert [(f.detector, f.mmsi) for f in judged.failures] == [("rule", (broken,))]
    own = {row["voyage_id"] for row in rows if row["mmsi"] in (broken, confirmed)}
    assert own & voyages_of(learned[1])
    assert not own & voyages_of(what)


def test_a_voyage_that_a_broken_vessel_sailed_a_part_of_teaches_nothing(scene, learned):
    rows = list(settled(scene).values())
    voyage = next(row for row in rows if row["voyage_id"] in voyages_of(learned[1]))
    part = {**{name: voyage[name] for name in ("voyage_id", "segment_id", "start", "end")}, "mmsi": 352_999_999}
    parts = VOYAGE_PARTS.build({name: [part[name]] for name in VOYAGE_PARTS.names})
    parted = replace(scene, history=replace(scene.history, voyage_parts=parts))
    assert voyage["voyage_id"] in voyages_of(learn(parted)[1])

    @dataclass(frozen=True)
    class FailsOnPart(Flags):
        def detect(self, scene):
            if scene.history.voyage_parts.num_rows:
                raise ValueError("not this one")
            return []

    judged, what = learn(parted, FailsOnPart())
    assert judged.failures[0].mmsi == (352_999_999,)
    assert voyage["voyage_id"] not in voyages_of(what)


def test_voyages_that_began_before_the_window_teach_nothing(scene):
    window = BEGIN + timedelta(days=15)
    _, what = learn(scene, window_start=window)
    rows = settled(scene)
    assert what.in_force == "learned"
    assert all(rows[voyage]["start"] > window for voyage in voyages_of(what))
    unseen = [row | {"origin": None, "span_start": row["start"]} for row in FLEET.voyages]
    _, what = learn(scene_of(replace(FLEET, voyages=unseen)), window_start=window)
    assert what.in_force == "learned"
    assert all(rows[voyage]["start"] >= window + timedelta(days=1) for voyage in voyages_of(what))


def test_odd_voyages_do_not_teach_even_if_no_rule_knows_them(learned):
    odd = next(n for n, row in enumerate(FLEET.voyages) if row["voyage_id"] in voyages_of(learned[1]))
    _, what = learn(scene_of(FLEET.with_voyage(odd, **ODD)))
    assert what.in_force == "learned"
    assert FLEET.voyages[odd]["voyage_id"] not in voyages_of(what)


def test_all_detectors_judge_as_with_the_learned_baseline_given(scene, learned):
    judged, what = learned
    given = run_detectors(scene, [FOREST.with_baseline(what.baseline)])
    assert judged.findings == given.findings
    assert dict(judged.verdicts) == dict(given.verdicts)
    assert np.array_equal(judged.anomaly_score, given.anomaly_score, equal_nan=True)
    rule = Flags((scene.history.voyages["voyage_id"][0].as_py(),))
    both, what = learn(scene, rule)
    given = run_detectors(scene, [rule, FOREST.with_baseline(what.baseline)])
    assert (both.findings, dict(both.verdicts), both.notes) == (given.findings, dict(given.verdicts), given.notes)


@pytest.mark.parametrize(
    ("fleet", "in_words"),
    [
        pytest.param(sail(45, 3, seed=3), "accepted voyages of 45 vessels", id="few voyages"),
        pytest.param(sail(20, 14, seed=3), "of 20 vessels", id="few vessels"),
        pytest.param(Fleet([], [], []), "0 accepted voyages of 0 vessels", id="none"),
    ],
)
def test_too_few_voyages_leave_the_anchor_in_force_and_say_so(fleet, in_words):
    _, what = learn(scene_of(fleet))
    assert (what.baseline, what.in_force) == (ANCHOR.baseline, "packaged")
    (note, *_) = what.notes
    assert in_words in note
    assert "2024-04-18" in note
    assert note.endswith("the packaged baseline is in force")


def test_where_nothing_is_to_be_learned_the_anchor_is_in_force_and_drift_is_told_against_it(scene):
    anchor = Anchor(ANCHOR.baseline, "path")
    judged, what = learn(scene, learn=False, anchor=anchor)
    assert (what.baseline, what.in_force, what.notes) == (ANCHOR.baseline, "path", ())
    assert set(what.drift["comparison"].to_pylist()) == {"newest"}
    given = run_detectors(scene, [FOREST.with_baseline(ANCHOR.baseline)])
    assert judged.findings == given.findings
    _, none = learn(scene, learn=False, anchor=Anchor(None, "packaged"))
    assert (none.baseline, none.drift.num_rows, none.record["in_force"]) == (None, 0, "none")


def test_ordinary_voyages_drift_from_nothing(learned):
    _, what = learned
    assert set(what.drift["comparison"].to_pylist()) == {"newest", "learned"}
    for part in what.record["odd_to_anchor"].values():
        assert part["n_voyages"] > 100
        assert part["share"] < 0.015, "promised: 3 in 1,000"
    assert what.record["drift"] == []
    assert what.notes == ()


def changed(fleet, when, share, **values):
    """The fleet with this share of the voyages that end from an instant on sailed otherwise."""
    draw = np.random.default_rng(8).random(len(fleet.voyages)) < share
    rows = [
        row | (values if drawn and row["end"] >= when else {}) for row, drawn in zip(fleet.voyages, draw, strict=True)
    ]
    return replace(fleet, voyages=rows)


def test_a_habit_that_most_of_the_newest_voyages_have_is_told_before_it_is_learned():
    _, what = learn(scene_of(changed(FLEET, UNTIL, 0.6, longest_silence_h=30.0, silence_share=0.6)))
    odder, note = what.notes
    assert odder.startswith("the newest voyages are odder than those before: the packaged baseline calls ")
    assert note.startswith("the newest voyages drift from the learned baseline: ")
    assert "longest silence" in note
    assert {row["feature"] for row in what.record["drift"]} == {"longest_silence_h", "silence_share"}


def test_a_habit_that_has_been_learned_shows_against_the_anchor():
    _, what = learn(scene_of(changed(FLEET, BEGIN, 0.6, longest_silence_h=30.0, silence_share=0.6)))
    (note,) = what.notes
    assert note.startswith("the learned baseline has drifted from the packaged baseline: ")
    assert "longest silence" in note
    assert {row["comparison"] for row in what.record["drift"]} == {"learned"}


def test_what_few_take_up_at_first_is_learned_as_usual_but_the_anchor_still_calls_it_odd_and_says_so():
    fraud = {"longest_silence_h": 30.0, "silence_share": 0.6, "longest_stop_h": 40.0, "slow_share": 0.7}
    begun = changed(FLEET, BEGIN, 0.08, **fraud)
    _, what = learn(scene_of(changed(begun, UNTIL, 0.3, **fraud)))
    shares = {name: part["share"] for name, part in what.record["odd_to_anchor"].items()}
    assert shares["earlier"] == pytest.approx(0.08, abs=0.04)
    assert shares["newest"] == pytest.approx(0.3, abs=0.1)
    assert [note for note in what.notes if "odder than those before" in note]
    _, steady = learn(scene_of(begun))
    assert not [note for note in steady.notes if "odder" in note], "no more of the newest than before"


def test_a_handful_of_odd_ships_is_no_drift():
    rows = list(FLEET.voyages)
    few = {row["mmsi"] for row in rows[:: len(rows) // 4]}
    some = [n for n, row in enumerate(rows) if row["mmsi"] in few and row["last_seen"] >= UNTIL]
    odd = FLEET
    for number in some:
        odd = odd.with_voyage(number, **ODD)
    _, what = learn(scene_of(odd))
    assert what.record["odd_to_anchor"]["newest"]["n_odd"] >= 10
    assert not [note for note in what.notes if "odder" in note]


def test_a_vessel_that_learning_fails_on_is_left_out_and_named(scene, monkeypatch):
    broken = min(row["mmsi"] for row in settled(scene).values())
    honest = learning.voyage_features

    def features(history, zones):
        if broken in history.voyages["mmsi"].to_pylist():
            raise ValueError("not this one")
        return honest(history, zones)

    monkeypatch.setattr(learning, "voyage_features", features)
    judged, what = learn(scene)
    assert [(f.detector, f.mmsi) for f in judged.failures] == [(learning.LEARNING, (broken,))]
    own = {row["voyage_id"] for row in settled(scene).values() if row["mmsi"] == broken}
    assert what.in_force == "learned"
    assert not own & voyages_of(what)


def test_learning_that_fails_altogether_leaves_the_anchor_in_force(scene, monkeypatch):
    def never(*_):
        raise ValueError("never")

    monkeypatch.setattr(learning, "voyage_features", never)
    judged, what = learn(scene)
    assert [(f.detector, f.mmsi) for f in judged.failures] == [(learning.LEARNING, ())]
    assert what.in_force == "packaged"
    assert np.isfinite(judged.anomaly_score).any()


def test_without_a_forest_nothing_is_learned(scene):
    judged, what = judge_and_learn(scene, [Flags()], window_start=WINDOW, learn=True, anchor=ANCHOR)
    assert (what.baseline, what.in_force) == (None, "none")
    assert judged.findings == ()
