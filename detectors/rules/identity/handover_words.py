"""What is said of a hull under another identity: the headline, the lines of evidence and the caveats.

Takes a change of identity with what the hull did before it; gives words. They say what the data show, reasons for one
hull and against it alike, and accuse nobody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from detectors.borne import BorneIdentity, Call, call_in_words, day_of, days_before, last_high_call
from detectors.chains import Chains
from detectors.finding import Evidence
from detectors.links import Claim, Link, counted
from detectors.rules.identity.changeovers import Changeover, kept_claims
from detectors.rules.identity.surroundings import Circumstances
from detectors.rules.identity.wording import position, sentence
from vessels.ais import flag_state, mmsi_text

FEW_REPORTS: Final = 10
LONG_GAP: Final = timedelta(days=7)
CALLS_SHOWN: Final = 6
CROWDED: Final = 3
"""Rivals from which a place counts as crowded."""


def headline_of(one: Changeover, before: Sequence[BorneIdentity], during: Sequence[BorneIdentity]) -> str:
    """One sentence: who the hull was, and where it called as that; `during` is what it was in an episode."""
    link = one.link
    old, new, when = link.before.label, link.after.label, day_of(link.began)
    taken = "is taken to be" if one.is_strong else "may be"
    if one.crossing is not None:
        text = f"{new} {taken} the hull that was {old} until {day_of(link.ended)}, and {old} that of {new}: an exchange"
    elif one.back is not None:
        bore = "bore" if one.is_strong else "may have borne"
        text = f"the hull of {old} {bore} another identity, {new}, from {when} to {day_of(one.back.ended)}"
    else:
        text = f"{new} {taken} the hull that was {old} until {day_of(link.ended)}"
    numbers = "" if one.crossing is not None else _numbers(link)
    text += f", {numbers}" if numbers else ""
    meanwhile = last_high_call(during, one.back.ended) if one.back is not None else None
    if meanwhile is not None:
        call = meanwhile[1]
        return f"{sentence(text)}; as that it called at {call.zone_name} on {day_of(call.start)}; {link.in_words}."
    called = last_high_call(before, link.ended)
    if called is None:
        return f"{sentence(text)}; {link.in_words}."
    named = link.began if one.crossing is None and one.back is not None else link.ended
    words = call_in_words(*called, days_before(called[1], named, "that"))
    return f"{sentence(text)}; {words}."


def _numbers(link: Link) -> str:
    before, after = link.before.imo, link.after.imo
    if before and after:
        return f"and IMO number {before} became {after}"
    if before:
        return f"and no longer sends IMO number {before}"
    return f"and sends IMO number {after} where it sent none" if after else ""


def evidence_of(
    one: Changeover,
    before: Sequence[BorneIdentity],
    during: Sequence[BorneIdentity],
    chains: Chains,
    circumstances: Circumstances,
    n_others: int,
) -> tuple[Evidence, ...]:
    """Both identities, what lies between, reasons for and against, rivals, watched calls, circumstances."""
    link = one.link
    last = one.back.ended if one.back is not None else None
    lines = [
        Evidence(
            "identity before", _claimed(link.before, _borne(chains, link.from_segment_id, link.before, None, link))
        ),
        Evidence(
            "identity after",
            _claimed(link.after, _borne(chains, link.to_segment_id, link.after, last, link)),
            "the same IMO number: it stays with the hull for life (IMO A.1117(30))" if link.before.imo else "",
        ),
        Evidence("kept across the change", ", ".join(kept_claims(link)) or "nothing that was said"),
        Evidence(
            "from the last report before to the first after",
            f"{link.sailed_in_words}; {_place(link.from_place)}, then {_place(link.to_place)}",
            "what one hull sails",
        ),
        Evidence("that both are one hull", link.in_words + _together(link)),
        *_reasons(link),
    ]
    if one.back is not None:
        lines += [
            Evidence(
                "then back to the former identity",
                f"{link.before.label} from {_iso(one.back.began)}; {one.back.in_words}; {one.back.sailed_in_words}",
                "a lawful change stays",
            ),
            *_reasons(one.back, "back: "),
        ]
    elif link.to_silence:
        lines.append(Evidence("the identity after was sent before, on this hull", "yes", "a lawful change stays"))
    if one.crossing is not None:
        crossing = one.crossing
        lines.append(
            Evidence(
                "the other hull's change",
                f"{crossing.before.label} until {_iso(crossing.ended)}, then {crossing.after.label} from "
                f"{_iso(crossing.began)}; {crossing.in_words}",
                "no other hull takes the old identity",
            )
        )
    if n_others:
        lines.append(Evidence("changes of identity of this hull before it", str(n_others), "0"))
    lines += _calls(before, link.ended, "watched call under an earlier identity")
    if one.back is not None:
        lines += _calls(during, one.back.ended, "watched call under the other identity")
    return (*lines, *circumstances.evidence)


def _borne(
    chains: Chains, segment_id: str, claim: Claim, last: datetime | None, link: Link
) -> tuple[datetime, datetime]:
    """From when to when a track sent an identity, before the link or since."""
    if segment_id == link.from_segment_id and claim is link.before:
        identities, otherwise = chains.under(segment_id, claim.mmsi, until=link.ended), link.ended
    else:
        identities, otherwise = chains.under(segment_id, claim.mmsi, since=link.began, until=last), link.began
    said = [i for i in identities if (i.imo, i.name, i.call_sign) == (claim.imo, claim.name, claim.call_sign)]
    said = said or list(identities)
    first = min((i.first_seen for i in said), default=otherwise)
    return first, max((i.last_seen for i in said), default=otherwise)


def _claimed(claim: Claim, seen: tuple[datetime, datetime]) -> str:
    said = [f"IMO {claim.imo or 'none'}", f"call sign {claim.call_sign or 'none'}"]
    state = flag_state(claim.mmsi)
    said += [f"flag {state}"] if state else []
    return f"{claim.label}, {', '.join(said)}: {_iso(seen[0])} to {_iso(seen[1])}"


def _together(link: Link) -> str:
    return "" if link.weight_db is None else f"; all reasons together {link.weight_db:+.1f} dB, before the prior"


def _reasons(link: Link, prefix: str = "") -> list[Evidence]:
    lines = [
        Evidence(
            f"{prefix}{'for' if reason.weight_db >= 0 else 'against'} one hull: {reason.what}",
            f"{reason.observed}: {reason.weight_db:+.1f} dB" if reason.observed else f"{reason.weight_db:+.1f} dB",
        )
        for reason in link.reasons
    ]
    return lines + [
        Evidence(f"{prefix}rival", f"MMSI {mmsi_text(rival.mmsi)} {rival.words}, probability {rival.probability:.2f}")
        for rival in link.rivals
    ]


def _calls(before: Sequence[BorneIdentity], until: datetime, what: str) -> list[Evidence]:
    calls = [(call, one) for one in before for call in one.watched_calls]
    calls.sort(key=lambda pair: (pair[0].watch != "high", -pair[0].start.timestamp(), pair[0].zone_id))
    return [
        Evidence(
            what,
            f"{call.zone_id} {call.zone_name} (watch {call.watch}), {_time(call, until)}, as "
            f"{one.name or f'MMSI {mmsi_text(one.mmsi)}'}" + ("" if one.is_same_track else f"; {one.sure_in_words}"),
            "none",
        )
        for call, one in calls[:CALLS_SHOWN]
    ]


def _time(call: Call, until: datetime) -> str:
    """From when to when a call lasted, and how long before a day that was."""
    if call.end is None:
        return f"from {_iso(call.start)}{days_before(call, until)}"
    return f"{_iso(call.start)} to {_iso(call.end)}, {days_before(call, until, day_of(until))}"


def caveats_of(one: Changeover, n_positions: Sequence[int | None]) -> tuple[str, ...]:
    """What makes it less sure."""
    link = one.link
    caveats = []
    if not one.is_strong:
        caveats.append("the link is too weak to take both for one hull: their voyages are kept apart")
    if link.n_rivals:
        caveats.append(f"{counted(link.n_rivals, 'other track')} could be linked to one of the two as well")
    if link.n_rivals >= CROWDED:
        caveats.append("a crowded place: identities end and begin there by chance")
    fewest = min((n for n in n_positions if n is not None), default=FEW_REPORTS)
    if fewest < FEW_REPORTS:
        caveats.append(f"one of the two tracks rests on {counted(fewest, 'report')}")
    if link.began - link.ended > LONG_GAP:
        caveats.append(f"nothing was heard for {link.gap_h / 24.0:.0f} days between the two")
    if link.from_silence and one.back is None:
        caveats.append("the old MMSI is heard again later; what the hull bore when is less sure")
    if one.small:
        caveats.append("class B or small craft: such sets change hands and numbers freely")
    if not link.before.imo and not link.after.imo:
        caveats.append("neither identity claims an IMO number, so nothing that stays with a hull can be compared")
    return tuple(caveats)


def _place(place: tuple[float | None, float | None]) -> str:
    lat, lon = place
    return position(float("nan") if lat is None else lat, float("nan") if lon is None else lon)


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
