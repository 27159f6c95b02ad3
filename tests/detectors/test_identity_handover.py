"""Hulls under another identity: strong where the IMO number changed, silent where a lawful change explains it."""

from datetime import timedelta
from typing import Any

import pytest

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.links import links_of
from detectors.rules.identity.detector import Identity
from detectors.testing import check_detector
from tests.detectors.histories import at, spell, stay, voyage
from tests.detectors.hulls import (
    HERON,
    HERON_MMSI,
    MIRAE,
    MIRAE_MMSI,
    OTHER_MMSI,
    SURI,
    SURI_MMSI,
    handover,
    link,
    story,
    track,
)

KINDS = {"hull_handover", "identity_exchange"}
SMALL = {"ship_type": 37, "length_m": 12.0, "beam_m": 4.0, "transceiver": "B", "imo": None}


def found(past: Scene, detector: Identity | None = None) -> list[Finding]:
    return [one for one in (detector or Identity()).detect(past) if one.kind in KINDS]


def change(before: dict[str, Any], after: dict[str, Any], mmsi: tuple[int, int] = (SURI_MMSI, MIRAE_MMSI), **said: Any):
    """The findings on one hull that was `before` for ten days and `after` for ten more."""
    first = spell(mmsi[0], at(0), at(10), **before)
    second = spell(mmsi[1], at(10, 8), at(20), **after)
    tables = {name: said.pop(name) for name in ("port_visits", "sketches") if name in said}
    one = link(first, second, **said)
    hulls = dict.fromkeys(mmsi, "hull-joined") if one["is_strong"] else {}
    return found(story([first, second], [one], hulls, **tables))


def test_a_new_imo_number_on_a_linked_hull_is_told_on_each_voyage_since() -> None:
    told = found(handover())
    assert [one.voyage_id for one in told] == ["voyage-273000222-040700", "voyage-273000222-041200"]
    for one in told:
        assert (one.kind, one.mmsi, one.other_mmsi) == ("hull_handover", MIRAE_MMSI, (SURI_MMSI,))
        assert one.strength > 0.75
        assert one.headline == (
            "MIRAE 3 (MMSI 273000222) is taken to be the hull that was SU RI 7 (MMSI 445000123) until 2024-04-06, and "
            "IMO number 2318669 became 2045171; as SU RI 7 this hull called at Nampo 30 days before that; "
            "link 0.86, two rivals."
        )
    assert len({one.finding_id for one in told}) == 2


def test_the_days_are_counted_to_the_day_that_the_headline_names() -> None:
    suri = spell(SURI_MMSI, at(0), at(8, 22), **SURI)
    mirae = spell(MIRAE_MMSI, at(9, 17), at(20), **MIRAE)
    call = stay(SURI_MMSI, "KP_NAMPO", at(0), at(2, 13), zone_name="Nampo")
    hulls = dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "hull-joined")
    (one, *_) = found(story([suri, mirae], [link(suri, mirae)], hulls, port_visits=[call]))
    assert "until 2024-03-09" in one.headline
    assert "called at Nampo 6 days before that" in one.headline, "left on 2024-03-03"


def test_a_hull_last_heard_in_port_before_the_change_is_said_to_have_been_there_then() -> None:
    suri, mirae = spell(SURI_MMSI, at(0), at(6), **SURI), spell(MIRAE_MMSI, at(30), at(60), **MIRAE)
    call = stay(SURI_MMSI, "KP_NAMPO", at(3), None, zone_name="Nampo", last_seen=at(5))
    hulls = dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "hull-joined")
    (one, *_) = found(story([suri, mirae], [link(suri, mirae)], hulls, port_visits=[call]))
    assert "as SU RI 7 this hull called at Nampo, and was still there when last heard 2024-03-06; link" in one.headline
    lines = {e.what: e.observed for e in one.evidence}
    assert lines["watched call under an earlier identity"].startswith(
        "KP_NAMPO Nampo (watch high), from 2024-03-04T00:00:00Z, and was still there when last heard 2024-03-06, as SU"
    )


def changed_after(*voyages: dict[str, Any], **tables: Any) -> list[Finding]:
    """SU RI 7 fell silent on day 10 and MIRAE 3 was heard 8 h later; the hull made these voyages."""
    suri, mirae = spell(SURI_MMSI, at(0), at(10), **SURI), spell(MIRAE_MMSI, at(10, 8), at(60), **MIRAE)
    hulls = dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "hull-joined")
    return found(story([suri, mirae], [link(suri, mirae)], hulls, voyages=voyages, **tables))


ARRIVED = voyage(MIRAE_MMSI, at(3), at(6), voyage_id="voyage-arrived", span_end=at(11))
NEXT = voyage(MIRAE_MMSI, at(11), at(14), voyage_id="voyage-next", span_end=at(20))
LAST = voyage(MIRAE_MMSI, at(20), at(24), voyage_id="voyage-last", span_end=at(60))


def test_a_change_made_after_arrival_is_told_in_full_on_the_next_voyage() -> None:
    first, second = changed_after(ARRIVED, NEXT, LAST)
    assert [first.voyage_id, second.voyage_id] == ["voyage-next", "voyage-last"]
    under_way = {**ARRIVED, "end": at(11), "last_seen": at(11)}
    full, *_ = changed_after(under_way, NEXT, LAST)
    assert (full.voyage_id, full.strength) == ("voyage-arrived", first.strength)
    assert second.strength < first.strength, "on later ones the voyage speaks for itself"


def test_a_change_made_after_the_last_arrival_is_told_on_the_voyage_whose_stay_holds_it() -> None:
    (one,) = changed_after(ARRIVED)
    assert one.voyage_id == "voyage-arrived"
    assert one.start == at(10, 8)


def test_an_open_voyage_is_under_way_until_its_last_report() -> None:
    unseen = {**ARRIVED, "end": None, "is_open": True, "last_seen": at(10, 9)}
    assert changed_after(unseen, NEXT)[0].voyage_id == "voyage-arrived"
    assert changed_after({**unseen, "last_seen": at(10)}, NEXT)[0].voyage_id == "voyage-next"


def test_a_call_left_open_is_held_against_later_voyages_from_when_it_was_last_heard() -> None:
    call = stay(SURI_MMSI, "KP_NAMPO", at(1), None, zone_name="Nampo", last_seen=at(2))
    days = Identity().laundered_days
    late = voyage(MIRAE_MMSI, at(4 + days), at(8 + days), voyage_id="voyage-late", span_end=at(9 + days))
    full, later = changed_after(NEXT, late, port_visits=[call])
    assert later.strength < full.strength, f"over {days} days after it was last heard, within them of the change"


def test_the_evidence_holds_reasons_for_and_against_and_the_rivals() -> None:
    lines = {e.what: e.observed for e in found(handover())[0].evidence}
    assert lines["for one hull: dimensions"] == "110 m by 17 m, then 110 m by 17 m: +13.2 dB"
    assert lines["against one hull: IMO number and MMSI"].endswith("-6.0 dB")
    assert lines["that both are one hull"].startswith("link 0.86, two rivals")
    assert lines["watched call under an earlier identity"].startswith("KP_NAMPO Nampo (watch high)")
    assert "30 days before 2024-04-06, as SU RI 7" in lines["watched call under an earlier identity"]
    assert "2024-03-01T00:00:00Z to 2024-04-06T00:00:00Z" in lines["identity before"]
    rivals = [e.observed for e in found(handover())[0].evidence if e.what == "rival"]
    assert rivals[0] == "MMSI 412000333 could be the hull after, probability 0.08"
    assert "could be linked" in " ".join(found(handover())[0].caveats)


def test_a_weak_link_is_told_once_as_possible_and_weakly() -> None:
    (one,) = found(handover(0.4))
    assert one.voyage_id == "voyage-273000222-040700"
    assert one.strength < 0.25
    assert "may be the hull that was" in one.headline
    assert "possible link 0.40" in one.headline
    assert "kept apart" in one.caveats[0]
    assert not found(handover(0.15)), "less likely than is told"
    assert found(handover(0.15), Identity(min_link_probability=0.1))


def test_strength_follows_the_links_probability() -> None:
    strengths = [found(handover(p))[0].strength for p in (0.3, 0.6, 0.85, 0.99)]
    assert strengths == sorted(strengths)
    assert strengths[-1] / strengths[-2] == pytest.approx(0.99 / 0.85, abs=0.001)


@pytest.mark.parametrize(
    ("before", "after", "low", "high", "note"),
    [
        (SURI, MIRAE, 0.7, 0.9, "one valid number after another"),
        (SURI, {**MIRAE, "imo": None}, 0.45, 0.6, "the number is no longer sent"),
        (SURI, {**SURI, "imo": None}, 0.1, 0.25, "no longer sent, name and sign kept"),
        ({**SURI, "imo": None}, MIRAE, 0.15, 0.3, "a number where there was none"),
        ({**SURI, "imo": None}, {**MIRAE, "imo": None}, 0.1, 0.25, "merchant ships that never sent one"),
        ({**SURI, **SMALL}, {**MIRAE, **SMALL}, 0.01, 0.1, "a boat sold and renumbered"),
        (SURI, {**SURI, "imo": 2318679}, 0.01, 0.1, "a digit of the number put right, name and sign kept"),
        (SURI, {**SURI, "imo": 2318679, "call_sign": "UBAB7"}, 0.4, 0.6, "a near-copy of the number, a new sign"),
    ],
)
def test_a_change_is_graded_by_what_stays_with_a_hull(before, after, low, high, note) -> None:
    assert [low <= one.strength <= high for one in change(before, after)] == [True], note


@pytest.mark.parametrize(
    ("before", "after", "mmsi", "note"),
    [
        (SURI, {**MIRAE, "imo": SURI["imo"]}, (SURI_MMSI, MIRAE_MMSI), "a lawful sale: the IMO number is kept"),
        (SURI, {**SURI, "imo": None}, (273_000_222, 273_000_223), "an MMSI put right"),
        ({**SURI, "imo": None}, {**SURI, "imo": None}, (SURI_MMSI, MIRAE_MMSI), "a set renewed: all else is kept"),
        (SURI, MIRAE, (SURI_MMSI, SURI_MMSI), "one MMSI: the rules on changed claims tell it"),
        (
            {**SMALL, "name": "NET 12-85%"},
            {**SMALL, "name": "NET 7 12.4V"},
            (SURI_MMSI, MIRAE_MMSI),
            "fishing gear",
        ),
    ],
)
def test_lawful_and_clerical_changes_are_silent(before, after, mmsi, note) -> None:
    first = spell(mmsi[0], at(0), at(10), segment_id="s1", hull_id="h", **before)
    second = spell(mmsi[1], at(10, 8), at(20), segment_id="s2", hull_id="h", **after)
    assert not found(story([first, second], [link(first, second)])), note


def test_the_place_and_the_watch_around_it_raise_the_strength() -> None:
    no_imo = {**SURI, "imo": None}, {**MIRAE, "imo": None}
    port = change(*no_imo, port_visits=[stay(SURI_MMSI, "KR_BUSAN", at(9), at(11), zone_name="Busan")])[0].strength
    moving = [
        {
            "segment_id": f"segment-{SURI_MMSI}",
            "mmsi": SURI_MMSI,
            "timestamp": at(9, 20 + i / 3),
            "lat": 35.0 + i / 20,
            "lon": 130.0,
        }
        for i in range(12)
    ]
    at_sea = change(*no_imo, sketches=moving)[0].strength
    elevated = change(*no_imo, port_visits=[stay(SURI_MMSI, "CN_DALIAN", at(8), at(9))])[0].strength
    high = change(*no_imo, port_visits=[stay(SURI_MMSI, "KP_NAMPO", at(3), at(6))])[0].strength
    assert port < elevated < high
    assert port < at_sea


def test_an_identity_borne_for_a_time_is_one_story() -> None:
    suri = spell(SURI_MMSI, at(0), at(30), **SURI)
    mirae = spell(MIRAE_MMSI, at(10), at(20), **MIRAE)
    out = link(suri, mirae, ended=at(9), began=at(10), from_silence=True, probability=0.95)
    back = link(mirae, suri, ended=at(20), began=at(21), to_silence=True, probability=0.9)
    hulls = dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "hull-joined")
    voyages = [voyage(SURI_MMSI, at(0), at(8)), voyage(MIRAE_MMSI, at(8), at(15)), voyage(SURI_MMSI, at(22), at(30))]
    told = found(story([suri, mirae], [out, back], hulls, voyages=voyages))
    assert [one.voyage_id for one in told] == [voyages[1]["voyage_id"], voyages[2]["voyage_id"]]
    assert "bore another identity, MIRAE 3 (MMSI 273000222), from 2024-03-11 to 2024-03-21" in told[0].headline
    assert any(e.what == "then back to the former identity" for e in told[0].evidence)
    call = stay(MIRAE_MMSI, "KP_NAMPO", at(12), at(14), zone_name="Nampo")
    (called, *_) = found(story([suri, mirae], [out, back], hulls, voyages=voyages, port_visits=[call]))
    assert "as that it called at Nampo on 2024-03-13; link 0.95" in called.headline
    assert any(e.what == "watched call under the other identity" for e in called.evidence)
    (alone, *_) = found(story([suri, mirae], [out], hulls, voyages=voyages))
    assert told[0].strength > alone.strength
    assert any("heard again" in caveat for caveat in alone.caveats)


def exchanging(apart_days: float = 0.0, **said: Any) -> Scene:
    suri = spell(SURI_MMSI, at(0), at(10), segment_id="s1", hull_id="x", **SURI)
    heron = spell(HERON_MMSI, at(0), at(10 + apart_days), segment_id="h1", hull_id="y", **HERON)
    new_heron = spell(HERON_MMSI, at(10, 8), at(20), segment_id="h2", hull_id="x", place=(33.0, 125.0), **HERON)
    new_suri = spell(
        SURI_MMSI, at(10 + apart_days, 8), at(30), segment_id="s2", hull_id="y", place=(33.0, 126.0), **SURI
    )
    spells = [suri, heron, new_heron, new_suri]
    rows = [{"segment_id": s["segment_id"], "hull_id": s["hull_id"]} for s in spells]
    segments = [track(s["mmsi"], s["first_seen"], s["last_seen"], **row) for s, row in zip(spells, rows, strict=True)]
    voyages = [
        voyage(s["mmsi"], s["first_seen"], s["last_seen"], **row, voyage_id=f"voyage-{row['segment_id']}")
        for s, row in zip(spells, rows, strict=True)
    ]
    return story(spells, [link(suri, new_heron), link(heron, new_suri, **said)], segments=segments, voyages=voyages)


def test_two_hulls_that_take_each_others_identity_are_an_exchange() -> None:
    told = found(exchanging())
    assert {one.kind for one in told} == {"identity_exchange"}
    assert {(one.mmsi, one.other_mmsi, one.voyage_id) for one in told} >= {
        (HERON_MMSI, (SURI_MMSI,), "voyage-h2"),
        (SURI_MMSI, (HERON_MMSI,), "voyage-s2"),
    }
    for one in told:
        assert any(e.what == "the other hull's change" for e in one.evidence)
        assert one.strength > max(f.strength for f in found(exchanging(12.0)))
    assert {one.kind for one in found(exchanging(12.0))} == {"hull_handover"}, "too far apart in time"
    assert {one.kind for one in found(exchanging(12.0), Identity(exchange_days=30.0))} == {"identity_exchange"}


def test_each_change_before_it_within_the_time_of_hopping_raises_the_strength() -> None:
    suri, mirae = spell(SURI_MMSI, at(0), at(10), **SURI), spell(MIRAE_MMSI, at(11), at(20), **MIRAE)
    heron = spell(HERON_MMSI, at(21), at(30), **HERON)
    links = [link(suri, mirae), link(mirae, heron)]
    hulls = dict.fromkeys((SURI_MMSI, MIRAE_MMSI, HERON_MMSI), "hull-joined")
    told = {one.start: one for one in found(story([suri, mirae, heron], links, hulls)) if one.mmsi == HERON_MMSI}
    alone = found(story([mirae, heron], links[1:], hulls))
    (second,) = told.values()
    assert second.strength > alone[0].strength
    both = [one for one in found(story([suri, mirae, heron], links, hulls)) if one.voyage_id == second.voyage_id]
    assert {one.mmsi for one in both} == {MIRAE_MMSI, HERON_MMSI}, "later voyages carry the earlier change too"


def test_a_change_on_a_linked_hull_with_few_reports_and_a_long_silence_says_so() -> None:
    suri = spell(SURI_MMSI, at(0), at(10), **SURI)
    mirae = spell(MIRAE_MMSI, at(30), at(40), **MIRAE)
    segments = [track(SURI_MMSI, at(0), at(10), n_positions=4), track(MIRAE_MMSI, at(30), at(40))]
    (one,) = found(
        story([suri, mirae], [link(suri, mirae)], dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "h"), segments=segments)
    )
    assert "one of the two tracks rests on four reports" in one.caveats
    assert "nothing was heard for 20 days between the two" in one.caveats


@pytest.mark.parametrize("past", [handover(), handover(0.4), exchanging()], ids=["strong", "weak", "exchange"])
def test_the_detector_keeps_its_laws_on_linked_hulls(past: Scene) -> None:
    assert KINDS & {one.kind for one in check_detector(Identity(), past)}


def test_shifting_time_changes_no_strength() -> None:
    def shifted(past: Scene) -> list[float]:
        return [one.strength for one in found(past)]

    later = at(0) + timedelta(days=200)
    suri, mirae = spell(SURI_MMSI, later, later + timedelta(days=10), **SURI), None
    mirae = spell(MIRAE_MMSI, later + timedelta(days=10, hours=8), later + timedelta(days=20), **MIRAE)
    hulls = dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "hull-joined")
    assert shifted(story([suri, mirae], [link(suri, mirae)], hulls)) == [one.strength for one in change(SURI, MIRAE)]


def test_a_link_that_lacks_what_makes_it_one_is_passed_over() -> None:
    suri, mirae = spell(SURI_MMSI, at(0), at(10), **SURI), spell(MIRAE_MMSI, at(11), at(20), **MIRAE)
    whole = link(suri, mirae)
    for column in ("from_segment_id", "to_mmsi", "ended", "probability"):
        assert not links_of([{**whole, column: None}]), column
    bare = {**whole, "rivals": None, "evidence": None, "distance_nmi": None, "from_lat": None, "weight_db": None}
    assert len(found(story([suri, mirae], [bare], dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "h")))) == 1


def test_the_other_number_is_never_the_finding_of_a_stranger() -> None:
    """A third ship under its own number has no part in it."""
    past = handover()
    assert OTHER_MMSI not in {one.mmsi for one in found(past)}
