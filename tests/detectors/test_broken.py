"""Broken vessels: a step is run without them, as if they had not been heard; everything else stays as it was."""

import itertools
import json
import pickle
from dataclasses import fields, replace

import pyarrow as pa
import pytest

from detectors.batch.broken import (
    FACTS,
    FLEET,
    FactsError,
    Failure,
    combine_surely,
    derive_surely,
    history_without,
    scene_without,
)
from detectors.batch.engine import run_detectors
from detectors.batch.scan import scan
from detectors.batch.settings import Settings
from detectors.catalogue import make_detectors
from detectors.cli.entry import main
from detectors.contract import PreparedDetector
from detectors.rules.loitering import Loitering
from detectors.run_folder import run_values
from detectors.scenes import small_scene
from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    T0,
    block_of,
    chain,
    disc,
    gathered,
    lie,
    sail,
    tables_of,
    write_parquet,
    zones_of,
)
from vessels.errors import SettingsError
from vessels.history import combine, derive
from vessels.intake import coverage_table
from vessels.track import ROW_COLUMNS

DETECTORS = [d.prepared() if isinstance(d, PreparedDetector) else d for d in make_detectors(Settings())]
SCENE = small_scene()
SHIPS = sorted(set(SCENE.history.vessels["mmsi"].to_pylist()))
ZONES = zones_of(disc("KP_EAST", 39.0, 128.0, 10.0), disc("RU_WEST", 39.0, 129.0, 10.0))


def voyage_of(mmsi, name):
    """From port to port and back, with a call or two."""
    papers = {"name": name, "ship_type": 70, "transceiver": "A", "draught": 6.0}
    return chain(
        lambda t: lie(mmsi, t, (39.0, 128.0), 6.0, **papers),
        lambda t: sail(mmsi, t, (39.0, 128.0), (39.0, 129.0), **papers),
        lambda t: lie(mmsi, t, (39.0, 129.0), 6.0, **papers),
        lambda t: sail(mmsi, t, (39.0, 129.0), (38.5, 129.5), **papers),
    )


ROWS = {ALPHA: voyage_of(ALPHA, "ONE"), BRAVO: voyage_of(BRAVO, "TWO"), CHARLIE: voyage_of(CHARLIE, "THREE")}
STATIC = {"mmsi": CHARLIE + 1, "t": 60.0, "name": "NEVER SEEN"}
EVERYONE = [row for rows in ROWS.values() for row in rows] + [STATIC]


def work_of(rows):
    """The block of these rows and `derive` of any block that holds a part of them."""
    gatherer = gathered([rows])
    block = gatherer.block(0, (0, 2**62))
    claims = gatherer.register.claims()
    return block, lambda part: derive(part, claims, ZONES)


def breaking(work, mmsi, error=ValueError):
    """The same work, that fails where it meets a vessel."""

    def done(part):
        if mmsi in part.mmsi.tolist():
            raise error(f"cannot do {mmsi}")
        return work(part)

    return done


def without(table, mmsi):
    return [row for row in table.to_pylist() if mmsi not in (row.get("mmsi"), row.get("other_mmsi"))]


# -- the scene without a vessel


@pytest.mark.parametrize("n", range(1, len(SHIPS) + 1))
def test_every_detector_can_do_without_any_vessels(n):
    for mmsi in itertools.combinations(SHIPS, n):
        judged = run_detectors(scene_without(SCENE, mmsi), DETECTORS)
        assert judged.failures == ()
        named = {number for f in judged.findings for number in (f.mmsi, *f.other_mmsi)}
        assert not named.intersection(mmsi)


@pytest.mark.parametrize("mmsi", SHIPS)
def test_a_history_without_a_vessel_names_it_nowhere_and_refers_to_nothing_that_is_gone(mmsi):
    history = history_without(SCENE.history, frozenset({mmsi}))
    for field in fields(history):
        value = getattr(history, field.name)
        if not isinstance(value, pa.Table):
            continue
        for name in value.column_names:
            if name.endswith("mmsi"):
                assert mmsi not in value[name].to_pylist(), (field.name, name)
    voyages, before = history.voyages, SCENE.history
    visits = set(history.port_visits["visit_id"].to_pylist())
    known = set(before.port_visits["visit_id"].to_pylist())
    for end in ("origin_visit_id", "destination_visit_id"):
        assert known.intersection(voyages[end].to_pylist()) <= visits
    ids = set(voyages["voyage_id"].to_pylist())
    assert set(history.voyage_parts["voyage_id"].to_pylist()) <= ids
    others = {row["voyage_id"] for row in before.voyages.to_pylist() if row["mmsi"] != mmsi}
    parted = {row["voyage_id"] for row in before.voyage_parts.to_pylist()}
    assert others - parted <= ids, "voyages of other vessels stay"


def test_a_scene_without_nobody_is_the_scene():
    for field in fields(SCENE.history):
        one, other = (getattr(h, field.name) for h in (SCENE.history, history_without(SCENE.history, frozenset())))
        assert one == other


class FailsOn(Loitering):
    """The loitering detector with a defect: it cannot do one vessel."""

    broken: tuple[int, ...] = ()

    def detect(self, scene):
        if set(self.broken) <= set(scene.history.vessels["mmsi"].to_pylist()):
            raise IndexError("list index out of range")
        return super().detect(scene)


@pytest.mark.parametrize("mmsi", SHIPS)
def test_a_detector_that_fails_on_a_vessel_finds_what_it_finds_without_it_and_the_others_all_they_find(mmsi):
    others = [d for d in DETECTORS if d.name != "loitering"]
    judged = run_detectors(SCENE, [FailsOn(broken=(mmsi,)), *others])
    assert [(f.detector, f.mmsi, f.together) for f in judged.failures] == [("loitering", (mmsi,), ())]
    whole = run_detectors(SCENE, DETECTORS)
    left = run_detectors(scene_without(SCENE, [mmsi]), [Loitering()])
    ids = {f.finding_id for f in judged.findings}
    assert {f.finding_id for f in whole.findings if f.detector != "loitering"} == {
        f.finding_id for f in judged.findings if f.detector != "loitering"
    }
    assert (
        {f.finding_id for f in left.findings}
        == {f.finding_id for f in judged.findings if f.detector == "loitering"}
        <= ids
    )


def test_of_two_vessels_that_break_a_detector_together_one_is_left_out_and_both_are_named():
    pair = tuple(SHIPS[:2])
    (failure,) = run_detectors(SCENE, [FailsOn(broken=pair)]).failures
    assert len(failure.mmsi) == 1
    assert set(failure.mmsi) < set(failure.together) == set(pair)
    other = next(mmsi for mmsi in pair if mmsi not in failure.mmsi)
    assert f"together with those of vessel {other}" in failure.words


# -- the facts without a vessel


@pytest.mark.parametrize("mmsi", [ALPHA, BRAVO, CHARLIE, STATIC["mmsi"]])
def test_facts_without_a_broken_vessel_are_those_of_the_rows_without_it(mmsi):
    block, work = work_of(EVERYONE)
    facts, failures = derive_surely(block, breaking(work, mmsi))
    assert [(f.detector, f.mmsi) for f in failures] == [(FACTS, (mmsi,))]
    assert f"ValueError: cannot do {mmsi}" in failures[0].error
    rest, work = work_of([row for row in EVERYONE if row["mmsi"] != mmsi])
    assert tables_of(facts) == tables_of(work(rest))
    assert facts.tally is block.tally, "its rows were read, and count as read"


def test_a_block_without_a_vessel_is_the_block_of_the_other_rows():
    block, work = work_of(EVERYONE)
    seen = []
    failing = breaking(work, BRAVO)
    derive_surely(block, lambda part: seen.append(part) or failing(part))
    expected = block_of([row for row in EVERYONE if row["mmsi"] != BRAVO])
    for name in ("mmsi", "offsets", *ROW_COLUMNS):
        if name != "static":
            assert getattr(seen[-1], name).tolist() == pytest.approx(getattr(expected, name).tolist(), nan_ok=True)
    assert not seen[-1].time_us.flags.writeable
    assert seen[-1].statements.vessel.tolist() == expected.statements.vessel.tolist()


def test_facts_that_fail_on_any_vessel_are_refused_in_words():
    block, _ = work_of(EVERYONE)

    def never(_):
        raise ZeroDivisionError("by nothing")

    with pytest.raises(FactsError, match="ZeroDivisionError: by nothing") as caught:
        derive_surely(block, never)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, SettingsError])
def test_no_vessel_is_blamed_for_the_machine_or_the_settings(error):
    block, work = work_of(EVERYONE)
    with pytest.raises(error):
        derive_surely(block, breaking(work, ALPHA, error))


def test_the_fleet_without_a_vessel_whose_facts_cannot_be_put_together():
    gatherer = gathered([EVERYONE], n_buckets=3)
    claims = gatherer.register.claims()
    parts = [derive(gatherer.block(b, (0, 2**62)), claims, ZONES) for b in range(3)]
    coverage = coverage_table([part.tally for part in parts], ["file-0"])

    def work(some):
        if any(BRAVO in part.segments["mmsi"].to_pylist() for part in some):
            raise KeyError(BRAVO)
        return combine(some, coverage, T0, ZONES)

    history, failures = combine_surely(parts, work)
    assert [(f.detector, f.mmsi) for f in failures] == [(FLEET, (BRAVO,))]
    rest, derived = work_of([row for row in EVERYONE if row["mmsi"] != BRAVO])
    assert tables_of(history) == tables_of(combine([derived(rest)], coverage, T0, ZONES))


# -- how it is told


def test_a_failure_is_plain_values_and_travels():
    failure = Failure("dark", (ALPHA,), (), "ValueError: no")
    assert pickle.loads(pickle.dumps(failure)) == failure  # noqa: S301 - its own pickle
    assert json.loads(json.dumps(failure.as_record()))["mmsi"] == [ALPHA]
    assert replace(failure, mmsi=()).words.startswith("detector dark: left out of this run")
    many = replace(failure, mmsi=tuple(range(7)))
    assert "and 2 more" in many.words


def test_the_error_is_one_short_line_with_the_place_where_it_was_raised():
    block, work = work_of(EVERYONE)
    _, (failure,) = derive_surely(block, breaking(work, ALPHA, lambda _: ValueError("two\nlines " + "x" * 1000)))
    assert "\n" not in failure.error
    assert len(failure.error) < 400
    assert f"{__name__}:" in failure.error


@pytest.fixture
def broken_loitering(monkeypatch):
    """A defect of the loitering detector: it cannot do one vessel."""
    honest = Loitering.detect

    def detect(self, scene):
        if BRAVO in scene.history.segments["mmsi"].to_pylist():
            raise IndexError("list index out of range")
        return honest(self, scene)

    monkeypatch.setattr(Loitering, "detect", detect)


@pytest.mark.usefixtures("broken_loitering")
def test_a_scan_with_a_broken_vessel_is_complete_and_says_so(tmp_path, capsys):
    tracks = write_parquet(tmp_path / "ais.parquet", [row for rows in ROWS.values() for row in rows])
    result = scan(tracks)
    (failure,) = run_values(result)["failures"]
    assert (failure["detector"], failure["mmsi"]) == ("loitering", [BRAVO])
    assert set(result.voyages["mmsi"]) == set(ROWS)
    assert main(["scan", str(tracks), "--out", str(tmp_path / "out")]) == 3
    said = capsys.readouterr().err
    assert f"detector loitering: left out vessel {BRAVO}" in said
    assert "Traceback" not in said
    written = json.loads((tmp_path / "out" / "run.json").read_text())
    assert written["failures"] == [failure]
    assert json.dumps(run_values(scan(tracks, jobs=1))["failures"]) == json.dumps([failure])


def test_a_scan_without_failures_says_none(tmp_path):
    tracks = write_parquet(tmp_path / "ais.parquet", ROWS[ALPHA])
    assert run_values(scan(tracks))["failures"] == []
