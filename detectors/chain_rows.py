"""The chain of a hull as rows of plain text: its identities over time with its watched calls, each link's evidence.

Takes a `Case`; gives blocks of strings, not escaped. What belongs to the chain is decided in `detectors.explain`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from detectors.borne import BorneIdentity, day_of, days_before
from detectors.explain import Case
from detectors.links import Link, sure
from vessels.ais import mmsi_text


@dataclass(frozen=True)
class Block:
    """A titled table of plain text, with lines before and after it.

    Without a `header` the columns need none; without `rows` the title says it all.
    """

    title: str
    rows: tuple[tuple[str, ...], ...] = ()
    header: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def chain_blocks(case: Case) -> tuple[Block, ...]:
    """The identities of the hull and the links between them; nothing where it has but one and shares no number."""
    chain = case.chain
    blocks: list[Block] = []
    if len(chain.identities) > 1:
        rows = tuple(row for one in chain.identities for row in _identity(one, case))
        blocks.append(Block("Who this hull was, or may have been", rows))
    if chain.sharing:
        rows = tuple(row for one in chain.sharing for row in _identity(one, case))
        blocks.append(Block("Other tracks under its MMSI or IMO number", rows))
    for title, links in (("Link", chain.links), ("Possible link", chain.possible_links)):
        blocks += [_link(title, link) for link in links]
    return tuple(blocks)


def called_as(identity: BorneIdentity | None) -> str:
    """Under which name, or else MMSI, a call was made."""
    return "" if identity is None else identity.name or f"MMSI {mmsi_text(identity.mmsi)}"


def instant(when: datetime) -> str:
    """An instant to the minute, UTC.

    >>> instant(datetime(2024, 5, 1, 6, 30, tzinfo=UTC))
    '2024-05-01 06:30Z'
    """
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def _identity(one: BorneIdentity, case: Case) -> list[tuple[str, ...]]:
    """A row for the identity, one for how sure it is, and one for each call at a watched zone."""
    rows: list[tuple[str, ...]] = [(f"{day_of(one.first_seen)} to {day_of(one.last_seen)}", one.who)]
    rows.append(("", _claimed(one, case) or one.sure_in_words))
    for call in one.watched_calls:
        end = f"and {call.still_there}" if call.end is None else f"to {day_of(call.end)}"
        when = f"{day_of(call.start)} {end}"
        if call.end is not None and call.end < case.voyage["start"]:
            when += f", {days_before(call, case.voyage['start'], 'the voyage')}"
        rows.append(("", f"called at {call.zone_name} ({call.zone_id}, watch {call.watch}), {when}"))
    return rows


def _claimed(one: BorneIdentity, case: Case) -> str:
    """`claimed on this voyage, until 2025-03-12`, of an identity borne in its time; nothing of others.

    The one in force is always named, though it was taken up only after the voyage had arrived.
    """
    start, end = case.voyage["start"], case.voyage["end"] or case.voyage["last_seen"]
    is_now = one.key == case.chain.now
    if one.first_seen > end:
        return f"claimed from {day_of(one.first_seen)}, after the voyage" if is_now else ""
    if not is_now and (one not in case.chain.identities or not one.is_strong or one.last_seen < start):
        return ""
    words = ["claimed on this voyage"]
    if any(before.is_strong and start <= before.last_seen <= one.first_seen for before in case.chain.identities):
        words.append(f"from {day_of(one.first_seen)}")
    if not is_now and one.last_seen < end:
        words.append(f"until {day_of(one.last_seen)}")
    return ", ".join(words) + ("" if one.is_same_track else f"; {one.sure_in_words}")


def _link(title: str, link: Link) -> Block:
    """Who became whom and when, then the table of what speaks for and against."""
    returned = ", which is heard again later" if link.from_silence else ""
    back = ", heard before" if link.to_silence else ""
    head = f"{title} {sure(link.probability)}: {link.before.label}{returned}, then {link.after.label}{back}"
    between = f"silent from {instant(link.ended)} to {instant(link.began)}: {link.sailed_in_words}"
    rows = [
        (f"{reason.weight_db:+.1f} dB", "for" if reason.weight_db >= 0 else "against", reason.what, reason.observed)
        for reason in link.reasons
    ]
    if link.weight_db is not None:
        rows.append((f"{link.weight_db:+.1f} dB", "", "together", "before the prior and rivals; +10 dB: ten to one"))
    rows += [
        (f"{rival.probability:.2f}", "rival", f"MMSI {mmsi_text(rival.mmsi)}", rival.words) for rival in link.rivals
    ]
    more = link.n_rivals - len(link.rivals)
    return Block(head, tuple(rows), lead=(between,), notes=(f"and {more} more rivals",) if more > 0 else ())
