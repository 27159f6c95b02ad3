"""The standard's facts: shapes of MMSI, flag states, call signs, check digits, text fields."""

from unicodedata import category

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vessels import ais
from vessels.ais import MmsiKind

LAW = settings(max_examples=40, deadline=None)


def kind_of(mmsi: int) -> MmsiKind:
    return MmsiKind(int(ais.mmsi_kinds(np.array([mmsi]))[0]))


@pytest.mark.parametrize(
    ("mmsi", "kind"),
    [
        (445_012_340, MmsiKind.SHIP),
        (2_731_234, MmsiKind.COAST),
        (27_312_345, MmsiKind.GROUP),
        (111_273_501, MmsiKind.SAR_AIRCRAFT),
        (992_731_234, MmsiKind.AID_TO_NAVIGATION),
        (982_731_234, MmsiKind.CRAFT_OF_PARENT),
        (827_312_345, MmsiKind.HANDHELD),
        (970_012_345, MmsiKind.SART),
        (972_012_345, MmsiKind.MAN_OVERBOARD),
        (974_012_345, MmsiKind.EPIRB),
        (979_012_345, MmsiKind.NET_BUOY),
        (200_123_456, MmsiKind.UNKNOWN_MID),
        (0, MmsiKind.NO_SHAPE),
        (123_456_789, MmsiKind.NO_SHAPE),
        (222_222_222, MmsiKind.NO_SHAPE),
        (999_999_999, MmsiKind.NO_SHAPE),
        (1_193_046, MmsiKind.NO_SHAPE),
    ],
)
def test_an_mmsi_is_known_by_its_shape(mmsi, kind):
    assert kind_of(mmsi) == kind


@LAW
@given(st.lists(st.integers(0, ais.MMSI_MAX), max_size=40))
def test_each_number_is_judged_by_itself(numbers):
    together = ais.mmsi_kinds(np.array(numbers, np.int64)).tolist()
    assert together == [int(kind_of(number)) for number in numbers]


@LAW
@given(st.integers(0, ais.MMSI_MAX))
def test_only_a_ships_number_has_a_flag_state(mmsi):
    assert (ais.flag_state(mmsi) is not None) == (kind_of(mmsi) == MmsiKind.SHIP)
    assert (ais.flag_state(mmsi) is None) == (ais.states_of_mmsi(mmsi) == frozenset())


def test_a_territorys_ship_may_have_its_sovereigns_call_sign():
    bermuda = ais.states_of_mmsi(310_123_456)
    assert {"BM", "GB"} <= bermuda


@pytest.mark.parametrize(
    ("call_sign", "state"),
    [
        ("P5ABC", "KP"),
        ("P9XYZ", "KP"),
        ("HMZQ", "KP"),
        ("UBCD5", "RU"),
        ("BXYZ", "CN"),
        ("DSAB9", "KR"),
        ("JVXY4", "MN"),
        ("3EAB7", "PA"),
        ("V7AB2", "MH"),
        (" hmzq ", "KP"),
        ("0ABC", None),
        ("AB", None),
        ("1234567", None),
        ("", None),
    ],
)
def test_a_call_sign_tells_its_state(call_sign, state):
    assert ais.call_sign_state(call_sign) == state


@LAW
@given(st.integers(100_000, 999_999))
def test_of_ten_last_digits_exactly_one_passes_and_it_is_the_weighted_sum(stem):
    ok = ais.imo_check_digit_ok([stem * 10 + digit for digit in range(10)])
    slow = sum(int(d) * w for d, w in zip(str(stem), range(7, 1, -1), strict=True)) % 10
    assert np.flatnonzero(ok).tolist() == [slow]


@LAW
@given(st.integers(ais.IMO_MIN, ais.IMO_MAX), st.sampled_from(["{}", "IMO{}", "IMO {}", "imo: {}", " {} ", "{}.0"]))
def test_an_imo_number_is_read_however_it_is_written(number, form):
    plain = ais.parse_imo(str(number))
    assert ais.parse_imo(form.format(number)) == plain
    assert plain in (number, None)


@pytest.mark.parametrize(
    "text", [None, "", "0", "IMO0000000", "1234567", "9999999", "1000000", "999999", "12345678", "ABC", "9074729A"]
)
def test_what_is_no_imo_number_is_none(text):
    assert ais.parse_imo(text) is None


@LAW
@given(st.text(max_size=30))
def test_cleaning_text_twice_changes_nothing_more(text):
    once = ais.clean_text(text)
    assert once is None or (ais.clean_text(once) == once and "@" not in once)


@LAW
@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Lu"]), max_size=30))
def test_nothing_that_directs_a_terminal_or_hides_is_left_in_a_text(text):
    kept = ais.clean_text(text) or ""
    steering = {"Cc", "Cs", "Zl", "Zp"}
    assert not steering & {category(char) for char in kept}
    assert not set(kept) & set("\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\U000e0041")


@LAW
@given(st.text(max_size=12))
def test_a_clean_call_sign_is_letters_and_digits(text):
    sign = ais.clean_call_sign(text)
    assert sign is None or (sign.isascii() and sign.isalnum() and ais.clean_call_sign(sign) == sign)


@pytest.mark.parametrize("text", ["N.A.", "-NONE-", "000 000", "@@@", "", None, "UNKNOWN."])
def test_a_field_filled_to_be_filled_is_no_call_sign(text):
    assert ais.clean_call_sign(text) is None


def test_a_name_loses_what_directs_and_controls_terminals():
    assert ais.clean_text("MI\u202eRAE\x1b[31m 3@@@junk") == "MIRAE[31M 3"


@pytest.mark.parametrize(
    ("code", "group"), [(70, "cargo"), (79, "cargo"), (80, "tanker"), (30, "fishing"), (52, "tug"), (1004, "cargo")]
)
def test_a_ship_type_belongs_to_a_group(code, group):
    assert ais.ship_type_group(code) == group


@pytest.mark.parametrize("code", [None, 0, 255, 1018, -5, 5000])
def test_a_reserved_or_senseless_type_is_unknown(code):
    assert ais.ship_type_group(code) == "unknown"


@LAW
@given(st.integers(0, ais.MMSI_MAX))
def test_an_mmsi_is_written_with_nine_digits(mmsi):
    text = ais.mmsi_text(mmsi)
    assert len(text) == 9
    assert int(text) == mmsi
