"""Hull links as records: two tracks that may be one hull, how likely that is, and what speaks for and against it.

Takes rows of the `hull_links` table; gives `Link`s with their claims, reasons and rivals, and the words for them. Which
links there are is settled in `vessels`; what a link means is left to the rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from vessels.ais import mmsi_text

LINK_COLUMNS: Final = ("link_id", "from_segment_id", "to_segment_id", "from_mmsi", "to_mmsi", "ended", "began")
"""Columns without which a row is no link."""
_CLAIMED: Final = ("mmsi", "imo", "name", "call_sign", "ship_type", "length_m", "beam_m", "transceiver")
_COUNTS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who one side of a link said it was."""

    mmsi: int
    imo: int | None
    name: str | None
    call_sign: str | None
    ship_type: int | None
    length_m: float | None
    beam_m: float | None
    transceiver: str | None

    @property
    def label(self) -> str:
        """`MIRAE 3 (MMSI 273000001)`, or the number alone."""
        return label(self.name, self.mmsi)


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence of a link; a positive weight speaks for one hull, a negative one against it."""

    what: str
    observed: str
    weight_db: float


@dataclass(frozen=True, slots=True)
class Rival:
    """Another track that one of the two could be linked to as well; `side` says which of the two it could follow."""

    side: str
    mmsi: int
    probability: float

    @property
    def words(self) -> str:
        """Which of the two it stands against."""
        return "could have been the hull before" if self.side == "from" else "could be the hull after"


@dataclass(frozen=True, slots=True)
class Link:
    """Two tracks that may be one hull. Times UTC; `from_silence`, `to_silence` as in the `hull_links` table."""

    link_id: str
    from_segment_id: str
    to_segment_id: str
    before: Claim
    after: Claim
    ended: datetime
    began: datetime
    from_place: tuple[float | None, float | None]
    to_place: tuple[float | None, float | None]
    from_silence: bool
    to_silence: bool
    gap_h: float
    distance_nmi: float | None
    probability: float
    weight_db: float | None
    is_strong: bool
    n_rivals: int
    rivals: tuple[Rival, ...]
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self | None:
        """The record of one row; None where it lacks what makes a link."""
        if any(row[name] is None for name in (*LINK_COLUMNS, "probability")):
            return None
        return cls(
            link_id=row["link_id"],
            from_segment_id=row["from_segment_id"],
            to_segment_id=row["to_segment_id"],
            before=Claim(**{name: row[f"from_{name}"] for name in _CLAIMED}),
            after=Claim(**{name: row[f"to_{name}"] for name in _CLAIMED}),
            ended=row["ended"],
            began=row["began"],
            from_place=(row["from_lat"], row["from_lon"]),
            to_place=(row["to_lat"], row["to_lon"]),
            from_silence=bool(row["from_silence"]),
            to_silence=bool(row["to_silence"]),
            gap_h=(row["began"] - row["ended"]).total_seconds() / 3600.0,
            distance_nmi=row["distance_nmi"],
            probability=min(max(row["probability"], 0.0), 1.0),
            weight_db=row["weight_db"],
            is_strong=bool(row["is_strong"]),
            n_rivals=row["n_rivals"] or 0,
            rivals=tuple(
                Rival(rival["side"] or "", rival["mmsi"], rival["probability"] or 0.0)
                for rival in row["rivals"] or ()
                if rival["mmsi"] is not None
            ),
            reasons=tuple(
                Reason(reason["what"] or "", reason["observed"] or "", reason["weight_db"] or 0.0)
                for reason in row["evidence"] or ()
            ),
        )

    @property
    def implied_speed_kn(self) -> float | None:
        """Speed from the last report before to the first after; None where it cannot be known."""
        if self.distance_nmi is None or self.gap_h <= 0.0:
            return None
        return self.distance_nmi / self.gap_h

    @property
    def in_words(self) -> str:
        """`link 0.86, two rivals`; a weak one is called possible."""
        return link_in_words(self.probability, self.is_strong, self.n_rivals)

    @property
    def sailed_in_words(self) -> str:
        """`41.5 h, 12.3 nmi, 0.3 kn`: time, distance and speed between the two."""
        parts = [f"{self.gap_h:.1f} h"]
        if self.distance_nmi is not None:
            parts.append(f"{self.distance_nmi:.1f} nmi")
        if self.implied_speed_kn is not None:
            parts.append(f"{self.implied_speed_kn:.1f} kn")
        return ", ".join(parts)


def links_of(rows: Iterable[Mapping[str, Any]]) -> list[Link]:
    """The rows that are links, in order of time."""
    links = [link for row in rows if (link := Link.of(row)) is not None]
    return sorted(links, key=lambda link: (link.began, link.ended, link.link_id))


def link_in_words(probability: float, is_strong: bool, n_rivals: int) -> str:
    """How sure a link is, as headlines say it.

    >>> link_in_words(0.861, True, 2), link_in_words(0.4, False, 0), link_in_words(0.999, True, 1)
    ('link 0.86, two rivals', 'possible link 0.40, no rivals', 'link over 0.99, one rival')
    """
    return f"{'' if is_strong else 'possible '}link {sure(probability)}, {counted(n_rivals, 'rival')}"


def sure(probability: float) -> str:
    """A probability to two places; what would be rounded to 1 is over 0.99, because no link is certain."""
    return "over 0.99" if probability >= 0.995 else f"{probability:.2f}"


def counted(n: int, what: str, several: str = "") -> str:
    """A number of things in words up to ten.

    >>> counted(1, "rival"), counted(12, "day"), counted(2, "identity", "identities")
    ('one rival', '12 days', 'two identities')
    """
    return f"{_COUNTS[n] if n < len(_COUNTS) else n} {what if n == 1 else several or f'{what}s'}"


def label(name: str | None, mmsi: int) -> str:
    """A ship as headlines call it.

    >>> label("MIRAE 3", 273000001), label(None, 273000001)
    ('MIRAE 3 (MMSI 273000001)', 'MMSI 273000001')
    """
    return f"{name} (MMSI {mmsi_text(mmsi)})" if name else f"MMSI {mmsi_text(mmsi)}"
