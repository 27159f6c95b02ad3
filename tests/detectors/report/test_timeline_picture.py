import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from detectors.report import timeline_picture as room
from detectors.report.drawn import Bar, Drawn, Link, Mark, Silence, Stay, TrackPoints
from detectors.report.lettering import width_px
from detectors.report.palette import DARK, LIGHT, plain
from detectors.report.time_axis import DAY_US, HOUR_US, MINUTE_US
from detectors.report.timeline_frame import hull_span, one_span, voyage_span
from detectors.report.timeline_picture import timeline_picture

SVG = "{http://www.w3.org/2000/svg}"
T0 = 1_740_787_200_000_000
"""2025-03-01T00:00Z."""
SHEET = (Path(room.__file__).parent / "static" / "timeline.css").read_text(encoding="utf-8")
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m&\"'\ud7ff\ufffe"


def at(hours: float) -> int:
    return T0 + round(hours * HOUR_US)


def track(hours: np.ndarray, sog_kn: float | np.ndarray = 10.0, draught_m: float | np.ndarray = 6.6) -> TrackPoints:
    n = len(hours)
    full = np.ones(n)
    return TrackPoints(
        "own",
        511000001,
        "segment-1",
        T0 + (hours * HOUR_US).astype(np.int64),
        38.0 * full,
        120.0 * full,
        sog_kn * full,
        draught_m * full,
    )


def mark(number: int, start_h: float, end_h: float | None = None, headline: str = "seen") -> Mark:
    end = None if end_h is None else at(end_h)
    return Mark(number, f"finding-{number}", "dark_gap", headline, at(start_h), end, 38.0, 120.0, 10.0)


def stay(name: str, start_h: float, end_h: float | None, watch: str | None = None) -> Stay:
    return Stay("XX_PORT", name, "CN", watch, at(start_h), None if end_h is None else at(end_h), 38.0, 120.0, 4)


def silence(start_h: float, end_h: float | None, reception: str = "heard") -> Silence:
    long = (end_h or 0.0) - start_h
    return Silence(
        at(start_h), None if end_h is None else at(end_h), 38.0, 120.0, None, None, long, reception, "not heard"
    )


def bar(field: str, value: str, start_h: float, end_h: float, probability: float = 1.0) -> Bar:
    return Bar(field, value, 511000001, at(start_h), at(end_h), probability)


def voyage(**parts: Any) -> Drawn:
    given: dict[str, Any] = {
        "voyage_id": "voyage-1",
        "title": "PLAIN TERN",
        "start_us": at(0),
        "end_us": at(72),
        "as_of_us": at(80),
        "tracks": (track(np.arange(0.0, 72.0, 1 / 3)),),
        "bars": (bar("mmsi", "511000001", 0, 72), bar("name", "PLAIN TERN", 0, 72)),
    }
    return Drawn(**(given | parts))


def tree(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314


def parsed(drawn: Drawn, width: int = 760) -> ElementTree.Element:
    return tree(timeline_picture(drawn, width=width, ident="t1"))


def texts(root: ElementTree.Element, kind: str | None = None) -> list[str]:
    groups = [group for group in root.iter(f"{SVG}g") if kind is None or group.get("class") == kind]
    return list(dict.fromkeys(text.text or "" for group in groups for text in group.iter(f"{SVG}text")))


def shapes(root: ElementTree.Element, kind: str) -> list[list[float]]:
    """x, y, x, y, ... of each stroke of a class: what begins with M."""
    paths = [one for one in root.iter(f"{SVG}path") if one.get("class") == kind]
    for group in root.iter(f"{SVG}g"):
        paths += group.iter(f"{SVG}path") if group.get("class") == kind else ()
    return [corners("M" + stroke) for one in paths for stroke in (one.get("d") or "").split("M")[1:]]


def corners(stroke: str) -> list[float]:
    """The places a stroke of M, h, H, v, l and z comes through."""
    x = y = 0.0
    found: list[float] = []
    for letter, numbers in re.findall(r"([MhHvl])([^MhHvlz]*)", stroke):
        given = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)]
        for first, second in (
            zip(given[::2], given[1::2], strict=True) if letter in "Ml" else ((one, 0.0) for one in given)
        ):
            if letter in "MH":
                x, y = first, second if letter == "M" else y
            elif letter == "v":
                y += first
            else:
                x, y = x + first, y + second
            found += [x, y]
    return found


def boxes_of_text(root: ElementTree.Element) -> list[tuple[float, float, float, float, str]]:
    """Left, top, right, bottom of every text, by the widths it was laid out with."""
    found = []
    for group in root.iter(f"{SVG}g"):
        kind = group.get("class") or ""
        for text in group.findall(f"{SVG}text"):
            words, x, y = text.text or "", float(text.get("x", 0)), float(text.get("y", 0))
            wide = width_px(words, 12.0 if kind == "head" else 11.0)
            shift = 0.5 if kind in {"tick", "tick-major", "middle"} else 1.0 if kind == "level-text" else 0.0
            found.append((x - wide * shift, y - 8.0, x + wide * (1.0 - shift), y + 1.0, words))
    return found


def overlapping(root: ElementTree.Element) -> list[tuple[str, str]]:
    return [
        (a[4], b[4])
        for a, b in combinations(boxes_of_text(root), 2)
        if a[0] < b[2] - 0.2 and b[0] < a[2] - 0.2 and a[1] < b[3] and b[1] < a[3]
    ]


FULL = voyage(
    marks=(mark(1, 10, 30), mark(2, 12), mark(3, -300, 80)),
    stays=(stay("Yantai", -400, -380), stay("Nampo", -30, 0, "high"), stay("Dalian", 72, None, "elevated")),
    silences=(silence(20, 30), silence(40, 45, "outage"), silence(70, None, "unheard_place")),
    tracks=(track(np.concatenate((np.arange(0, 20, 1 / 3), np.arange(30, 40, 1 / 3), np.arange(45, 70, 1 / 3)))),),
    bars=(
        bar("mmsi", "341518600", -340, -20),
        bar("mmsi", "511000001", -10, 80),
        bar("name", "SABLE LANTERN", -340, -20),
        bar("name", "PLAIN TERN", -10, 80),
        bar("name", "QUIET HERON", 90, 120, 0.4),
        bar("flag", "PW", -10, 80),
        bar("destination", "PYEONGTAEK", 0, 40),
        bar("destination", "NAMPO", 40, 80),
    ),
    links=(
        Link(at(-20), at(-10), 0.99, True, "SABLE LANTERN → PLAIN TERN"),
        Link(at(80), at(90), 0.4, False, "PLAIN TERN → QUIET HERON"),
    ),
)


def test_every_class_of_the_picture_has_a_rule_and_every_colour_a_name() -> None:
    svg = timeline_picture(FULL, ident="t1")
    classes = {word for found in re.findall(r'class="([^"]*)"', svg) for word in found.split()} - {"timeline"}
    assert classes <= set(re.findall(r"\.([a-z0-9-]+)", SHEET))
    for palette in (LIGHT, DARK):
        assert "var(" not in plain(SHEET, palette)


def test_the_sheet_touches_nothing_outside_time_lines() -> None:
    selectors = [one for rule in re.findall(r"([^{}]+)\{", SHEET) for one in rule.split(",")]
    assert all(one.strip().startswith(".timeline") for one in selectors)


def test_a_picture_is_one_element_that_a_strict_page_may_hold() -> None:
    svg = timeline_picture(FULL, ident="t1")
    root = tree(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert not [one for one in root.iter() if one.tag.endswith(("script", "style", "foreignObject", "image"))]
    names = {name for one in root.iter() for name in one.attrib}
    assert "style" not in names
    assert not [name for name in names if name.startswith("on") or name.endswith("href")]
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    assert all(str(one).startswith("t1-") for one in ids)


@pytest.mark.parametrize("width", [300, 360, 559, 560, 760, 1400])
def test_text_never_overlaps_nor_leaves_the_picture(width: int) -> None:
    root = parsed(FULL, width)
    assert overlapping(root) == []
    assert float(root.get("width", 0)) == width
    height = float(root.get("height", 0))
    for left, top, right, bottom, words in boxes_of_text(root):
        assert left >= -0.1 and right <= width + 0.2, words
        assert top >= 0.0 and bottom <= height, words


def test_the_same_voyage_gives_the_same_picture() -> None:
    assert timeline_picture(FULL, ident="t1") == timeline_picture(replace(FULL), ident="t1")


def test_nothing_of_the_speed_is_drawn_over_a_silence() -> None:
    hours = np.concatenate((np.arange(0, 20, 1 / 3), np.arange(30, 72, 1 / 3)))
    rng = np.random.default_rng(7)
    root = parsed(voyage(tracks=(track(hours, rng.uniform(5.0, 12.0, hours.size), rng.uniform(3, 6, hours.size)),)))
    (band,) = shapes(root, "band")
    left, right = band[0], band[2]
    dark = [left + (right - left) * hour / 72.0 for hour in (19.8, 29.9)]
    strokes = shapes(root, "speed")
    assert strokes
    for stroke in strokes:
        xs = stroke[::2]
        assert max(xs) <= dark[0] + 1.0 or min(xs) >= dark[1] - 1.0
    for x1, _, x2, _ in shapes(root, "draught"):
        assert x2 <= dark[0] + 1.0 or x1 >= dark[1] - 1.0
    for x1, _, x2, _ in shapes(root, "heard"):
        assert x2 <= dark[0] + 1.5 or x1 >= dark[1] - 1.0


def test_a_drawn_speed_is_never_more_than_half_a_pixel_from_a_report() -> None:
    hours = np.arange(0, 72, 1 / 3)
    knots = 8.0 + 2.0 * np.sin(hours / 3.0)
    root = parsed(voyage(tracks=(track(hours, knots),)))
    (stroke,) = shapes(root, "speed")
    xs, ys = np.array(stroke[::2]), np.array(stroke[1::2])
    (band,) = shapes(root, "band")
    x = band[0] + (band[2] - band[0]) * hours / 72.0
    levels = sorted({stroke[1] for stroke in shapes(root, "level")})
    y = levels[-1] - knots / 10.0 * (levels[-1] - levels[0])
    assert np.abs(np.interp(x, xs, ys) - y).max() < 0.75


def test_a_draught_is_a_dot_where_it_is_first_claimed_and_its_value_is_written_once() -> None:
    hours = np.arange(0, 72, 1 / 3)
    draught = np.where(hours < 36, 3.5, 6.6)
    root = parsed(voyage(tracks=(track(hours, 10.0, draught),)))
    assert [text for text in texts(root, "halo") if "." in text] == ["3.5", "6.6"]
    assert len(shapes(root, "draught-dot")) == 2


@pytest.mark.parametrize(
    ("reception", "kind", "words"),
    [
        ("heard", "silence-heard", "others heard nearby"),
        ("outage", "silence-outage", "feed down"),
        ("unheard_place", "silence-place", "place seldom heard"),
        ("class_thinned", "silence-thinned", "class B thinned"),
        ("unknown", "silence-unknown", "reception unknown"),
        ("new word", "silence-unknown", "reception unknown"),
    ],
)
def test_a_silence_says_not_heard_and_what_reception_says(reception: str, kind: str, words: str) -> None:
    root = parsed(voyage(silences=(silence(10, 60, reception),)))
    assert len(shapes(root, kind)) >= 1
    assert f"not heard 2.1 d: {words}" in texts(root, "middle")


def test_an_open_silence_runs_to_the_as_of_with_a_torn_edge() -> None:
    closed, still_open = voyage(silences=(silence(60, 80),)), voyage(silences=(silence(60, None),))
    assert any("so far" in text for text in texts(parsed(still_open)))
    assert not any("so far" in text for text in texts(parsed(closed)))
    torn = max(shapes(parsed(still_open), "silence-heard"), key=len)
    assert len(torn) > 6
    assert "as of 4 Mar 2025 08:00" in texts(parsed(still_open))


def test_watched_ports_are_told_by_a_shape_and_not_by_colour_alone() -> None:
    plain_call = parsed(voyage(stays=(stay("Yantai", -5, 0),)))
    watched = parsed(voyage(stays=(stay("Nampo", -5, 0, "high"), stay("Dalian", 72, 75, "elevated"))))
    assert not shapes(plain_call, "watch-high") and not shapes(plain_call, "watch-elevated")
    assert len(shapes(watched, "watch-high")) == 2
    assert len(shapes(watched, "watch-elevated")) == 2
    assert "watched port: high" in texts(watched)


def test_a_thousand_findings_stay_small_and_every_one_is_counted() -> None:
    marks = tuple(mark(i, (i * 37) % 72, (i * 37) % 72 + i % 9, "x" * 600) for i in range(1, 1001))
    root = parsed(voyage(marks=marks))
    chips = texts(root, "chip-number")
    counted = sum(int(text[1:]) for text in _all_texts(root) if re.fullmatch(r"\+\d+", text))
    assert len(chips) + counted == 1000
    assert chips[0] == "1"
    assert "Findings" in texts(root, "lane")
    assert "1,000" in texts(root, "soft")
    svg = timeline_picture(voyage(marks=marks), ident="t1")
    assert len(svg) < 40_000
    assert float(root.get("height", 0)) < 500
    assert overlapping(root) == []


def _all_texts(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def test_findings_that_begin_before_and_end_after_have_arrows_at_the_edges() -> None:
    inside = parsed(voyage(marks=(mark(1, 10, 20),)))
    beyond = parsed(voyage(marks=(mark(1, -900, 900),)))
    assert shapes(inside, "beyond") == []
    assert len(shapes(beyond, "beyond")) >= 2


def test_a_change_of_identity_weeks_before_is_seen_beside_its_link() -> None:
    root = parsed(FULL)
    said = _all_texts(root)
    assert {"341518600", "511000001", "SABLE LANTERN", "PLAIN TERN", "0.99 link", "possible 0.40"} <= set(said)
    assert len(shapes(root, "funnel")) == 1
    first, second = sorted(shapes(root, "bar0") + shapes(root, "bar1"))[:2]
    assert first != second


def test_two_values_of_a_field_are_two_bars_with_a_gap_and_two_tones() -> None:
    root = parsed(voyage(bars=(bar("mmsi", "511000001", 0, 72), bar("name", "ONE", 0, 30), bar("name", "TWO", 30, 72))))
    (one,) = [box for box in shapes(root, "bar0") if box[1] == shapes(root, "bar1")[0][1]]
    (two,) = shapes(root, "bar1")
    assert one[2] < two[0]
    assert {"ONE", "TWO"} <= set(_all_texts(root))


def test_fields_that_never_change_and_those_never_heard_are_told_in_words() -> None:
    root = parsed(voyage(bars=(bar("mmsi", "511000001", 0, 72), bar("flag", "PW", 0, 72))))
    assert "Unchanged: flag PW" in _all_texts(root)
    assert "None heard: name, IMO number, call sign, ship type" in _all_texts(root)


def test_what_may_have_been_the_hull_says_how_likely() -> None:
    root = parsed(voyage(bars=(bar("mmsi", "511000001", 0, 40), bar("mmsi", "511000002", 41, 72, 0.4))))
    assert "511000002 (possible 0.40)" in _all_texts(root)
    assert len(shapes(root, "possible")) == 2


def test_one_claim_before_and_after_a_silence_is_two_boxes_with_dots_between_and_one_text() -> None:
    def picture(after: str) -> ElementTree.Element:
        said = (bar("name", "PLAIN TERN", 0, 30), bar("name", after, 42, 72))
        return parsed(voyage(bars=(bar("mmsi", "511000001", 0, 72), *said)))

    same, other = picture("PLAIN TERN"), picture("QUIET HERON")
    (tie,) = shapes(same, "tie")
    boxes = [one for one in shapes(same, "bar0") if one[1] < tie[1] < one[5]]
    assert len(boxes) == 2
    assert _all_texts(same).count("PLAIN TERN") == 1
    assert not shapes(other, "tie")
    assert {"PLAIN TERN", "QUIET HERON"} <= set(_all_texts(other))


def test_a_name_that_flaps_is_one_bar_with_the_number_of_changes() -> None:
    said = tuple(bar("name", f"NAME {i % 3}", 20 + i / 50, 20 + (i + 1) / 50) for i in range(400))
    root = parsed(voyage(bars=(bar("mmsi", "511000001", 0, 72), *said)))
    assert any(re.fullmatch(r"\d+ changes", text) for text in _all_texts(root))
    assert overlapping(root) == []
    assert float(root.get("height", 0)) < 400


def test_many_claims_at_one_time_are_folded() -> None:
    said = tuple(bar("name", f"NAME {i}", 0, 72) for i in range(30))
    root = parsed(voyage(bars=(bar("mmsi", "511000001", 0, 72), *said)))
    assert "+27 more" in _all_texts(root)


@pytest.mark.parametrize("width", [360, 760])
def test_hostile_text_of_any_length_is_shown_as_text(width: int) -> None:
    hostile = HOSTILE * 200
    drawn = voyage(
        title=hostile,
        marks=(mark(1, 5, 20, hostile),),
        stays=(stay(hostile, -5, 0, "high"), stay(hostile, 72, 90)),
        silences=(replace(silence(20, 60), text=hostile),),
        bars=tuple(bar(field, hostile, 0, 72) for field in ("mmsi", "name", "imo", "flag", "destination")),
        links=(Link(at(1), at(2), 0.4, False, hostile),),
    )
    svg = timeline_picture(drawn, width=width, ident="t1")
    root = tree(svg)
    assert "<script" not in svg
    assert "\u202e" not in svg and "\x1b" not in svg and "\ufffe" not in svg
    assert len(svg) < 20_000
    assert overlapping(root) == []


@pytest.mark.parametrize("width", [360, 760])
@pytest.mark.parametrize(
    "parts",
    [
        {"end_us": at(0), "tracks": (track(np.zeros(1)),)},
        {"end_us": at(0), "tracks": (), "bars": ()},
        {"tracks": (), "bars": ()},
        {"tracks": (track(np.zeros(0)),)},
        {"tracks": (track(np.arange(0.0, 9.0), np.nan, np.nan),)},
        {"tracks": (track(np.arange(0.0, 9.0), np.inf, -1.0),)},
        {"tracks": (track(np.arange(0.0, 9.0, 0.3), 0.0),)},
        {"tracks": (track(np.arange(0.0, 9.0, 0.3), 250.0),)},
        {"end_us": at(-5)},
        {"as_of_us": at(-900)},
        {"marks": (mark(1, 30, 10), mark(2, 9000), mark(3, -9000, -8000))},
        {"stays": (stay("Nampo", 60, None, "high"), stay("Yantai", -90000, -80000))},
        {"links": (Link(at(5), at(2), 1.0, True, ""), Link(at(9), at(9), 0.0, False, ""))},
        {"bars": (bar("name", "", 5, 5), bar("mmsi", "5", 9, 3))},
        {"end_us": at(24 * 400)},
        {"end_us": T0 + 5 * MINUTE_US, "tracks": (track(np.array([0.0, 0.05])),)},
    ],
)
def test_odd_voyages_have_a_sound_picture(parts: dict[str, Any], width: int) -> None:
    svg = timeline_picture(voyage(**parts), width=width, ident="t1")
    root = tree(svg)
    assert "nan" not in "".join(re.findall(r' (?:d|x|y|height|viewBox)="([^"]*)"', svg))
    assert "inf" not in "".join(re.findall(r' (?:d|x|y|height|viewBox)="([^"]*)"', svg))
    assert overlapping(root) == []


def test_what_was_not_sent_is_said() -> None:
    root = parsed(voyage(tracks=(track(np.arange(0.0, 9.0, 0.3), np.nan, np.nan),)))
    assert {"Speed", "Draught"} <= set(texts(root, "lane"))
    assert not shapes(root, "speed") and not shapes(root, "draught")
    none = parsed(voyage(tracks=()))
    assert "this run keeps none of this voyage" in _all_texts(none)


def test_a_voyage_long_in_the_hulls_life_needs_one_axis() -> None:
    drawn = voyage(bars=(bar("mmsi", "511000001", -10, 80),))
    span = voyage_span(drawn)
    assert one_span(span, hull_span(drawn, span)) is not None
    assert not shapes(parsed(drawn), "funnel")


def test_the_hulls_axis_never_covers_much_more_than_a_year() -> None:
    drawn = voyage(bars=(bar("mmsi", "1", -24 * 4000, -24 * 3000), bar("mmsi", "2", -24 * 2000, 24 * 2000)))
    low, high = hull_span(drawn, voyage_span(drawn)) or (0, 0)
    assert (high - low) / DAY_US < 400
    assert "1" not in texts(parsed(drawn), "")


def test_times_may_be_shifted_by_whole_weeks_without_moving_a_shape() -> None:
    def shifted(us: int) -> int:
        return us + 28 * DAY_US

    before = voyage(marks=(mark(1, 5, 20),))
    moved = replace(
        before,
        start_us=shifted(before.start_us),
        end_us=shifted(before.end_us),
        as_of_us=shifted(before.as_of_us),
        tracks=tuple(replace(one, time_us=one.time_us + 28 * DAY_US) for one in before.tracks),
        marks=tuple(
            replace(one, start_us=shifted(one.start_us), end_us=shifted(one.end_us or 0)) for one in before.marks
        ),
        bars=tuple(replace(one, start_us=shifted(one.start_us), end_us=shifted(one.end_us)) for one in before.bars),
    )
    for kind in ("speed", "heard", "band", "span", "chip", "bar0"):
        assert shapes(parsed(before), kind) == shapes(parsed(moved), kind)
        assert shapes(parsed(before), kind)
