"""The frame of a local chart: which piece of sea is shown, and where a position lies on it.

Takes positions in degrees and the size of the picture; gives a Mercator `Frame` around them, its scale and its grid.
±180° is an ordinary place: longitudes are laid on the side of it that is nearest to the middle of the frame.
Drawing is left to the pictures.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import wrap_degrees
from vessels.units import MEAN_EARTH_RADIUS_NMI

FloatArray = npt.NDArray[np.float64]

POLE_DEG: Final = 85.0
"""Mercator's charts end here; the sphere's poles lie at infinity. AIS ships are not heard beyond."""
NMI_PER_DEGREE: Final = MEAN_EARTH_RADIUS_NMI * np.pi / 180.0
LEAST_NMI: Final = 40.0
"""No frame is lower: the packaged coast is 1:10,000,000, true to about a quarter mile, 3 pixels of such a frame."""
ROUND_SIZES: Final = (1.0, 2.0, 5.0)
GRID_STEPS_DEG: Final = (1 / 12, 1 / 6, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Steps between lines of the grid that a chart has: 5, 10, 15 and 30 minutes, then whole degrees."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A window on the Mercator plane: its middle, its size in pixels, and pixels to the degree of longitude."""

    lon: float
    stretched: float
    px_per_deg: float
    width: float
    height: float

    @property
    def west(self) -> float:
        """Longitude of the left edge; with `east` it may run past ±180°."""
        return self.lon - self.width / 2.0 / self.px_per_deg

    @property
    def east(self) -> float:
        """Longitude of the right edge."""
        return self.lon + self.width / 2.0 / self.px_per_deg

    @property
    def south(self) -> float:
        """Latitude of the lower edge."""
        return float(latitudes(self.stretched - self.height / 2.0 / self.px_per_deg))

    @property
    def north(self) -> float:
        """Latitude of the upper edge."""
        return float(latitudes(self.stretched + self.height / 2.0 / self.px_per_deg))

    @property
    def nmi_per_px(self) -> float:
        """Nautical miles to the pixel in the middle of the frame."""
        return float(NMI_PER_DEGREE * np.cos(np.radians(latitudes(self.stretched))) / self.px_per_deg)

    def placed(self, lon: npt.ArrayLike) -> FloatArray:
        """Longitudes on the side of ±180° that is nearest to the middle of the frame."""
        return self.lon + wrap_degrees(np.asarray(lon, dtype=np.float64) - self.lon)

    def x(self, lon: npt.ArrayLike) -> FloatArray:
        """Pixels from the left edge, of longitudes that are placed already."""
        return (np.asarray(lon, dtype=np.float64) - self.lon) * self.px_per_deg + self.width / 2.0

    def y(self, lat: npt.ArrayLike) -> FloatArray:
        """Pixels from the upper edge."""
        return (self.stretched - stretched_latitudes(lat)) * self.px_per_deg + self.height / 2.0

    def xy(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Pixels of positions, each on its nearest side."""
        return self.x(self.placed(lon)), self.y(lat)

    def grown(self, share: float) -> "Frame":
        """The same chart with so much more of it on each side, as a share of its size; pixels stay where they are."""
        return Frame(
            self.lon,
            self.stretched,
            self.px_per_deg,
            self.width * (1.0 + 2.0 * share),
            self.height * (1.0 + 2.0 * share),
        )


def stretched_latitudes(lat: npt.ArrayLike) -> FloatArray:
    """Latitudes as Mercator stretches them, in degrees of longitude at the equator; held within ±85°.

    >>> stretched_latitudes([0.0, 60.0]).round(3).tolist()
    [0.0, 75.456]
    """
    phi = np.radians(np.clip(np.asarray(lat, dtype=np.float64), -POLE_DEG, POLE_DEG))
    stretched: FloatArray = np.degrees(np.arcsinh(np.tan(phi)))
    return stretched


def latitudes(stretched: npt.ArrayLike) -> FloatArray:
    """The latitudes that were stretched so."""
    unstretched: FloatArray = np.degrees(np.arctan(np.sinh(np.radians(np.asarray(stretched, dtype=np.float64)))))
    return unstretched


def span_of(lon: npt.ArrayLike) -> tuple[float, float]:
    """Western and eastern end of the shortest arc that holds all these longitudes; the eastern may run past 180°.

    >>> span_of([179.0, -178.0, 178.5])
    (178.5, 182.0)
    """
    around = np.unique(wrap_degrees(np.asarray(lon, dtype=np.float64)))
    free = np.diff(np.append(around, around[0] + 360.0))
    widest = int(np.argmax(free))
    west = float(around[(widest + 1) % len(around)])
    return west, west + 360.0 - float(free[widest])


def frame_of(lat: npt.ArrayLike, lon: npt.ArrayLike, *, width: float, height: float, margin_px: float = 44.0) -> Frame:
    """The frame that shows all these positions with a margin, and never less than 40 nautical miles of sea.

    Positions that are not numbers, or beyond a pole, are passed over; of none at all the frame is the world.
    """
    lat, lon = np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64)
    known = np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= 90.0)
    if not known.any():
        return Frame(0.0, 0.0, width / 360.0, width, height)
    up = stretched_latitudes(lat[known])
    low, high = float(up.min()), float(up.max())
    west, east = span_of(lon[known])
    middle = (low + high) / 2.0
    closest = min(width, height) / (LEAST_NMI / (NMI_PER_DEGREE * float(np.cos(np.radians(latitudes(middle))))))
    across = (width - 2.0 * margin_px) / max(east - west, 1e-9)
    upward = (height - 2.0 * margin_px) / max(high - low, 1e-9)
    scale = max(min(closest, across, upward), width / 360.0)
    return Frame(float(wrap_degrees((west + east) / 2.0)), middle, scale, width, height)


def round_size(at_most: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is no more.

    >>> round_size(0.37), round_size(730.0)
    (0.2, 500.0)
    """
    power = 10.0 ** np.floor(np.log10(at_most))
    best = power * max(size for size in ROUND_SIZES if size * power <= at_most * (1.0 + 1e-9))
    return float(f"{best:.3g}")


def grid_step(frame: Frame, spacing_px: float = 110.0) -> float:
    """Degrees between lines of the grid so that they lie about this far apart."""
    return next((step for step in GRID_STEPS_DEG if step * frame.px_per_deg >= spacing_px), GRID_STEPS_DEG[-1])


def multiples(step: float, low: float, high: float) -> FloatArray:
    """The multiples of a step between two numbers."""
    return np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1.0) * step


def degrees_text(value: float, letters: str) -> str:
    """A latitude or longitude as on a chart's edge; `letters` are those of the positive and the negative side.

    >>> degrees_text(-38.5, "NS"), degrees_text(190.0, "EW"), degrees_text(0.0, "NS")
    ('38°30′S', '170°W', '0°')
    """
    value = float(wrap_degrees(value)) if letters == "EW" else value
    degrees, minutes = divmod(round(abs(value) * 60.0), 60)
    if (not degrees and not minutes) or (letters == "EW" and degrees == 180):
        return f"{degrees}°"
    return f"{degrees}°{f'{minutes:02d}′' if minutes else ''}{letters[0] if value > 0 else letters[1]}"
