"""A contest for an identity in words: whose it probably is, what speaks for and against each, and how sure that is.

Takes a `Contest`; gives a headline's sentence, evidence lines and caveats for findings on one of its claimants.
"""

from typing import Final

from detectors.finding import Evidence
from detectors.rules.identity.bearers import Bearing, Contest
from detectors.rules.identity.grounds import Reason
from detectors.rules.identity.wording import sentence

VICTIM_SHARE: Final = 0.1
"""Share of the strength that the likely true bearer keeps: its number is worn by another, which is no fault of its own,
and at most one in five times it is the false one after all."""
LINES_EACH: Final = 6
"""Reasons shown of each claimant."""
IN_HEADLINE: Final = 2


def true_bearer_sentence(contest: Contest, of_mmsi: int | None = None) -> str:
    """`X probably bears it in truth (0.93): ...`, empty while undecided. For tracks of one MMSI give the MMSI."""
    true = contest.true
    if true is None:
        return ""
    shown = [reason for reason in true.reasons if reason.weight_db > 0.0]
    grounds = [(reason, reason.text) for reason in shown]
    for other in contest.bearings:
        if other is not true:
            who = "the other" if len(contest.bearings) == 2 else other.claimant.label
            grounds += [(reason, f"{who} {reason.text}") for reason in other.reasons if reason.weight_db < 0.0]
    grounds.sort(key=lambda ground: (-abs(ground[0].weight_db), ground[1]))
    why = "; ".join(text for _, text in grounds[:IN_HEADLINE])
    number = "it" if of_mmsi is None else "the MMSI"
    return f" {sentence(true.claimant.label)} probably bears {number} in truth ({true.probability:.2f}): {why}."


def bearer_lines(contest: Contest) -> tuple[Evidence, ...]:
    """How likely each claimant is the true bearer, and the reasons for and against it."""
    lines: list[Evidence] = []
    for one in sorted(contest.bearings, key=lambda bearing: (-bearing.probability, bearing.claimant.label)):
        label = one.claimant.label
        lines.append(Evidence("true bearer", f"{label}: probability {one.probability:.2f}", "one ship"))
        lines += [_line(label, reason) for reason in one.reasons[:LINES_EACH]]
    return tuple(lines)


def _line(label: str, reason: Reason) -> Evidence:
    side = "for" if reason.weight_db > 0.0 else "against"
    return Evidence(f"{side} {label} as the true bearer", reason.shown)


def bearer_caveats(contest: Contest, about: Bearing | None) -> tuple[str, ...]:
    """What makes the verdict less sure, for a finding on one of the claimants."""
    if contest.true is None:
        best = contest.likeliest
        return (f"which of them bears the number in truth is undecided: at best {best.probability:.2f}",)
    caveats = []
    if about is contest.true:
        caveats.append("probably the victim: another hull sends its number")
    if contest.by_time_only:
        caveats.append(
            "the true bearer is judged by who was heard first and last: a ship that comes late from unheard waters "
            "looks like a newcomer"
        )
    return tuple(caveats)
