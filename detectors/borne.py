"""An identity that a hull bore, or may have borne, with the calls made under it; and the words for both.

Small records that tables, reports and people share. Which identities a hull bore is found by `detectors.chains`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from detectors.links import link_in_words
from vessels.ais import mmsi_text

LEVELS: Final = {"high": 0, "elevated": 1}
"""Levels under watch, the higher first."""
ONE_STAY: Final = timedelta(hours=12)
"""Visits this near in time are one stay, as at a port and in its roads."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call at a port or anchorage: a stop or a silence inside; `end` is None where no leaving was seen.

    `last_seen` is the last report inside; None in what earlier versions wrote.
    """

    zone_id: str
    zone_name: str
    watch: str
    start: datetime
    end: datetime | None
    last_seen: datetime | None = None

    def ended(self, by: datetime) -> datetime:
        """When it ended, or was last heard there, within the time up to a moment."""
        return min(self.end or self.last_seen or self.start, by)

    @property
    def still_there(self) -> str:
        """`still there when last heard 2025-03-28`, of a call that was not seen to end."""
        if self.last_seen is None:
            return "not seen to leave"
        return f"still there when last heard {day_of(self.last_seen)}"


@dataclass(frozen=True, slots=True)
class BorneIdentity:
    """An identity that the hull bore, or may have borne, and the calls it made under it.

    `same` says what ties it: MMSI, IMO, or hull where tracks were linked. `link_probability` multiplies along the chain
    and is 1 for the same track; None where only a number is shared and no link speaks for one hull. `is_strong` says
    whether all links of the chain settle the hull; `n_rivals` is the most that one of them has.
    """

    mmsi: int
    imo: int | None
    name: str | None
    call_sign: str | None
    flag_state: str | None
    first_seen: datetime
    last_seen: datetime
    same: str
    link_probability: float | None
    is_strong: bool
    n_rivals: int
    calls: tuple[Call, ...]

    @property
    def key(self) -> tuple[int, int | None, str | None, str | None]:
        """What tells identities apart."""
        return (self.mmsi, self.imo, self.name, self.call_sign)

    @property
    def watched_calls(self) -> tuple[Call, ...]:
        """Calls at zones under watch: high before elevated, then in order of time."""
        watched = [call for call in self.calls if call.watch in LEVELS]
        return tuple(sorted(watched, key=lambda call: (LEVELS[call.watch], call.start, call.zone_id)))

    @property
    def who(self) -> str:
        """`SU RI 7 (MMSI 445000123, flag KP, IMO 2000004, call sign HMAB)`."""
        parts = [f"MMSI {mmsi_text(self.mmsi)}"]
        said = (("flag", self.flag_state), ("IMO", self.imo), ("call sign", self.call_sign))
        parts += [f"{what} {value}" for what, value in said if value]
        return f"{self.name or 'no name'} ({', '.join(parts)})"

    @property
    def is_same_track(self) -> bool:
        """Whether it came with the same track, or another one that nobody doubts to be the same hull's."""
        return self.link_probability == 1.0

    @property
    def sure_in_words(self) -> str:
        """How sure it is that this was the same hull."""
        if self.link_probability is None:
            return f"same {self.same}, no link between the tracks"
        if self.is_same_track:
            return "same track"
        return link_in_words(self.link_probability, self.is_strong, self.n_rivals)


def merged(parts: Iterable[BorneIdentity]) -> tuple[BorneIdentity, ...]:
    """Equal identities as one, from first to last, with the likeliest link; in order of time."""
    known: dict[tuple[Any, ...], BorneIdentity] = {}
    for part in parts:
        before = known.get(part.key)
        if before is None:
            known[part.key] = part
            continue
        surer = max(before, part, key=lambda one: (one.link_probability or 0.0, one.is_strong))
        known[part.key] = replace(
            surer,
            first_seen=min(before.first_seen, part.first_seen),
            last_seen=max(before.last_seen, part.last_seen),
            calls=tuple(sorted({*before.calls, *part.calls}, key=lambda call: (call.start, call.zone_id))),
        )
    return tuple(sorted(known.values(), key=lambda one: (one.first_seen, one.last_seen, str(one.key))))


def last_high_call(identities: Iterable[BorneIdentity], before: datetime) -> tuple[BorneIdentity, Call] | None:
    """The last call at a zone of high watch that began before a time, and the identity it was made under.

    Of the visits of one stay, as at a port and in its roads, the longest speaks.
    """
    calls = [(one, c) for one in identities for c in one.watched_calls if c.watch == "high" and c.start < before]
    if not calls:
        return None
    last = max(call.ended(before) for _, call in calls)
    stay = [(one, call) for one, call in calls if call.ended(before) >= last - ONE_STAY]
    return max(stay, key=lambda pair: (pair[1].ended(before) - pair[1].start, pair[1].start, pair[1].zone_id))


def day_of(when: datetime) -> str:
    """The day of an instant, UTC, as people read it: `2025-03-28`."""
    return when.astimezone(UTC).strftime("%Y-%m-%d")


def days_before(call: Call, moment: datetime, named: str = "") -> str:
    """`31 days before that`: from the day on which a call ended to that of a moment, which `named` names.

    A call that was not seen to end has no such days: `, and was still there when last heard 2025-03-28`.
    """
    ended = call.ended(moment)
    if call.end is None:
        heard = call.last_seen and min(call.last_seen, moment)
        return f", and was {replace(call, last_seen=heard).still_there}"
    days = (moment.astimezone(UTC).date() - ended.astimezone(UTC).date()).days
    before = f"{days} {'day' if days == 1 else 'days'} before" if days else "within a day before"
    return f"{before} {named}" if named else before


def call_in_words(identity: BorneIdentity, call: Call, when: str) -> str:
    """`as SU RI 7 this hull called at Nampo 31 days before; link 0.86, two rivals`; a weak link is only possible.

    `when` as `days_before` gives it.
    """
    who = identity.name or f"MMSI {mmsi_text(identity.mmsi)}"
    subject = f"as {who} this hull" if identity.is_strong else f"{who}, possibly this hull,"
    words = f"{subject} called at {call.zone_name}{'' if when.startswith(',') else ' '}{when}"
    return words if identity.is_same_track else f"{words}; {identity.sure_in_words}"
