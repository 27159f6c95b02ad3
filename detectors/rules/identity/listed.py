"""Ships near a listed one: a number one digit away, or a name one letter away on a hull of that length or call sign.

Takes the scene's watch list and the claims; gives `near_listed_identity` findings, one for each ship, listed vessel and
voyage, as strong as the odds against a coincidence. A ship that sends the listed number itself is left to `watchlist`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.rules.identity.claims import Claims, IntArray, Spell, claims_of
from detectors.rules.identity.judgements import SMALL
from detectors.rules.identity.near_listed.candidates import candidates
from detectors.rules.identity.near_listed.chance import FAILS, PASSES, Chances, chances_of, imo_form, log_odds
from detectors.rules.identity.near_listed.edits import BoolArray, Pairs
from detectors.rules.identity.near_listed.likeness import (
    EQUAL,
    NEAR,
    UNKNOWN,
    Likeness,
    Spellings,
    Statements,
    compared,
    statements_of,
)
from detectors.rules.identity.near_listed.listings import Listings, heard_together_h, listings
from detectors.rules.identity.near_listed.words import Near, caveats, evidence, headline
from detectors.rules.identity.standing import VoyageSpans
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.wording import known
from detectors.watchlist import WatchList
from vessels.geodesy import FloatArray
from vessels.instants import instant_of
from vessels.names import looks_like_gear

STRONGEST: Final = 0.9
"""Near is less than equal: a listed IMO number sent as it stands is worth 0.95."""
WEAKEST: Final = 0.05
"""Weaker ones are not told: they would weigh nothing and fill the table."""
HEARD_TOGETHER: Final = 0.01
"""Likelihood ratio of the listed vessel being heard elsewhere meanwhile: two hulls, seldom two sets on one."""
TOGETHER_H: Final = 1.0
"""Time both must be heard for that; a report or two under the old number may straggle in."""
MOST_TOLD: Final = 5_000
"""Pairs told of at most, the likeliest: more near misses than that are a fault of the list or of the data."""
CHUNK: Final = 200_000
"""Pairs compared at a time, to bound memory."""
_ODD_LENGTH: Final = r"^\s*(?:[Ii][Mm][Oo])?[\s:#-]*(?P<digits>[1-9]\d{5}|[1-9]\d{7})(?:\.0*)?\s*$"
_FILLERS: Final = frozenset(
    {123_456, 654_321, 12_345_678, 87_654_321, *(d * 111_111 for d in range(10)), *(d * 11_111_111 for d in range(10))}
)


def near_listed_identity(scene: Scene, claims: Claims, thresholds: Thresholds) -> list[Finding]:
    """Findings on ships whose claims are one slip from those of a listed vessel."""
    if not scene.watchlist.entries or not len(claims):
        return []
    claims = _with_odd_imo(scene, claims)
    said = statements_of(claims)
    listed = listings(claims, scene.watchlist.entries)
    spellings = Spellings()
    pairs = candidates(said, listed, thresholds.max_sharers, spellings)
    chances = chances_of(said, listed, len(claims.starts) - 1)
    like, odds = _likeliest(said, listed, pairs, chances, thresholds, spellings)
    found = list(_standing(claims, said, listed, like, odds, scene.watchlist, thresholds))
    found = list(_shared_out(_one_each(found, listed), listed))
    voyages = VoyageSpans(scene.history, {near.spells[0].mmsi for near in found})
    told: list[Finding] = []
    for near in found:
        finding = _finding(near, listed, said, chances, thresholds)
        if finding.strength >= WEAKEST:
            told += voyages.told_of_each(finding, near.first_us, near.last_us, finding.hull_id)
    return told


def _with_odd_imo(scene: Scene, claims: Claims) -> Claims:
    """The claims, with IMO fields of six and eight digits as numbers too: one digit left out or put in."""
    identities = scene.history.identities
    raw = pc.if_else(pc.is_null(identities["imo"]), identities["imo_raw"], pa.scalar(None, pa.string()))
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(raw, _ODD_LENGTH), False).to_numpy())
    if not len(rows):
        return claims
    digits = pc.struct_field(pc.extract_regex(raw.take(pa.array(rows)), _ODD_LENGTH), "digits").cast(pa.int64())
    numbers = digits.to_numpy().astype(np.int64)
    kept = ~np.isin(numbers, list(_FILLERS))
    imo = pc.fill_null(identities["imo"], 0).to_numpy().astype(np.int64)
    imo[rows[kept]] = numbers[kept]
    column = identities.schema.get_field_index("imo")
    filled = pa.array(np.where(imo > 0, imo, 0), mask=imo <= 0)
    return claims_of(identities.set_column(column, "imo", filled))


def _likeliest(
    said: Statements, listed: Listings, pairs: Pairs, chances: Chances, thresholds: Thresholds, spellings: Spellings
) -> tuple[Likeness, FloatArray]:
    """The pairs that have a ground and odds worth telling, the likeliest first, with the logarithm of their odds."""
    statement, entry = pairs
    least = np.log10(WEAKEST / STRONGEST)
    parts, logs = [], []
    for low in range(0, max(1, len(statement)), CHUNK):
        at = slice(low, low + CHUNK)
        like = compared(said, listed, statement[at], entry[at], thresholds, spellings)
        like = like.take(_has_ground(like, imo_form(said.imo[like.statement]), imo_form(listed.imo[like.entry])))
        like = like.take(~listed.bears(said.group[like.statement], like.entry))
        log = log_odds(like, said, listed, chances, thresholds.near_listed_share, spellings)
        parts.append(like.take(log >= least))
        logs.append(log[log >= least])
    like = Likeness(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    odds = np.concatenate(logs)
    ids = np.array([listed.entries[place].entry_id for place in like.entry.tolist()], dtype=np.str_)
    order = np.lexsort((ids, like.statement, -np.round(odds, 9)))[:MOST_TOLD]
    return like.take(order), odds[order]


def _has_ground(like: Likeness, form: IntArray, listed_form: IntArray) -> BoolArray:
    """Which pairs may be told of.

    A name needs more beside it, and so does an MMSI one digit away. An IMO number that passes its check digit, beside
    a name of its own, is another ship's, perhaps a sister's: builders and states number in series. So are the
    official numbers that some states' craft send for it, which the check digit fails on both sides.
    """
    named = like.name >= NEAR
    signed = like.call_sign == EQUAL
    number = (like.imo == NEAR) | (like.mmsi == NEAR)
    wrong = (like.imo == NEAR) & (form == FAILS) & (listed_form == PASSES)
    unnamed = (like.imo == NEAR) & (form == PASSES) & (like.name == UNKNOWN)
    itself = (like.imo == EQUAL) | (like.mmsi == EQUAL)
    with_more = named & (number | signed | (like.length == EQUAL))
    told: BoolArray = (with_more | (signed & number) | wrong | unnamed) & ~itself
    return told


def _standing(
    claims: Claims,
    said: Statements,
    listed: Listings,
    likes: Likeness,
    odds: FloatArray,
    watchlist: WatchList,
    thresholds: Thresholds,
) -> Iterator[Near]:
    """The near misses that stand: sent often enough, by no gear, by no ship that also sends what is listed."""
    for i, log in enumerate(odds.tolist()):
        like = likes.take(np.array([i]))
        at, place = int(like.statement[0]), int(like.entry[0])
        entry = listed.entries[place]
        spells = claims.group(int(said.group[at]))
        if any(
            entry in watchlist.call_sign_and_name(spell.call_sign, spell.name)
            for spell in spells
            if spell.call_sign and spell.name
        ):
            continue
        members = _claiming(spells, int(said.imo[at]), str(said.name[at]), like)
        if sum(spell.n_reports for spell in members) < thresholds.min_reports:
            continue
        if all(looks_like_gear(spell.name) for spell in members):
            continue
        heard = claims.spells(np.array(listed.heard.of_one(place), dtype=np.intp))
        hours = heard_together_h(members, heard, members[0].hull_id)
        ratio = HEARD_TOGETHER if hours >= TOGETHER_H else 1.0
        yield Near(tuple(members), place, at, like, 10.0**log * ratio, hours, frozenset(spell.mmsi for spell in heard))


def _claiming(spells: list[Spell], imo: int, name: str, like: Likeness) -> list[Spell]:
    """The spells that make the claim: of the near number, or else of the near name."""
    if int(like.imo[0]) == NEAR:
        return [spell for spell in spells if spell.imo == imo]
    if int(like.mmsi[0]) == NEAR:
        return [spell for spell in spells if (spell.name or "") == name] or spells
    return [spell for spell in spells if spell.name == name]


def _one_each(found: Iterable[Near], listed: Listings) -> list[Near]:
    """The likeliest for each sender and listed vessel; the likeliest come first."""
    best: dict[tuple[int, str | None, int], Near] = {}
    for near in sorted(found, key=lambda near: -near.odds):
        first = near.spells[0]
        best.setdefault((first.mmsi, first.hull_id, int(listed.vessel[near.place])), near)
    return list(best.values())


def _shared_out(found: list[Near], listed: Listings) -> Iterator[Near]:
    """The odds against chance, against other hulls for that vessel and against other vessels for that hull."""
    of_vessel: dict[int, dict[str, float]] = {}
    of_hull: dict[str, dict[int, float]] = {}
    for near in found:
        vessel, hull = int(listed.vessel[near.place]), near.hull
        of_vessel.setdefault(vessel, {}).setdefault(hull, near.odds)
        of_hull.setdefault(hull, {}).setdefault(vessel, near.odds)
    for near in found:
        vessel, hull = int(listed.vessel[near.place]), near.hull
        rivals = sum(odds for other, odds in of_vessel[vessel].items() if other != hull)
        rivals += sum(odds for other, odds in of_hull[hull].items() if other != vessel)
        yield replace(near, rival_odds=rivals)


def _finding(near: Near, listed: Listings, said: Statements, chances: Chances, thresholds: Thresholds) -> Finding:
    first, entry = near.spells[0], listed.entries[near.place]
    small = not any(spell.claims_merchant(thresholds) for spell in near.spells)
    strength = STRONGEST * near.odds / (1.0 + near.odds + near.rival_odds) * (SMALL if small else 1.0)
    return Finding(
        detector="",
        detector_version="",
        kind="near_listed_identity",
        mmsi=first.mmsi,
        start=instant_of(near.first_us),
        end=instant_of(near.last_us),
        strength=round(strength, 4),
        headline=headline(near, said, listed),
        evidence=evidence(near, said, listed, chances, thresholds),
        caveats=caveats(near, said, small),
        other_mmsi=tuple(sorted(near.heard_mmsi - {first.mmsi})),
        lat=known(first.first_lat),
        lon=known(first.first_lon),
        segment_id=first.segment_id,
        hull_id=first.hull_id,
        subject=entry.entry_id,
    )
