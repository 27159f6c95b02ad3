"""Who writes which columns: every provider's layout as data, and the choice of one for a file's header.

Takes column names; gives the `Dialect` that they tell: which names it uses, its units, zone and order of the day.
Which column of a file holds which field is left to `vessels.layouts`. Sources of the layouts: docs/dialects.md.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from vessels.errors import UsageError

ESSENTIAL: Final = ("mmsi", "timestamp", "lat", "lon")
CANONICAL: Final = (
    *ESSENTIAL,
    *("sog", "cog", "heading", "nav_status", "draught", "imo", "name", "call_sign", "ship_type"),
    *("length_m", "beam_m", "destination", "transceiver"),
)
"""The names a column mapping may give, and the columns of canonical Parquet."""
REFERENCE_POINT: Final = ("to_bow", "to_stern", "to_port", "to_starboard")
"""Distances A, B, C, D from the antenna; length is A + B and beam C + D."""
HELPERS: Final = (*REFERENCE_POINT, "message_type", "mobile_type", "millisecond", "geometry")
"""Columns that are read to fill or judge the canonical ones."""
FIELDS: Final = (*CANONICAL, *HELPERS)

_UNIT_WORDS: Final = frozenset(
    {"deg", "degree", "degrees", "kn", "kt", "kts", "knot", "knots", "m", "metres", "meters"}
)
_ZONE_WORDS: Final = frozenset({"utc", "gmt"})
_NOT_A_WORD: Final = re.compile(r"[^0-9a-z]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def squeezed(name: str) -> str:
    """A column name without case, byte-order mark, leading `#`, blanks and separators.

    >>> squeezed("# Timestamp"), squeezed("base_date_time"), squeezed("BaseDateTime")
    ('timestamp', 'basedatetime', 'basedatetime')
    """
    return _NOT_A_WORD.sub("", name.lower())


def bare(name: str) -> str:
    """A squeezed column name without the word that states its unit or zone.

    >>> bare("Latitude_degrees"), bare("SOG_knots"), bare("length_m"), bare("time (UTC)")
    ('latitude', 'sog', 'length', 'time')
    """
    words = [word for word in _NOT_A_WORD.split(_CAMEL.sub("_", name).lower()) if word]
    while len(words) > 1 and words[-1] in _UNIT_WORDS | _ZONE_WORDS:
        words.pop()
    return "".join(words)


def names_utc(name: str) -> bool:
    """Whether a time column's own name says that it is UTC.

    >>> names_utc("date_time_utc"), names_utc("BaseDateTime")
    (True, False)
    """
    return bool(_ZONE_WORDS & set(_NOT_A_WORD.split(_CAMEL.sub("_", name).lower())))


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's way of writing AIS.

    `marks`: sets of squeezed column names, any one of which tells the dialect. `columns`: squeezed names by field,
    best first, where they differ from the common synonyms; a field named here takes no synonym. `divide`: what a
    field's numbers are to be divided by. `says_nothing`: texts that mean "not available", in lower case.
    """

    name: str
    meaning: str
    marks: tuple[frozenset[str], ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    divide: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    naive_is_utc: bool = True
    day_first: bool = False
    static_only: bool = False
    says_nothing: frozenset[str] = frozenset()
    not_vessels_by_status: frozenset[int] = frozenset()
    in_ais_units: str | None = None
    """Name of the dialect to take instead when most latitudes are out of range: the same columns in AIS units."""


SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "mmsi": ("mmsi", "ssvid", "mmsinumber", "mmsino", "shipmmsi", "vesselmmsi", "usermmsi", "sourcemmsi"),
        "timestamp": (
            *("timestamp", "time", "datetime", "basedatetime", "msgtime", "messagetime", "positiontime", "reporttime"),
            *(
                "postime",
                "timeposition",
                "receivedat",
                "receivedtime",
                "timestampposition",
                "unixtime",
                "unixtimestamp",
            ),
            *("epoch", "epochtime", "ts", "t", "dtpos", "date"),
        ),
        "lat": ("lat", "latitude", "poslat", "positionlat", "latdd", "latitudedd"),
        "lon": ("lon", "longitude", "long", "lng", "poslon", "positionlon", "londd", "longitudedd"),
        "sog": ("sog", "speed", "speedoverground"),
        "cog": ("cog", "course", "courseoverground"),
        "heading": ("heading", "trueheading", "hdg"),
        "nav_status": ("navstatus", "navigationalstatus", "navigationstatus", "navstat", "status", "statuscode"),
        "draught": ("draught", "draft", "shipdraught", "vesseldraught", "vesseldraft", "maxdraught"),
        "imo": ("imo", "imonumber", "imono", "shipimo", "vesselimo"),
        "name": ("name", "shipname", "vesselname"),
        "call_sign": ("callsign", "shipcallsign", "vesselcallsign"),
        "ship_type": (
            *("shiptype", "vesseltype", "shipandcargotype", "shipcargotype", "shiptypecode", "vesseltypecode"),
            *("aisshiptype", "shiptypetext", "type"),
        ),
        "length_m": ("length", "shiplength", "vessellength", "loa", "lengthoverall"),
        "beam_m": ("beam", "width", "breadth", "shipwidth", "vesselwidth", "shipbeam"),
        "destination": ("destination", "dest", "aisdestination"),
        "transceiver": ("transceiver", "transceiverclass", "aisclass", "class", "transpondertype"),
        "to_bow": ("tobow", "dimensiontobow", "dimtobow", "a", "dima", "refa", "dimensiona", "referencepointa"),
        "to_stern": ("tostern", "dimensiontostern", "dimtostern", "b", "dimb", "refb", "dimensionb", "referencepointb"),
        "to_port": ("toport", "dimensiontoport", "dimtoport", "c", "dimc", "refc", "dimensionc", "referencepointc"),
        "to_starboard": (
            *("tostarboard", "dimensiontostarboard", "dimtostarboard", "d", "dimd", "refd"),
            *("dimensiond", "referencepointd"),
        ),
        "message_type": ("msgtype", "messagetype", "messageid", "messagenr", "messageno", "msgid", "messagetypeid"),
        "mobile_type": ("typeofmobile",),
        "millisecond": (),
        "geometry": ("geometry", "geom", "wkbgeometry", "wkb"),
    }
)
"""Our own names and what else they are commonly called, bare, best first."""


def _marks(*alternatives: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(names.split()) for names in alternatives)


_AISHUB_AXES: Final = MappingProxyType({"timestamp": ("time",)})
WAKEWATCH: Final = Dialect(
    "wakewatch",
    "our own column names and their common synonyms; times must say their zone",
    naive_is_utc=False,
)
NMEA: Final = Dialect("nmea", "NMEA 0183 sentences (!AIVDM, !BSVDM, !ABVDM) with tag blocks or appended unix time")

DIALECTS: Final[tuple[Dialect, ...]] = (
    Dialect(
        "dma",
        "Danish Maritime Authority, aisdk-*.csv: day first, UTC, words for codes",
        marks=_marks("timestamp typeofmobile"),
        columns=MappingProxyType({"ship_type": ("shiptype",)}),
        day_first=True,
        says_nothing=frozenset({"unknown", "undefined", "unknown value"}),
    ),
    Dialect(
        "marinecadastre",
        "MarineCadastre (USCG and NOAA), csv, csv2 and GeoParquet: UTC without a zone",
        marks=_marks("basedatetime"),
        columns=MappingProxyType({"timestamp": ("basedatetime",)}),
    ),
    Dialect(
        "kystverket",
        "Kystverket (Norwegian Coastal Administration), HAIS extracts and older CSV",
        marks=_marks("datetimeutc trueheading"),
        columns=MappingProxyType(
            {
                "timestamp": ("datetime",),
                "heading": ("trueheading",),
                "message_type": ("msgtype", "messagenr"),
            }
        ),
    ),
    Dialect(
        "barentswatch",
        "BarentsWatch (Norway), records in a table: ISO time with offset",
        marks=_marks("msgtime courseoverground", "msgtime trueheading"),
        columns=MappingProxyType({"timestamp": ("msgtime",)}),
    ),
    Dialect(
        "digitraffic_vessels",
        "Digitraffic (Finland), vessel metadata: epoch ms, draught in tenths of a metre, no positions",
        marks=_marks("mmsi postype referencepointa", "mmsi postype refa", "mmsi callsign referencepointa"),
        columns=MappingProxyType({"timestamp": ("timestamp",), "ship_type": ("shiptype", "type")}),
        divide=MappingProxyType({"draught": 10.0}),
        static_only=True,
    ),
    Dialect(
        "digitraffic",
        "Digitraffic (Finland), locations: the time is timestampExternal (epoch ms) or time (epoch s)",
        marks=_marks("timestampexternal", "navstat posacc"),
        columns=MappingProxyType({"timestamp": ("timestampexternal", "time")}),
        divide=MappingProxyType({"draught": 10.0}),
    ),
    Dialect(
        "spire",
        "Spire standard extract: ISO time with Z, position and static messages interleaved",
        marks=_marks("createdat msgtype latitude"),
        columns=MappingProxyType({"timestamp": ("timestamp", "createdat"), "message_type": ("msgtype",)}),
    ),
    Dialect(
        "marinetraffic",
        "MarineTraffic or Kpler exportvessels: SPEED in tenths of a knot, DRAUGHT in tenths of a metre",
        marks=_marks("shipid dsrc"),
        columns=MappingProxyType({"timestamp": ("timestamp",), "ship_type": ("shiptype",)}),
        divide=MappingProxyType({"sog": 10.0, "draught": 10.0}),
        not_vessels_by_status=frozenset({97}),
    ),
    Dialect(
        "gfw",
        "Global Fishing Watch messages: ssvid is the MMSI as text, type is AIS.1 and so on",
        marks=_marks("ssvid segid"),
        columns=MappingProxyType(
            {
                "mmsi": ("ssvid",),
                "timestamp": ("timestamp",),
                "message_type": ("type",),
                "ship_type": ("shiptype", "shiptypetext"),
            }
        ),
    ),
    Dialect(
        "exactearth",
        "exactEarth CSV: YYYYMMDD_HHMMSS, position and static messages interleaved, draught in tenths of a metre",
        marks=_marks("messageid repeatindicator time"),
        columns=MappingProxyType(
            {
                "timestamp": ("time",),
                "message_type": ("messageid",),
                "millisecond": ("millisecond",),
                "name": ("vesselname",),
            }
        ),
        divide=MappingProxyType({"draught": 10.0}),
        says_nothing=frozenset({"none"}),
    ),
    Dialect(
        "aishub",
        "AISHub human-readable (format 1): time with GMT",
        marks=_marks("navstat time a b c d", "navstat time longitude latitude"),
        columns=_AISHUB_AXES,
        in_ais_units="aishub_raw",
    ),
    Dialect(
        "aishub_raw",
        "AISHub in AIS units (format 0): unix time, degrees x 600000, tenths of knots, degrees and metres",
        columns=_AISHUB_AXES,
        divide=MappingProxyType({"lat": 600_000.0, "lon": 600_000.0, "sog": 10.0, "cog": 10.0, "draught": 10.0}),
    ),
    Dialect(
        "vesselfinder",
        "VT Explorer or VesselFinder: as AISHub, with COURSE, SPEED and TIMESTAMP",
        marks=_marks("navstat timestamp a b c d"),
        columns=MappingProxyType({"timestamp": ("timestamp",)}),
    ),
    NMEA,
    WAKEWATCH,
)
"""All dialects in the order they are tried; the last takes what no other knows by its marks."""


def dialect_named(name: str) -> Dialect:
    """The dialect of that name; raises UsageError listing those there are."""
    for dialect in DIALECTS:
        if dialect.name == name:
            return dialect
    known = ", ".join(dialect.name for dialect in DIALECTS)
    raise UsageError(f"no dialect is called {name!r}; there are {known}")


def recognise(names: Sequence[str]) -> Dialect:
    """The dialect that a file's column names tell; `WAKEWATCH` when none does.

    >>> recognise(["MMSI", "BaseDateTime", "LAT", "LON"]).name, recognise(["mmsi", "time", "lat", "lon"]).name
    ('marinecadastre', 'wakewatch')
    """
    present = {squeezed(name) for name in names}
    for dialect in DIALECTS:
        if any(mark <= present for mark in dialect.marks):
            return dialect
    return WAKEWATCH


def looks_like_header(names: Sequence[str], mapped: Set[str] = frozenset()) -> bool:
    """Whether a line that begins with `#` names columns: one of them is an MMSI's, or a mapping's.

    >>> looks_like_header(["# Timestamp", "MMSI"]), looks_like_header(["# made", " by hand"])
    (True, False)
    """
    own = {squeezed(name) for name in mapped if name}
    return any(bare(name) in SYNONYMS["mmsi"] or squeezed(name) in own for name in names)
