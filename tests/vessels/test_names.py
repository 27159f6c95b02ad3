"""Names: which spellings are one ship's, and which are two ships."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vessels.names import looks_like_gear, near_equal_call_signs, near_equal_names, spelling

ONE_SHIP = [
    ("PALE HERON", "PALE HERON@@@@", "same", "padding"),
    ("PALE HERON", "  pale   heron ", "same", "blanks and case"),
    ("PALEHERON", "PALE HERON", "spelling", "spacing"),
    ("PALE-HERON", "PALE HERON", "spelling", "hyphen"),
    ("PALE. HERON'S", "PALE HERONS", "spelling", "punctuation"),
    ("MIRAE NO.3", "MIRAE 3", "spelling", "NO. before a number"),
    ("MIRAE NO 3", "MIRAE NO.3", "spelling", "NO with and without a point"),
    ("MIRAE #3", "MIRAE 03", "spelling", "number sign and leading zero"),
    ("MIRAE III", "MIRAE 3", "spelling", "roman numeral"),
    ("M/V PALE HERON", "PALE HERON", "spelling", "prefix M/V"),
    ("MV PALE HERON", "M.V. PALE HERON", "spelling", "prefix MV and M.V."),
    ("MT GREY GULL", "GREY GULL", "spelling", "prefix MT"),
    ("F/V GREY GULL", "FV GREY GULL", "spelling", "prefix F/V"),
    ("PACIFIC SAINT ANNE", "PAC ST ANNE", "spelling", "abbreviations"),
    ("NORTH & SOUTH STAR", "NORTH AND SOUTH STAR", "spelling", "ampersand"),
    ("ÅSA LIND", "ASA LIND", "same", "accent, from a list on paper"),
    ("NET 12-85%", "NET 12-84%", "spelling", "battery level of a net buoy"),
    ("0412-7 12.4V", "0412-7 11.9V", "spelling", "voltage of a net buoy"),
    ("HAIGE 88 BAT 70", "HAIGE 88 BAT 65", "spelling", "battery level written out"),
    ("ENDLESS SUMMER VOYAG", "ENDLESS SUMMER VOYAGER", "cut", "twenty characters of the AIS field"),
    ("PALE HERON", "PALE HEROO", "bit error", "N and O differ in one bit"),
    ("PALE HERON", "PALE HXRON", "slip", "E and X differ in more bits, but nine letters make a slip"),
    ("GREY GULL", "GREY GULN", "bit error", "L and N differ in one bit"),
    ("BLACK SPARROW", "BLACK SPAROW", "slip", "a letter left out of a long name"),
    ("BLACK SPARROW", "BLACK SPRAROW", "slip", "two letters changed over, counted as one slip"),
]
TWO_SHIPS = [
    ("MIRAE 3", "MIRAE 5", "another number"),
    ("SU RI 7", "SU RI 8", "another number, one bit apart"),
    ("MIRAE 3", "MIRAE 7", "3 and 7 differ in one bit, but digits are never a slip"),
    ("MIRAE 3", "MIRAE", "a number more"),
    ("MIRAE 1 2", "MIRAE 12", "numbers are not run together"),
    ("NET 12-85%", "NET 13-85%", "another net"),
    ("HONG 1", "HENG 1", "short names of a series"),
    ("GREY GULL", "GREY GOOSE", "another bird"),
    ("PALE HERON", "STORM PETREL", "nothing in common"),
    ("SIN PHYONG 2", "SONGMYENG 2", "the altered name of 2021"),
    ("STAR V8", "STAR V9", "no voltage"),
    ("ACROBAT 3", "ACROBAT 4", "no battery"),
    ("PALE HERON", None, "a name against none"),
]


@pytest.mark.parametrize(("first", "second", "reason", "note"), ONE_SHIP)
def test_names_written_twice_are_one_name(first: str, second: str, reason: str, note: str) -> None:
    assert near_equal_names(first, second) == reason, note


@pytest.mark.parametrize(("first", "second", "note"), TWO_SHIPS)
def test_names_of_two_ships_are_two_names(first: str, second: str | None, note: str) -> None:
    assert near_equal_names(first, second) is None, note


NAMES = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789-./%", max_size=20)


@given(NAMES, NAMES)
def test_near_equality_does_not_depend_on_the_order(first: str, second: str) -> None:
    assert near_equal_names(first, second) == near_equal_names(second, first)


@given(NAMES)
def test_a_name_is_near_itself_with_padding(name: str) -> None:
    assert near_equal_names(name, name + "@@@") == "same"


@given(st.text(max_size=30))
def test_any_text_has_a_spelling(name: str) -> None:
    assert isinstance(spelling(name).letters, str)


@given(st.from_regex(r"[A-Z]{4,9}", fullmatch=True), st.integers(1, 99), st.integers(1, 99))
def test_a_changed_number_is_never_a_slip(word: str, first: int, second: int) -> None:
    near = near_equal_names(f"{word} {first}", f"{word} {second}")
    assert (near is None) == (first != second)


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("P5-AB", "P5AB@@", True),
        ("V3OAB", "V30AB", True),
        ("3EI41", "3E141", True),
        ("UBAB7", "UBAB8", False),
        ("D5AB", "D5AC", False),
        (None, "", True),
        (None, "D5AB", False),
    ],
)
def test_call_signs_differ_in_any_letter_but_a_lookalike(first: str | None, second: str | None, one: bool) -> None:
    assert near_equal_call_signs(first, second) is one


@pytest.mark.parametrize("name", ["NET 12-85%", "0412-7-12.4V", "20183", "NETMARK 3", "BUOY-7", "LU1234-99%", "V12.4"])
def test_gear_is_told_by_its_name(name: str) -> None:
    assert looks_like_gear(name)


@pytest.mark.parametrize("name", ["MIRAE 3", "INTERNET", "STAR V8", "ACROBAT 3", "PLANET 5", "MAGNET", "", None])
def test_ships_are_not_taken_for_gear(name: str | None) -> None:
    assert not looks_like_gear(name)
