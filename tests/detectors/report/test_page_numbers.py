"""The night in one line, what was set aside by name, and how the night compares with those before."""

import re

import pytest

from detectors.report.numbers import SET_ASIDE_SHOWN, Measure, night_of
from detectors.report.page import report_page
from detectors.run_folder import run_in_memory

BANDS = [("critical", 2), ("high", 0), ("low", 1)]
RECORD = {
    "as_of": "2025-04-09T23:59:51Z",
    "inputs": [{}, {}],
    "n_rows": 1200,
    "taken_in": {"files": 1, "rows": 1200, "kept": 400},
    "n_vessels": 1,
    "n_voyages": 9,
    "n_findings": 4,
    "n_flagged": 3,
    "rejects": {"exact_repeat": 700, "position_out_of_range": 3, "clock": 0},
}
ALERTS = {"new": 2, "revised": 1, "unchanged": 0, "withdrawn": 0, "beyond_budget": 4, "min_score": 0.1, "muted": 0}


def before(n, **numbers):
    """Nights before, each with the same numbers but for its rows."""
    kept = {"n_vessels": 5, "n_voyages": 9, "n_findings": 4, "n_flagged": 3, "n_new": 1, "n_revised": 0}
    return [
        {
            "date": f"2025-04-{i + 1:02d}",
            "as_of": f"2025-04-{i + 1:02d}T12:00:00Z",
            "n_files_in": 1,
            "n_rows_in": 1000 + i,
            **kept,
            **numbers,
        }
        for i in range(n)
    ]


def aside(n):
    return [{"name": f"day-{i}.csv", "reason": "empty", "detail": "holds no row"} for i in range(n)]


def test_the_night_is_told_in_one_line():
    assert night_of(RECORD, BANDS).line == (
        "1 new input with 1,200 rows; 2 inputs with 1,200 rows looked back on; 1 ship on 9 voyages; "
        "3 voyages flagged (2 critical, 1 low); no input set aside; "
        "no failures."
    )
    failed = {**RECORD, "set_aside": aside(1), "failures": [{"words": "detector dark: left out vessel 273412340"}]}
    night = night_of(failed, BANDS)
    assert night.line.endswith("1 input set aside; 1 failure.")
    assert night.failures == ("detector dark: left out vessel 273412340",)


def test_rows_left_out_are_counted_by_reason_most_first():
    assert night_of(RECORD, BANDS).rejected == "703 rows left out (exact_repeat 700, position_out_of_range 3)."
    assert night_of({**RECORD, "rejects": {}}, BANDS).rejected == ""


def test_inputs_set_aside_are_named_and_those_beyond_the_first_counted():
    night = night_of({**RECORD, "set_aside": aside(SET_ASIDE_SHOWN + 5)}, BANDS)
    assert [item.name for item in night.set_aside] == [f"day-{i}.csv" for i in range(SET_ASIDE_SHOWN)]
    assert night.n_set_aside == SET_ASIDE_SHOWN + 5


def test_a_scan_is_compared_with_nothing():
    night = night_of({name: value for name, value in RECORD.items() if name != "taken_in"}, BANDS)
    assert (night.is_nightly, night.told, night.measures) == (False, "", ())
    assert night.line.startswith("2 inputs with 1,200 rows; 1 ship on 9 voyages; ")


def test_a_night_says_what_is_told_and_what_is_kept_back():
    night = night_of({**RECORD, "alerts": ALERTS, "nights_before": []}, BANDS)
    assert night.is_nightly
    assert night.told == (
        "2 new, 1 revised, 0 unchanged, 0 withdrawn; 4 beyond the alert budget, to be told another night."
    )
    assert night.min_score == 0.1
    assert night.measures == ()


def test_a_night_stands_beside_those_before():
    night = night_of({**RECORD, "alerts": ALERTS, "nights_before": before(3)}, BANDS)
    rows, ships, new = (
        next(m for m in night.measures if m.words == words)
        for words in ("new rows taken in", "ships in the window", "of these, new")
    )
    assert night.dates == ("2025-04-01", "2025-04-02", "2025-04-03")
    assert (rows.tonight, rows.last, rows.usual) == (1200, 1002, "1,001 (1,000 to 1,002)")
    assert rows.remark == "more than on any of the 3 nights before"
    assert ships.remark == "fewer than on any of the 3 nights before"
    assert (new.tonight, new.before) == (2, (1, 1, 1))
    assert rows.heights == (0.833, 0.834, 0.835, 1.0)


def test_two_nights_before_are_too_few_to_lie_outside_of():
    night = night_of({**RECORD, "alerts": ALERTS, "nights_before": before(2)}, BANDS)
    assert {measure.remark for measure in night.measures} == {""}


def test_a_number_that_nights_before_did_not_keep_is_said_to_be_missing_and_never_zero():
    night = night_of({**RECORD, "alerts": ALERTS, "nights_before": before(4)}, BANDS)
    withdrawn = next(measure for measure in night.measures if measure.words == "withdrawn")
    assert (withdrawn.before, withdrawn.last, withdrawn.usual, withdrawn.remark) == ((None,) * 4, None, "not kept", "")


def test_a_night_of_zeros_has_bars_of_no_height():
    assert Measure("findings", 0, (0, 0)).heights == (0.0, 0.0, 0.0)


@pytest.fixture
def night_html(finished, tmp_path):
    run = run_in_memory(finished, tmp_path)
    told = {
        **run.run,
        "taken_in": RECORD["taken_in"],
        "alerts": ALERTS,
        "nights_before": before(5),
        "set_aside": [*aside(2)],
        "notes": ["<b>note</b>"],
    }
    told["set_aside"][0]["name"] = "<img src=x>.csv"
    return report_page(type(run)(run.folder, run.tables, told)).html


def test_the_page_shows_the_nights_before_as_a_table_with_bars(night_html):
    table = re.search(r'<table id="nights">.*?</table>', night_html, re.DOTALL).group()
    assert "new rows taken in" in table
    assert "1,002 (1,000 to 1,004)" in table
    assert table.count('class="tonight"') == table.count("<svg")
    assert all(date in night_html for date in ("2025-04-01", "2025-04-05"))
    assert "nights-none" not in night_html


def test_the_page_names_what_was_set_aside_and_escapes_it(night_html):
    listed = re.search(r'<ul id="set-aside">.*?</ul>', night_html, re.DOTALL).group()
    assert "&lt;img src=x&gt;.csv" in listed
    assert "day-1.csv" in listed
    assert "holds no row" in listed
    assert "<img" not in night_html
    assert "&lt;b&gt;note&lt;/b&gt;" in night_html


def test_a_scan_and_a_first_night_say_why_there_is_no_comparison(finished, tmp_path):
    run = run_in_memory(finished, tmp_path)
    assert "A scan stands alone" in report_page(run).html
    first = type(run)(run.folder, run.tables, {**run.run, "alerts": ALERTS, "nights_before": []})
    assert "none before to compare with" in report_page(first).html
