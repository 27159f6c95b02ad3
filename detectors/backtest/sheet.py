"""The copy that plants are written into: rows renamed, fields rewritten, reports taken out.

Takes a `Fleet`, which stays as it is; gives the planted table of canonical rows. A field is rewritten only where the
row said something in it: what a set does not send, a falsified set does not send either.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.backtest.fleet import Fleet, FloatArray, Identity, IntArray
from vessels.canonical import CANONICAL_POSITIONS

WHOLE: Final = ("mmsi", "imo", "name", "call_sign", "ship_type", "length_m", "beam_m")
"""All fields of an identity."""
NO_IMO: Final = "0"
"""What a set without a number sends (ITU-R M.1371-5, message 5: 0 = not available)."""


class Sheet:
    """A fleet's rows on the way to being planted. Rows are those of the fleet, by number."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.mmsi = fleet.mmsi.copy()
        self.keep = np.ones(len(self.mmsi), dtype=np.bool_)
        self._codes = {name: texts.codes.copy() for name, texts in fleet.texts.items()}
        self._values = {name: list(texts.values) for name, texts in fleet.texts.items()}
        self._ship_type = fleet.ship_type.copy()
        self._sizes = {"length_m": fleet.length_m.copy(), "beam_m": fleet.beam_m.copy()}

    def delete(self, rows: IntArray | npt.NDArray[np.bool_]) -> None:
        """Rows that nobody received."""
        self.keep[rows] = False

    def rename(self, rows: IntArray, identity: Identity, fields: tuple[str, ...] = WHOLE) -> None:
        """Write some fields of an identity into rows."""
        for name in fields:
            if name == "mmsi":
                self.mmsi[rows] = identity.mmsi
            elif name == "ship_type":
                self._ship_type[rows[self._ship_type[rows] >= 0]] = identity.ship_type
            elif name in self._sizes:
                self._resize(name, rows, getattr(identity, name))
            else:
                self.say(rows, name, str(getattr(identity, name)))

    def say(self, rows: IntArray, name: str, text: str) -> None:
        """Write one text (imo, name or call_sign) into the rows that said something there."""
        codes = self._codes[name]
        codes[rows[codes[rows] >= 0]] = len(self._values[name])
        self._values[name].append(text)

    def _resize(self, name: str, rows: IntArray, size_m: float) -> None:
        sizes: FloatArray = self._sizes[name]
        if size_m > 0:
            sizes[rows[sizes[rows] > 0]] = size_m

    def table(self) -> pa.Table:
        """The planted rows as a table of `CANONICAL_POSITIONS`, in order of time, as a feed would have written them."""
        kept = np.flatnonzero(self.keep)
        kept = kept[np.argsort(self._fleet.time_us[kept], kind="stable")]
        rows = self._fleet.rows.take(kept)
        values = {name: rows[name] for name in CANONICAL_POSITIONS.names}
        values["mmsi"] = pa.array(self.mmsi[kept])
        kind = self._ship_type[kept]
        values["ship_type"] = pa.array(kind, mask=kind < 0)
        for name, codes in self._codes.items():
            at = codes[kept]
            values[name] = pa.array(self._values[name], pa.string()).take(pa.array(at, mask=at < 0))
        for name, sizes in self._sizes.items():
            values[name] = sizes[kept]
        return CANONICAL_POSITIONS.build(values)
