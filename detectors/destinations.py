"""What a ship says of where she is bound: the AIS destination text, read as a port or a country.

Takes the text and a gazetteer built from the zones; gives the place read and how, or None. It judges nothing: whether
the text was stale, or the ship went elsewhere, is left to the detectors. It would rather read nothing than misread.
Sources: IMO SN.1/Circ.244 (`XX XXX>YY YYY`, UN/LOCODE, "to" after ">"); UN/LOCODE and names of the ports table.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz.distance import OSA

from vessels.ais import clean_text, state_names
from vessels.zones import Zones

ReadAs = Literal["UN/LOCODE", "name", "short code", "country of UN/LOCODE", "country name", "name with a typing error"]


@dataclass(frozen=True, slots=True)
class Place:
    """A port of the zones, or (zone_id None) only a country, ISO 3166."""

    zone_id: str | None
    country: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What a destination text names: the place bound for, how it was read, and other places the text names.

    `text` is the part of the text that was read. `also` holds the rest: the port left in `A>B`, the other end of
    `A-B` or `A/B`. A ship that calls at one of them does not contradict her text.
    """

    place: Place
    read_as: ReadAs
    text: str
    also: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Gazetteer:
    """Codes and squashed names by which the ports of the zones are known, and squashed names of states."""

    codes: Mapping[str, Place]
    short_codes: Mapping[str, Place]
    names: Mapping[str, Place]
    countries: Mapping[str, str]


COUNTRY_ALIASES: Final[Mapping[str, str]] = {
    "RUSSIA": "RU", "CHINA": "CN", "PRCHINA": "CN", "PRC": "CN", "ROK": "KR", "SKOREA": "KR", "RKOREA": "KR",
    "ROKOREA": "KR", "KOREAREPUBLIC": "KR", "REPUBLICOFKOREA": "KR", "KOREASOUTH": "KR", "DPRK": "KP", "DPRKOREA": "KP",
    "NKOREA": "KP", "KOREANORTH": "KP", "VIETNAM": "VN", "TAIWANROC": "TW", "PHILIPPINE": "PH", "USA": "US",
    "UNITEDSTATES": "US", "UK": "GB", "ENGLAND": "GB", "HOLLAND": "NL", "THENETHERLANDS": "NL", "UAE": "AE",
    "TURKEY": "TR", "BURMA": "MM", "BRUNEI": "BN", "CHN": "CN", "KOR": "KR", "PRK": "KP", "JPN": "JP", "RUS": "RU",
    "TWN": "TW", "VNM": "VN", "HKG": "HK", "SGP": "SG", "IDN": "ID", "MYS": "MY", "THA": "TH", "PHL": "PH",
}  # fmt: skip
"""Country names as crews write them, squashed, and ISO 3166-1 alpha-3 codes of the region. KOREA alone is neither."""

SPELLINGS: Final[Mapping[str, str]] = {
    "TIANJIN": "CN_TIANJIN", "XINGANG": "CN_TIANJIN", "DAGUKOU": "CN_TIANJIN", "INCHON": "KR_INCHEON",
    "INCHEONGANG": "KR_INCHEON", "YOSU": "KR_YEOSU", "BUSANNEWPORT": "KR_BUSAN", "PUSANNEWPORT": "KR_BUSAN",
    "NAHODKA": "RU_NAKHODKA", "VOSTOCHNIY": "RU_VOSTOCHNY", "VOSTOCHNIJ": "RU_VOSTOCHNY", "VLADIK": "RU_VLADIVOSTOK",
    "HOLMSK": "RU_KHOLMSK", "POSJET": "RU_POSYET", "TAKAO": "TW_KAOHSIUNG", "CHILUNG": "TW_KEELUNG",
    "HALONGBAY": "VN_HON_GAI", "QUANGNINH": "VN_HON_GAI",
}  # fmt: skip
"""Other romanisations of ports of the ports table (UN/LOCODE alternative names; Pub. 150, World Port Index)."""

_ALSO_WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {"KOREA": ("KR", "KP"), "CHINA": ("HK", "MO", "TW")}
"""Names too wide to tell a country by, but no contradiction beside a port's name."""
_NAMED_KINDS: Final = frozenset({"port", "anchorage"})
"""A ship is bound for a port, or for an anchorage that has a code or a name of its own (an alternative name)."""
_NOT_NAMES: Final = ("ANCHORAGE", "ANCHORAGES", "WATERS", "ROADS")
_UNINFORMATIVE: Final = frozenset({
    "ORDER", "ORDERS", "FISHING", "FISH", "DRIFT", "DRIFTING", "CRUISING", "CRUISE", "TRIAL", "TRIALS", "TEST",
    "SURVEY", "PATROL", "DREDGING", "SHIFTING", "TBA", "TBC", "TBN", "TBD", "AWAIT", "AWAITING", "WAITING", "STANDBY",
    "REPAIR", "OPEN", "LAID", "LAYUP", "NIL", "ANYWHERE", "SOMEWHERE", "HOME", "UNKNOWN",
})  # fmt: skip
"""A text with one of these words says what she does, or that she does not know: it names no destination."""
_NOISE: Final = frozenset({
    "TO", "FOR", "AT", "OFF", "VIA", "BOUND", "NEXT", "DEST", "DESTINATION", "PORT", "OF", "THE", "NEW", "OLD",
    "ANCH", "ANCHOR", "ANCHORAGE", "ROAD", "ROADS", "RDS", "OPL", "OUTER", "INNER", "BERTH", "TERMINAL", "PILOT",
    "STATION", "P/S", "PS", "PBS", "EBL", "ETA", "ETD", "UTC", "LT", "HRS", "HARBOUR", "HARBOR", "BAY", "SEAPORT",
})  # fmt: skip
_JOINS: Final = re.compile(r"\s*(?:[-=]*>+|=+|»+|→+|\bTO\b)\s*")
_LISTS: Final = re.compile(r"\s*(?:[/&+;|]|-+)\s*")
_LOCODE: Final = re.compile(r"([A-Z]{2})([ .,_-]?)([A-Z2-9]{3})")
_WORD_LIKE: Final = frozenset({
    "AT", "TO", "IN", "IS", "NO", "BY", "SO", "MY", "ME", "BE", "AM", "AS", "DO", "IT", "LA", "ST",
})  # fmt: skip
"""Country codes that are also words: `NO ETA`, `LA PAZ`, `IN PORT`. Alone they need a code the gazetteer knows."""
_NOT_CODES: Final = frozenset({
    "AKITA", "BEPPU", "BREST", "CHIBA", "CHINA", "DAVAO", "DUBAI", "EMDEN", "GENOA", "GHENT", "IMARI", "INDIA",
    "ITALY", "JAPAN", "KOREA", "LAGOS", "MALTA", "MASAN", "MIAMI", "MOKPO", "NAMPO", "NIGER", "OTARU", "PALAU",
    "PARIS", "ROUEN", "SAMOA", "SINES", "SPAIN", "TAEAN", "TOKYO", "TONGA", "VARNA", "SYRIA", "LIBYA", "CHILE",
    "BUSAN", "PUSAN", "ULSAN", "KOCHI",
})  # fmt: skip
"""Five-letter names that have the shape of a UN/LOCODE (`TOKYO` is no port of Tonga)."""
_SHORT_CODE_WORDS: Final = frozenset({
    "CAN", "MAR", "HON", "SON", "FAN", "PEN", "ADA", "MAI", "DAL", "HUN", "NAM", "WON", "GEN", "CHO", "KAN", "WEI",
    "DAG", "SHA",
})  # fmt: skip
"""Last three letters of a UN/LOCODE that are also words or ISO 3166-1 alpha-3 codes: alone they name no port."""
_SHORTEST_FUZZY: Final = 6
_LONG_NAME: Final = 9
"""Names of six letters may hold one slip of the keys, of nine letters two; shorter ones none, and the first letter must
stand. Some pairs of real ports lie as near (Beihai and Weihai, Yantai and Yantian): these rules keep them apart."""


def squash(text: str) -> str:
    """Letters and digits only, accents dropped, upper case: what two spellings of one name share.

    >>> squash("Ta-lien"), squash("Hon Gai")
    ('TALIEN', 'HONGAI')
    """
    plain = unicodedata.normalize("NFKD", text.upper())
    return "".join(c for c in plain if c.isalnum())


def gazetteer_of(zones: Zones) -> Gazetteer:
    """The codes and names of the ports and anchorages among the zones, and the names of all states.

    A code or name that two countries share is left out; one that two ports of a country share gives the country.
    """
    codes: dict[str, set[Place]] = {}
    short_codes: dict[str, set[Place]] = {}
    names: dict[str, set[Place]] = {}
    by_id = {zone.zone_id: zone for zone in zones.zones}
    for zone in zones.zones:
        if zone.country is None or zone.kind not in _NAMED_KINDS:
            continue
        place = Place(zone.zone_id, zone.country)
        for code in zone.unlocodes:
            codes.setdefault(code.upper(), set()).add(place)
            short_codes.setdefault(code.upper()[2:], set()).add(place)
        for name in _names_in(zone.name if zone.kind == "port" else "", zone.alt_names):
            names.setdefault(name, set()).add(place)
    for spelling, zone_id in SPELLINGS.items():
        zone_spelt = by_id.get(zone_id)
        if zone_spelt is not None and zone_spelt.country is not None:
            names.setdefault(spelling, set()).add(Place(zone_id, zone_spelt.country))
    countries = {squash(name): iso2 for iso2, name in state_names().items()}
    countries = {name: iso2 for name, iso2 in countries.items() if name != "CONGO"} | dict(COUNTRY_ALIASES)
    return Gazetteer(
        codes=_single(codes),
        short_codes={
            code: place
            for code, place in _single(short_codes).items()
            if code not in names.keys() | countries.keys() | _NOISE | _UNINFORMATIVE | _SHORT_CODE_WORDS
        },
        names={name: place for name, place in _single(names).items() if countries.get(name) in (None, place.country)},
        countries=countries,
    )


def parse_destination(text: str | None, gazetteer: Gazetteer) -> Declared | None:
    """The place that a destination text names; None if it names none, or more than one reading fits.

    >>> from vessels.zones import Zone, Zones
    >>> from shapely import Point
    >>> codes, names = ("KRPUS",), ("Pusan",)
    >>> busan = Zone("KR_BUSAN", "Busan", "port", "KR", frozenset(), "none", codes, names, 35.1, 129.0, Point())
    >>> gazetteer = gazetteer_of(Zones((busan,)))
    >>> parse_destination("CN DLC>KR PUS", gazetteer).place, parse_destination("FOR ORDERS", gazetteer)
    (Place(zone_id='KR_BUSAN', country='KR'), None)
    """
    cleaned = clean_text(text)
    if cleaned is None or "<" in cleaned:  # `A<>B` is a shuttle: both ways are true
        return None
    words = set(re.split(r"[^A-Z]+", cleaned))
    if words & _UNINFORMATIVE:
        return None
    before_via, *after_via = re.split(r"\bVIA\b", cleaned)
    legs = _JOINS.split(_without_lead(before_via))
    if len(legs) > 1 and not legs[-1]:
        return None  # `KR PUS>`: the port left, and nothing said of the next
    in_arrow = ">" in before_via
    parts = [part for leg in legs for part in _parts(leg, gazetteer, in_arrow)]
    read = [(part, _read(part, gazetteer, in_arrow)) for part in parts]
    last_part, last = read[-1] if read else ("", None)
    if last is None:
        return None
    others = [other[0] for _, other in read[:-1] if other is not None]
    others += [other[0] for part in after_via if (other := _read(part.strip(), gazetteer, False)) is not None]
    place, read_as = last
    also = tuple(dict.fromkeys(other for other in others if other != place))
    return Declared(place, read_as, last_part, also)


def _single(found: Mapping[str, set[Place]]) -> dict[str, Place]:
    """One place a key: the port if there is one, its country if several ports share it, nothing if countries do."""
    single = {}
    for key, places in found.items():
        states = {place.country for place in places}
        if len(places) == 1:
            single[key] = next(iter(places))
        elif len(states) == 1:
            single[key] = Place(None, states.pop())
    return single


def _names_in(name: str, alt_names: Iterable[str]) -> set[str]:
    """Every name in a zone's name and alternatives: whole, before the bracket, and each part of bracket and slash."""
    names = set()
    for text in (name, *alt_names):
        outside, _, inside = text.partition("(")
        parts = (text, outside, inside.rstrip(") "), *re.split(r"[/,]", outside), *re.split(r"[/,)]", inside))
        names |= {squash(part) for part in parts}
    twins = [squash(part) for part in name.partition("(")[0].split("-")]
    if len(twins) == 2 and min(len(twin) for twin in twins) >= _SHORTEST_FUZZY:  # Pyeongtaek-Dangjin
        names.update(twins)
    return {word for word in names if len(word) > 2 and word not in _NOISE and not word.endswith(_NOT_NAMES)}


def _without_lead(text: str) -> str:
    return re.sub(r"^[\s.,:*#-]*(?:(?:BOUND|NEXT PORT|NEXT|DEST\w*|PORT OF|FOR|TO)\b[\s:.-]*)*", "", text)


def _parts(leg: str, gazetteer: Gazetteer, in_arrow: bool) -> list[str]:
    """A leg as one place if it reads as one, else split where `A-B` and `A/B` do."""
    leg = leg.strip(" .,:*!?")
    if not leg or _read(leg, gazetteer, in_arrow) is not None:
        return [leg] if leg else []
    return [part for part in _LISTS.split(leg) if part and squash(part)] or [leg]


def _read(part: str, gazetteer: Gazetteer, in_arrow: bool) -> tuple[Place, ReadAs] | None:
    """One place name or code; the first reading that fits wins, from the surest to the least sure."""
    part = part.strip(" .,:*!?()")
    squashed = squash(part)
    if squashed in gazetteer.names:
        return gazetteer.names[squashed], "name"
    if squashed in gazetteer.countries:
        return Place(None, gazetteer.countries[squashed]), "country name"
    return _read_code(part, gazetteer, in_arrow) or _read_words(part, gazetteer) or _read_typo(squashed, gazetteer)


def _read_code(part: str, gazetteer: Gazetteer, in_arrow: bool) -> tuple[Place, ReadAs] | None:
    """`KR PUS`, `KRPUS`, `KR PUS ETA 1200`. An unknown code gives its country where it is plainly meant as a code."""
    tokens = part.split()
    for n_tokens in (2, 1):
        match = _LOCODE.fullmatch(" ".join(tokens[:n_tokens])) if len(tokens) >= n_tokens else None
        if match is None:
            continue
        state, gap, location = match.groups()
        rest = [word for word in tokens[n_tokens:] if not _is_noise(word)]
        if (state + location in _NOT_CODES and not gap) or any(_names_something(word, gazetteer) for word in rest):
            continue
        if (known := gazetteer.codes.get(state + location)) is not None:
            return known, "UN/LOCODE"
        meant_as_code = (bool(gap) and all(len(word) <= 3 for word in rest)) or (in_arrow and not rest)
        word_like = location in _NOISE | _UNINFORMATIVE | {"SEA"} or (state in _WORD_LIKE and not in_arrow)
        if meant_as_code and not word_like and state in state_names():
            return Place(None, state), "country of UN/LOCODE"
    if part in gazetteer.short_codes:
        return gazetteer.short_codes[part], "short code"
    return None


def _read_words(part: str, gazetteer: Gazetteer) -> tuple[Place, ReadAs] | None:
    """`DALIAN CHINA`, `CHINA DALIAN`, `BUSAN ANCH ETA 1200`: one name, a country that agrees, and noise."""
    words = [word for word in re.split(r"[\s,.:()]+", part) if word and not _is_noise(word)]
    for cut in range(len(words), 0, -1):
        front, back = squash("".join(words[:cut])), squash("".join(words[cut:]))
        for name, rest in ((front, back), (back, front)):
            place = gazetteer.names.get(name)
            if place is not None and _agrees(rest, place.country, gazetteer):
                return place, "name"
        if not back and front in gazetteer.countries:
            return Place(None, gazetteer.countries[front]), "country name"
    return None


def _read_typo(squashed: str, gazetteer: Gazetteer) -> tuple[Place, ReadAs] | None:
    """A long name with a slip of the keys, if no other place's name lies as near."""
    if len(squashed) < _SHORTEST_FUZZY or not squashed.isalpha():
        return None
    allowed = 2 if len(squashed) >= _LONG_NAME else 1
    near: dict[int, set[Place]] = {}
    for name, place in gazetteer.names.items():
        if name[0] != squashed[0] or len(name) < _SHORTEST_FUZZY or abs(len(name) - len(squashed)) > allowed:
            continue
        slips = OSA.distance(name, squashed, score_cutoff=allowed)
        if slips <= allowed:
            near.setdefault(slips, set()).add(place)
    if not near:
        return None
    best = near[min(near)]
    if len({place for places in near.values() for place in places}) > 1 or len(best) != 1:
        return None
    return next(iter(best)), "name with a typing error"


def _is_noise(word: str) -> bool:
    """Words about the berth or the time, and whatever holds a digit (`ETA 10/08`, `0800LT`, `P63`)."""
    return word in _NOISE or not word.isalpha()


def _names_something(word: str, gazetteer: Gazetteer) -> bool:
    return squash(word) in gazetteer.names or word in gazetteer.codes


def _agrees(rest: str, country: str, gazetteer: Gazetteer) -> bool:
    """Whether what stands beside a port's name is nothing, or her own country as somebody there would write it."""
    if rest in ("", country) or gazetteer.countries.get(rest) == country:
        return True
    return country in _ALSO_WRITTEN.get(rest, ())
