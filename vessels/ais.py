"""The AIS standard's own facts: "not available" codes, MMSI shapes, flag states, call-sign series, IMO numbers.

Takes single values or arrays of them; gives what the standard says of them. What a value means for suspicion is
left to the detectors. Sources: ITU-R M.1371-5 (fields and codes), ITU-R M.585-9 (MMSI), ITU Radio Regulations
Appendix 42 (call signs), IMO resolution A.1117(30) (IMO number); tables in `vessels/data`, see docs/data-sources.md.
"""

import csv
import re
from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

# "Not available" codes of ITU-R M.1371-5 after decoding, tables 45 to 52.
LAT_NOT_AVAILABLE: Final = 91.0
LON_NOT_AVAILABLE: Final = 181.0
SOG_NOT_AVAILABLE_KN: Final = 102.3
HEADING_NOT_AVAILABLE_DEG: Final = 511.0
NAV_STATUS_UNDEFINED: Final = 15
DRAUGHT_MAX_M: Final = 25.5
"""255 tenths of a metre: "25.5 m or more"."""
LENGTH_MAX_M: Final = 1022
"""Two reference distances of 511 m, each "511 m or more"."""
BEAM_MAX_M: Final = 126
"""Two reference distances of 63 m, each "63 m or more"."""

AT_ANCHOR: Final = 1
MOORED: Final = 5

MMSI_MAX: Final = 999_999_999
IMO_MIN: Final = 1_000_000
"""1 to 999999 are "not used" in the AIS field (ITU-R M.1371-5, message 5)."""
IMO_MAX: Final = 9_999_999

_IMO_WEIGHTS: Final = (7, 6, 5, 4, 3, 2)
_IMO_FILLERS: Final = frozenset({1_234_567, 7_654_321, *(digit * 1_111_111 for digit in range(1, 10)), IMO_MIN})
"""Numbers typed to fill the field: a counting sequence, one repeated digit, a bare million."""


class MmsiKind(IntEnum):
    """What an MMSI's digits say the station is (ITU-R M.585-9)."""

    SHIP = 1
    GROUP = 2
    COAST = 3
    SAR_AIRCRAFT = 4
    AID_TO_NAVIGATION = 5
    CRAFT_OF_PARENT = 6
    HANDHELD = 7
    SART = 8
    MAN_OVERBOARD = 9
    EPIRB = 10
    NET_BUOY = 11
    UNKNOWN_MID = 12
    """Ship-shaped, but its first three digits are no state's maritime identification digits."""
    NO_SHAPE = 13
    """No shape that the recommendation knows, such as 000000000, 123456789 or 999999999."""


STATIONS_NOT_SHIPS: Final = frozenset(
    {
        MmsiKind.COAST,
        MmsiKind.SAR_AIRCRAFT,
        MmsiKind.AID_TO_NAVIGATION,
        MmsiKind.SART,
        MmsiKind.MAN_OVERBOARD,
        MmsiKind.EPIRB,
        MmsiKind.GROUP,
    }
)
"""Kinds that are set apart before tracks are built: they are no vessels."""

_FILLER_MMSI: Final = frozenset({123_456_789, 987_654_321, *(digit * 111_111_111 for digit in range(10))})


def _read_table(name: str) -> list[dict[str, str]]:
    text = files("vessels").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def mid_table() -> Mapping[int, tuple[str, str, str]]:
    """Maritime identification digits: MID -> (ISO 3166 state, name, state it belongs to or '')."""
    rows = _read_table("mid.csv")
    return MappingProxyType({int(r["mid"]): (r["iso2"], r["name"], r["sovereign_iso2"]) for r in rows})


@cache
def state_names() -> Mapping[str, str]:
    """ISO 3166 two-letter code -> short name, for every state or territory with an MID of its own."""
    return MappingProxyType({iso2: name for iso2, name, _ in mid_table().values()})


@cache
def _mid_known() -> npt.NDArray[np.bool_]:
    known = np.zeros(1000, dtype=np.bool_)
    known[list(mid_table())] = True
    return known


def mmsi_kinds(mmsi: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """The `MmsiKind` of each MMSI, read as nine digits with leading zeros. Shape (n,), int8.

    >>> [MmsiKind(k).name for k in mmsi_kinds(np.array([273123456, 2311000, 999999999, 970012345]))]
    ['SHIP', 'COAST', 'NO_SHAPE', 'SART']
    """
    m = np.asarray(mmsi, dtype=np.int64)
    known = _mid_known()
    mid = np.clip(m // 1_000_000, 0, 999)
    kind = np.where((m >= 200_000_000) & (m < 800_000_000), MmsiKind.UNKNOWN_MID, MmsiKind.NO_SHAPE)
    kind = np.where((kind == MmsiKind.UNKNOWN_MID) & known[mid], MmsiKind.SHIP, kind)
    shapes = (
        (970_000_000, 971_000_000, MmsiKind.SART, None),
        (972_000_000, 973_000_000, MmsiKind.MAN_OVERBOARD, None),
        (974_000_000, 975_000_000, MmsiKind.EPIRB, None),
        (979_000_000, 980_000_000, MmsiKind.NET_BUOY, None),
        (980_000_000, 990_000_000, MmsiKind.CRAFT_OF_PARENT, (m // 10_000) % 1000),
        (990_000_000, 1_000_000_000, MmsiKind.AID_TO_NAVIGATION, (m // 10_000) % 1000),
        (111_000_000, 112_000_000, MmsiKind.SAR_AIRCRAFT, (m // 1_000) % 1000),
        (2_000_000, 8_000_000, MmsiKind.COAST, (m // 10_000) % 1000),
        (20_000_000, 80_000_000, MmsiKind.GROUP, (m // 100_000) % 1000),
        (820_000_000, 880_000_000, MmsiKind.HANDHELD, (m // 100_000) % 1000),
    )
    for low, high, shape, embedded_mid in shapes:
        fits = (m >= low) & (m < high)
        if embedded_mid is not None:
            fits &= known[np.clip(embedded_mid, 0, 999)]
        kind = np.where(fits, shape, kind)
    fillers = np.isin(m, list(_FILLER_MMSI)) | (m == 9_990_000)
    kind = np.where(fillers, np.where(m == 9_990_000, MmsiKind.COAST, MmsiKind.NO_SHAPE), kind)
    return kind.astype(np.int8)


def mmsi_text(mmsi: int) -> str:
    """Nine digits, leading zeros restored.

    >>> mmsi_text(2311000)
    '002311000'
    """
    return f"{mmsi:09d}"


def flag_state(mmsi: int) -> str | None:
    """ISO 3166 code of the state whose digits a ship's MMSI begins with; None if it is no ship's number.

    >>> flag_state(445123000), flag_state(123456789)
    ('KP', None)
    """
    if not 200_000_000 <= mmsi < 800_000_000 or mmsi in _FILLER_MMSI:
        return None
    entry = mid_table().get(mmsi // 1_000_000)
    return None if entry is None else entry[0]


def states_of_mmsi(mmsi: int) -> frozenset[str]:
    """The flag state and, for a territory, the state it belongs to: call signs may come from either."""
    state = flag_state(mmsi)
    if state is None:
        return frozenset()
    _, _, sovereign = mid_table()[mmsi // 1_000_000]
    return frozenset({state, sovereign} - {""})


@cache
def _call_sign_series() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(r["regex"]), r["iso2"]) for r in _read_table("call_sign_series.csv"))


@cache
def call_sign_state(call_sign: str) -> str | None:
    """ISO 3166 code of the administration whose Appendix 42 series a call sign falls in; None if in none.

    Only what looks like a ship's call sign is judged: 4 to 7 letters and digits with a letter in the prefix.

    >>> call_sign_state("P5AB"), call_sign_state("12345")
    ('KP', None)
    """
    text = call_sign.strip().upper()
    if not re.fullmatch(r"(?=.{4,7}$)(?:[A-Z][A-Z0-9]|[2-9][A-Z])[A-Z0-9]+", text):
        return None
    for pattern, iso2 in _call_sign_series():
        if pattern.match(text):
            return iso2 or None
    return None


def imo_check_digit_ok(imo: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether the seventh digit is the last digit of the weighted sum of the first six.

    One random number in ten passes, so passing does not prove that a number was issued.

    >>> imo_check_digit_ok([9074729, 9074728]).tolist()
    [True, False]
    """
    number = np.asarray(imo, dtype=np.int64)
    rest = number // 10
    total = np.zeros_like(number)
    for weight in reversed(_IMO_WEIGHTS):
        total += weight * (rest % 10)
        rest //= 10
    ok: npt.NDArray[np.bool_] = (number >= IMO_MIN) & (number <= IMO_MAX) & (total % 10 == number % 10)
    return ok


_IMO_TEXT: Final = re.compile(r"^\s*(?:IMO)?[\s:#-]*(\d{1,10})(?:\.0*)?\s*$", re.IGNORECASE)


def parse_imo(text: str | None) -> int | None:
    """The seven-digit IMO number in a field, or None: blank, zero, "not used" codes, fillers, national numbers.

    A number whose check digit fails is still returned: it is what the ship claims.

    >>> parse_imo("IMO9074729"), parse_imo("9074729.0"), parse_imo("IMO0000000"), parse_imo("Unknown")
    (9074729, 9074729, None, None)
    """
    if text is None:
        return None
    match = _IMO_TEXT.match(text)
    if match is None:
        return None
    number = int(match.group(1))
    return number if IMO_MIN <= number <= IMO_MAX and number not in _IMO_FILLERS else None


_NOT_TEXT: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    "\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
"""Controls, marks of direction, invisible characters, halves of pairs (Unicode categories Cc, Cf, Cs, Zl, Zp)."""
_BLANKS: Final = re.compile(r"\s+")
_SAYS_NOTHING: Final = frozenset({"", "UNKNOWN", "UNDEFINED", "N/A", "NA", "NAN", "NONE", "NULL", "-", "0"})


def clean_text(raw: str | None) -> str | None:
    """A text field as the standard means it: ended at the first `@`, blanks squeezed, upper case; None if empty.

    Control and direction characters are dropped, because the text comes from strangers' radios.

    >>> clean_text("MIRAE  3@@@@@@"), clean_text("@@@@@"), clean_text("unknown")
    ('MIRAE 3', None, None)
    """
    if raw is None:
        return None
    text = _BLANKS.sub(" ", _NOT_TEXT.sub("", raw.split("@", 1)[0])).strip().upper()
    return None if text in _SAYS_NOTHING else text


def clean_call_sign(raw: str | None) -> str | None:
    """A call sign without blanks, hyphens and padding; None if nothing is said (empty, zeros only).

    >>> clean_call_sign("P5-AB "), clean_call_sign("0000000")
    ('P5AB', None)
    """
    text = clean_text(raw)
    if text is None:
        return None
    text = re.sub(r"[^A-Z0-9]", "", text)
    return text if text.strip("0") and text not in _SAYS_NOTHING else None


@cache
def _ship_type_groups() -> Mapping[int, tuple[str, str]]:
    table: dict[int, tuple[str, str]] = {}
    for row in _read_table("ship_types.csv"):
        low, _, high = row["code"].partition("-")
        for code in range(int(low), int(high or low) + 1):
            table[code] = (row["label"], row["group"])
    return MappingProxyType(table)


_AVIS_GROUPS: Final[Mapping[int, str]] = MappingProxyType(
    {
        **dict.fromkeys((1001, 1002), "fishing"),
        **dict.fromkeys((1003, 1004, 1016), "cargo"),
        **dict.fromkeys((1012, 1013, 1014, 1015), "passenger"),
        1017: "tanker",
        1018: "reserved",
        1019: "pleasure",
        1020: "work",
        1021: "military",
        1022: "other",
        1023: "tug",
        1024: "tanker",
        1025: "tug",
    }
)
"""US Coast Guard AVIS codes in older MarineCadastre files (NOAA vessel type groups, 2018)."""


def ship_type_label(code: int) -> str:
    """The standard's words for a ship-type code."""
    return _ship_type_groups().get(code, ("ship type " + str(code), ""))[0]


def ship_type_group(code: int | None) -> str:
    """The class of ship: cargo, tanker, fishing, passenger, tug, pleasure, ... or `unknown`.

    >>> ship_type_group(83), ship_type_group(30), ship_type_group(1025), ship_type_group(None)
    ('tanker', 'fishing', 'tug', 'unknown')
    """
    if code is None:
        return "unknown"
    group = _AVIS_GROUPS.get(code) or _ship_type_groups().get(code, ("", "unknown"))[1]
    return "unknown" if group == "reserved" else group
