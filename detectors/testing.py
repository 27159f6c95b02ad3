"""Laws every detector keeps, as one check that the author of a detector can call from a test.

Takes a detector and, if wanted, a scene in which it should find something; raises AssertionError naming the law that
is broken. `detectors.scenes` has small scenes to build on.
"""

import hashlib
import json
import pickle
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Final

import numpy as np
import pyarrow as pa

from detectors.contract import Detector, Scene
from detectors.finding import Finding, findings_table
from detectors.scenes import TABLES, empty_scene, silent_scene, small_scene
from vessels.history import History

SHUFFLES: Final = 3
"""Orders of rows tried besides the given one."""


def check_detector(detector: Detector, scene: Scene | None = None) -> tuple[Finding, ...]:
    """Hold a detector against the laws; gives the findings it made of `scene`, by default `small_scene()`.

    Laws: it says what it is; findings are valid; the same scene gives the same findings; neither the order of rows nor
    the chunks they come in matter; the scene is not changed; nothing is found in an empty history, nor in tracks of
    ships that said nothing; it can be sent to another process. Raises AssertionError that names the broken law.
    """
    _check_says_what_it_is(detector)
    scene = small_scene() if scene is None else scene
    before = _digest(scene.history)
    found = tuple(detector.detect(scene))
    _hold("the scene is not changed", _digest(scene.history) == before, "a table differs after detect()")
    for finding in found:
        _check_finding(detector, finding)
    ids = [finding.finding_id for finding in found]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    _hold("ids are unique", not twice, f"{twice} stand for several findings; tell them apart with `subject`")
    findings_table(found)
    _hold_same("the same scene gives the same findings", found, detector.detect(scene))
    for seed in range(SHUFFLES):
        shuffled = replace(scene, history=shuffle(scene.history, seed))
        _hold_same("the order of rows does not matter", found, detector.detect(shuffled))
    chunked = replace(scene, history=_in_chunks(scene.history))
    _hold_same("the chunks of a table do not matter", found, detector.detect(chunked))
    _hold_same("it can be sent to another process", found, _sent(detector).detect(scene))
    for name, quiet in (("an empty history", empty_scene()), ("ships that said nothing", silent_scene())):
        loud = tuple(detector.detect(quiet))
        _hold(f"nothing is found in {name}", not loud, f"found {[finding.kind for finding in loud]}")
    return found


def _hold(law: str, kept: bool, otherwise: str) -> None:
    if not kept:
        raise AssertionError(f"broken law: {law}: {otherwise}")


def _check_says_what_it_is(detector: Detector) -> None:
    law = "it says what it is"
    _hold(law, isinstance(detector, Detector), f"{type(detector).__name__} lacks name, version, kinds or detect")
    for what, text in (("name", detector.name), ("version", detector.version), *(("kind", k) for k in detector.kinds)):
        _hold(law, isinstance(text, str) and text.strip() == text != "", f"{what} {text!r} is no word")
    _hold(law, isinstance(detector.kinds, tuple) and len(detector.kinds) > 0, "kinds must be a tuple with a kind in it")
    _hold(law, len(set(detector.kinds)) == len(detector.kinds), f"a kind stands twice in {detector.kinds}")
    _hold(law, bool((type(detector).__doc__ or "").strip()), "the class has no docstring; it is the detector's card")
    _hold(law, type(detector).__name__ in repr(detector), f"repr {repr(detector)!r} does not name the class")
    try:
        setattr(detector, "name", detector.name)  # noqa: B010 - the attribute is read-only in the protocol
    except (AttributeError, TypeError, ValueError):
        return
    raise AssertionError("broken law: it is frozen: an attribute could be set; use a frozen record")


def _check_finding(detector: Detector, finding: Finding) -> None:
    law = "findings are valid"
    what = f"{finding.kind} of {finding.mmsi}"
    _hold(law, finding.kind in detector.kinds, f"{what}: the kind is not among the kinds {detector.kinds}")
    _hold(law, finding.detector == detector.name, f"{what}: detector is {finding.detector!r}, not {detector.name!r}")
    _hold(law, finding.detector_version == detector.version, f"{what}: version is {finding.detector_version!r}")
    _hold(law, 0.0 <= finding.strength <= 1.0, f"{what}: strength {finding.strength} is not between 0 and 1")
    _hold(law, len(finding.evidence) > 0, f"{what}: no evidence")
    _hold(law, bool(finding.headline.strip()), f"{what}: no headline")
    texts = [finding.headline, *finding.caveats, *(t for e in finding.evidence for t in asdict(e).values())]
    for text in texts:
        _hold(law, isinstance(text, str), f"{what}: {text!r} is no text")
        _hold(law, text.isprintable(), f"{what}: {text!r} holds control or direction characters")
    for time in (finding.start, finding.end):
        aware = time is None or (time.tzinfo is not None and time.utcoffset() is not None)
        _hold(law, aware, f"{what}: {time} has no time zone")
    _hold(law, finding.end is None or finding.start <= finding.end, f"{what}: it ends before it starts")
    _hold(law, type(finding.mmsi) is int, f"{what}: mmsi is a {type(finding.mmsi).__name__}, not an int")
    _hold(law, all(type(m) is int for m in finding.other_mmsi), f"{what}: other_mmsi holds something else than ints")
    try:
        _text_of(finding)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"broken law: {law}: {what}: cannot be written as JSON ({error})") from error


def _sent(detector: Detector) -> Detector:
    """The detector as another process would get it."""
    try:
        sent: Detector = pickle.loads(pickle.dumps(detector))  # noqa: S301 - our own bytes
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        raise AssertionError(f"broken law: it can be sent to another process: {error}") from error
    return sent


def _text_of(finding: Finding) -> str:
    values = asdict(finding)
    values["start"] = finding.start.isoformat()
    values["end"] = None if finding.end is None else finding.end.isoformat()
    return json.dumps(values, sort_keys=True, allow_nan=False)


def _hold_same(law: str, first: Sequence[Finding], second: Iterable[Finding]) -> None:
    """Two lists hold the same findings, in whatever order."""
    one, two = {_text_of(finding) for finding in first}, {_text_of(finding) for finding in second}
    if one != two:
        gone, new = sorted(one - two), sorted(two - one)
        example = f"gone: {gone[0]}" if gone else f"new: {new[0]}"
        if gone and new:
            example += f"; new: {new[0]}"
        raise AssertionError(f"broken law: {law}: {len(gone)} findings gone, {len(new)} new; {example}")


def _digest(history: History) -> str:
    digest = hashlib.blake2b(repr(history.as_of).encode())
    for name in TABLES:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, getattr(history, name).schema) as writer:
            writer.write_table(getattr(history, name))
        digest.update(sink.getvalue())
    return digest.hexdigest()


def shuffle(history: History, seed: int) -> History:
    """The same history with the rows of every table in another order."""
    rng = np.random.default_rng(seed)
    tables = {name: getattr(history, name) for name in TABLES}
    return replace(history, **{name: table.take(rng.permutation(table.num_rows)) for name, table in tables.items()})


def _in_chunks(history: History) -> History:
    """The same history with every table in two or more chunks."""
    changed = {}
    for name in TABLES:
        table = getattr(history, name)
        middle = table.num_rows // 2
        changed[name] = pa.concat_tables([table.slice(0, middle), table.slice(middle)])
    return replace(history, **changed)
