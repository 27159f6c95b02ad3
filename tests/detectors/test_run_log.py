"""The log of a night: one line an event, for people or for machines, that no value can break."""

import io
import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from detectors.batch import run_log
from detectors.batch.run_log import JSON, TEXT, RunLog, log_to, logged_progress

EVIL = 'a "b"\n2025-01-01T00:00:00Z error forged\x1b[31m\u202e=1'


def test_a_line_of_text_has_time_level_event_and_fields() -> None:
    stream = io.StringIO()
    log = log_to(stream, TEXT)
    log.info("taken_in", files=2, share=0.5, kinds=["a", "b"], nothing=None, path=Path("in"))
    log.warning("set_aside", name="a b.csv", reason="empty")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ info taken_in .*", first)
    assert first.endswith('info taken_in files=2 share=0.5 kinds=["a", "b"] path="in"')
    assert second.endswith('Z warning set_aside name="a b.csv" reason=empty')


def test_a_line_of_json_is_one_object() -> None:
    stream = io.StringIO()
    log = log_to(stream, JSON)
    when = datetime(2025, 4, 9, tzinfo=UTC)
    log.error("failed", message=EVIL, as_of=when, n=3, level="mine", event="mine", ts=0)
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert datetime.fromisoformat(said.pop("ts")).tzinfo is not None
    assert said == {"level": "error", "event": "failed", "message": EVIL, "as_of": "2025-04-09T00:00:00Z", "n": 3}


@pytest.mark.parametrize("form", [TEXT, JSON])
def test_no_value_can_begin_a_line_or_command_a_terminal(form: str) -> None:
    stream = io.StringIO()
    log_to(stream, form).warning("set_aside", name=EVIL)
    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
    assert line.isascii()


def test_a_quiet_log_says_warnings_only() -> None:
    stream = io.StringIO()
    log = log_to(stream, TEXT, quiet=True)
    log.info("stage", name="read")
    log.warning("set_aside", name="a.csv")
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["set_aside"]


def test_a_stream_that_fails_does_not_end_the_night(capsys: pytest.CaptureFixture[str]) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    log_to(Full(), TEXT).info("taken_in", files=2)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "")


def test_the_library_configures_nothing_and_speaks_to_the_programs_own_handlers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger=run_log.LOGGER_NAME):
        RunLog().info("taken_in", files=2)
    assert logging.getLogger(run_log.LOGGER_NAME).handlers == []
    assert [(r.name, r.getMessage()) for r in caplog.records] == [("wakewatch", "taken_in files=2")]


def told(work: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[dict[str, Any]]:
    """Events that a stage gives when every look at the watch finds so many seconds gone."""
    stream = io.StringIO()
    times = iter(i * seconds for i in range(10_000))
    monkeypatch.setattr(run_log.time, "perf_counter", lambda: next(times))
    work(logged_progress(log_to(stream, JSON)))
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def steps(stage: str, total: int) -> Callable[[Any], None]:
    def work(report: Any) -> None:
        for done in range(total + 1):
            report(stage, done, total)

    return work


def test_a_slow_stage_tells_its_quarters_and_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    events = told(steps("facts", 16), monkeypatch, seconds=2.0)
    assert [(e["event"], e.get("done"), e["seconds"]) for e in events] == [
        ("stage_goes_on", 4, 10.0),
        ("stage_goes_on", 8, 18.0),
        ("stage_goes_on", 12, 26.0),
        ("stage", None, 34.0),
    ]
    assert {e["name"] for e in events} == {"facts"}
    assert {e["n"] for e in events} == {16}


def test_stages_one_after_the_other_take_the_time_between_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is first heard of when its only step is done."""

    def work(report: Any) -> None:
        report("read", 1, 1)
        report("facts", 1, 1)

    assert [(e["name"], e["seconds"]) for e in told(work, monkeypatch, seconds=3.0)] == [("read", 3.0), ("facts", 3.0)]


def test_a_quick_stage_tells_its_end_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [e["event"] for e in told(steps("facts", 16), monkeypatch, seconds=0.01)] == ["stage"]


def test_a_stage_of_nothing_ends_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [e["event"] for e in told(steps("facts", 0), monkeypatch, seconds=1.0)] == ["stage"]
