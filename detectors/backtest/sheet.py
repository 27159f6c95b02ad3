"""The copy that plants are written into: rows renamed, moved, delayed, put in and taken out.

Takes a `Fleet`, which stays as it is; gives the planted table of canonical rows. A field is rewritten only where the
row said something in it: what a set does not send, a falsified set does not send either.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.backtest.fleet import Fleet, FloatArray, Identity, IntArray
from vessels.canonical import CANONICAL_POSITIONS

WHOLE: Final = ("mmsi", "imo", "name", "call_sign", "ship_type", "length_m", "beam_m")
"""All fields of an identity."""
NO_IMO: Final = "0"
"""What a set without a number sends (ITU-R M.1371-5, message 5: 0 = not available)."""
_TEXTS: Final = ("imo", "name", "call_sign")
_MOTION: Final = ("sog", "cog", "heading", "draught")
_NO_STATUS: Final = -1
"""In the place of a navigational status that was not sent."""
UNDER_WAY, AT_ANCHOR = 0, 1
"""Navigational status, ITU-R M.1371-5, table 45."""
_RESOLUTION: Final = 600_000.0
"""Positions are sent in 1/10 000 minute (ITU-R M.1371-5, message 1)."""

AnyArray = npt.NDArray[Any]


class Reports(NamedTuple):
    """Position reports of one ship in order of time, each array of shape (n,)."""

    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    sog_kn: FloatArray
    cog_deg: FloatArray

    def at(self, which: npt.NDArray[np.bool_]) -> "Reports":
        """Some of them."""
        return Reports(self.time_us[which], self.lat[which], self.lon[which], self.sog_kn[which], self.cog_deg[which])


class Rows(NamedTuple):
    """All rows of a copy, kept or not, those put in behind the fleet's: `source` is the fleet's row each is made of."""

    source: IntArray
    keep: npt.NDArray[np.bool_]
    mmsi: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray

    def at(self, which: IntArray) -> "Rows":
        """Some of them, in this order."""
        columns: list[Any] = [column[which] for column in self]
        return Rows(*columns)


class Sheet:
    """A fleet's rows on the way to being planted. Rows are those of the fleet, by number."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        n = len(fleet.mmsi)
        status = fleet.rows["nav_status"].fill_null(_NO_STATUS).to_numpy()
        self._columns: dict[str, AnyArray] = {
            "source": np.arange(n),
            "keep": np.ones(n, dtype=np.bool_),
            "mmsi": fleet.mmsi.copy(),
            "time_us": fleet.time_us.copy(),
            "lat": fleet.lat.copy(),
            "lon": fleet.lon.copy(),
            "nav_status": status.astype(np.int8),
            "ship_type": fleet.ship_type.copy(),
            "length_m": fleet.length_m.copy(),
            "beam_m": fleet.beam_m.copy(),
            **{name: fleet.rows[name].to_numpy().copy() for name in _MOTION},
            **{name: fleet.texts[name].codes.copy() for name in _TEXTS},
        }
        self._values = {name: list(fleet.texts[name].values) for name in _TEXTS}
        self._put_in: list[dict[str, AnyArray]] = []

    @property
    def mmsi(self) -> IntArray:
        """MMSI of the fleet's rows as planted."""
        return self._columns["mmsi"]

    @property
    def keep(self) -> npt.NDArray[np.bool_]:
        """Which of the fleet's rows are heard."""
        return self._columns["keep"]

    def delete(self, rows: IntArray | npt.NDArray[np.bool_]) -> None:
        """Rows that nobody received."""
        self._columns["keep"][rows] = False

    def rename(self, rows: IntArray, identity: Identity, fields: tuple[str, ...] = WHOLE) -> None:
        """Write some fields of an identity into rows."""
        for name in fields:
            if name == "mmsi":
                self._columns[name][rows] = identity.mmsi
            elif name == "ship_type":
                kinds = self._columns[name]
                kinds[rows[kinds[rows] >= 0]] = identity.ship_type
            elif name in ("length_m", "beam_m"):
                self._resize(name, rows, getattr(identity, name))
            else:
                self.say(rows, name, str(getattr(identity, name)))

    def say(self, rows: IntArray, name: str, text: str) -> None:
        """Write one text (imo, name or call_sign) into the rows that said something there."""
        codes = self._columns[name]
        codes[rows[codes[rows] >= 0]] = len(self._values[name])
        self._values[name].append(text)

    def _resize(self, name: str, rows: IntArray, size_m: float) -> None:
        sizes = self._columns[name]
        if size_m > 0:
            sizes[rows[sizes[rows] > 0]] = size_m

    def move(self, rows: IntArray, lat: FloatArray, lon: FloatArray) -> None:
        """Other positions in rows that hold one; speed and course stay as they were sent."""
        self._columns["lat"][rows], self._columns["lon"][rows] = _as_sent(lat), _as_sent(lon)

    def steer(self, rows: IntArray, sog_kn: FloatArray, cog_deg: FloatArray) -> None:
        """Other speeds and courses in the rows that sent them; the bow points where the ship goes."""
        for name, values in _motion(sog_kn, cog_deg).items():
            column = self._columns[name]
            column[rows] = np.where(np.isnan(column[rows]), np.nan, values)

    def delay(self, rows: IntArray, by_us: int | IntArray) -> None:
        """Rows sent later; those that fall behind the last report of all, or into a silence of the feed, are lost."""
        times = self._columns["time_us"]
        times[rows] += by_us
        lost = (times[rows] > self._fleet.span_us[1]) | self._fleet.is_down(times[rows])
        self._columns["keep"][rows[lost]] = False

    def load(self, rows: IntArray, by_m: float) -> None:
        """A draught that differs by so many metres, in the rows that state one."""
        draught = self._columns["draught"]
        stated = rows[draught[rows] > 0]
        draught[stated] = np.round(draught[stated] + by_m, 1)

    def state_draught(self, rows: IntArray, draught_m: float) -> None:
        """One draught in the rows that state one."""
        draught = self._columns["draught"]
        draught[rows[draught[rows] > 0]] = round(draught_m, 1)

    def put_in(self, sources: IntArray, reports: Reports, nav_status: int | None = None) -> None:
        """Reports that were not there, each with what a row of the ship says besides; lost like those delayed."""
        heard = (reports.time_us <= self._fleet.span_us[1]) & ~self._fleet.is_down(reports.time_us)
        sources, reports = sources[heard], reports.at(heard)
        block = {name: column[sources] for name, column in self._columns.items()}
        block |= {"source": sources, "keep": np.ones(len(sources), dtype=np.bool_), "time_us": reports.time_us}
        block |= {"lat": _as_sent(reports.lat), "lon": _as_sent(reports.lon)}
        for name, values in _motion(reports.sog_kn, reports.cog_deg).items():
            block[name] = np.where(np.isnan(block[name]), np.nan, values).astype(np.float32)
        if nav_status is not None:
            block["nav_status"] = np.where(block["nav_status"] < 0, _NO_STATUS, nav_status).astype(np.int8)
        self._put_in.append(block)

    def rows(self) -> Rows:
        """Where every row of the copy comes from, and what it says of who, when and where."""
        return Rows(*(self._column(name) for name in Rows._fields))

    def _column(self, name: str) -> AnyArray:
        own = self._columns[name]
        return np.concatenate([own, *(block[name] for block in self._put_in)]) if self._put_in else own

    def table(self) -> pa.Table:
        """The planted rows as a table of `CANONICAL_POSITIONS`, in order of time, as a feed would have written them."""
        time_us = self._column("time_us")
        kept = np.flatnonzero(self._column("keep"))
        kept = kept[np.argsort(time_us[kept], kind="stable")]
        rows = self._fleet.rows.take(self._column("source")[kept])
        values = {name: rows[name] for name in CANONICAL_POSITIONS.names}
        values["timestamp"] = pa.array(time_us[kept]).cast(rows.schema.field("timestamp").type)
        for name in ("mmsi", "lat", "lon", "length_m", "beam_m", *_MOTION):
            values[name] = self._column(name)[kept]
        for name in ("ship_type", "nav_status"):
            column = self._column(name)[kept]
            values[name] = pa.array(column, mask=column < 0)
        for name in _TEXTS:
            at = self._column(name)[kept]
            values[name] = pa.array(self._values[name], pa.string()).take(pa.array(at, mask=at < 0))
        return CANONICAL_POSITIONS.build(values)


def _motion(sog_kn: FloatArray, cog_deg: FloatArray) -> dict[str, AnyArray]:
    """Speed to a tenth of a knot, course to a tenth of a degree, heading to a degree, as they are sent."""
    cog = np.round(cog_deg % 360.0, 1) % 360.0
    return {"sog": np.round(np.maximum(sog_kn, 0.0), 1), "cog": cog, "heading": np.round(cog_deg % 360.0) % 360.0}


def _as_sent(degrees: FloatArray) -> FloatArray:
    return np.round(degrees * _RESOLUTION) / _RESOLUTION
