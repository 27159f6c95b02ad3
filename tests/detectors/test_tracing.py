"""Which hulls bore an MMSI, an IMO number or a name, under which others, and where they called."""

from typing import Any

import pytest

import detectors
from tests.detectors.histories import at, spell, stay
from tests.detectors.hulls import (
    HERON,
    HERON_MMSI,
    MIRAE,
    MIRAE_MMSI,
    SURI,
    SURI_MMSI,
    handover,
    link,
    run_of,
    story,
)
from tests.detectors.test_flagged import Finds
from vessels.errors import UsageError

LATER = "voyage-273000222-041200"
LISTED = Finds((LATER, MIRAE_MMSI, "listed_vessel", 1.0))


@pytest.mark.parametrize(
    ("asked", "matched"),
    [
        ({"mmsi": MIRAE_MMSI}, "MMSI 273000222"),
        ({"mmsi": " 273000222"}, "MMSI 273000222"),
        ({"imo": 2045171}, "IMO 2045171"),
        ({"imo": "IMO 2318669"}, "IMO 2318669"),
        ({"name": "su ri  7"}, "name SU RI 7"),
        ({"name": "SURI NO.7"}, "name SU RI 7"),
        ({"name": "MIRAE 3", "imo": 2318669}, "IMO 2318669, name MIRAE 3"),
    ],
)
def test_a_hull_is_traced_by_any_number_or_name_it_bore(asked: dict[str, Any], matched: str) -> None:
    (one,) = detectors.trace(run_of(handover(), LISTED), **asked)
    assert (one.hull_id, one.asked) == ("hull-joined", matched)
    assert [i.name for i in one.identities] == ["SU RI 7", "MIRAE 3"]
    assert one.possible == ()
    assert [(i.name, c.zone_id) for i, c in one.watched_calls] == [("SU RI 7", "KP_NAMPO")]
    assert one.called_at_high_watch
    assert [row["voyage_id"] for row in one.flagged] == [LATER]
    assert [i.probability for i in one.links] == [0.86]


def test_the_summary_answers_whether_the_ship_at_the_quay_called_there() -> None:
    (one,) = detectors.trace(run_of(handover()), mmsi=MIRAE_MMSI)
    assert one.summary == (
        "As SU RI 7 this hull called at Nampo 44 days before 2024-04-20, the end of the data; link 0.86, two rivals."
    )
    (other,) = detectors.trace(run_of(story([spell(HERON_MMSI, at(0), at(9), **HERON)], [])), mmsi=HERON_MMSI)
    assert other.summary == "No call at a zone of high watch was seen, under one identity."
    assert not other.called_at_high_watch


def test_a_ship_last_heard_in_port_is_not_said_to_have_been_there_since() -> None:
    call = stay(HERON_MMSI, "KP_NAMPO", at(3), None, zone_name="Nampo", last_seen=at(6))
    run = run_of(story([spell(HERON_MMSI, at(0), at(6), **HERON)], [], port_visits=[call]))
    (one,) = detectors.trace(run, mmsi=HERON_MMSI)
    assert one.summary == "As PALE HERON this hull called at Nampo, and was still there when last heard 2024-03-07."
    assert "watch high) 2024-03-04 and still there when last heard 2024-03-07" in one.in_words()


def test_what_a_weak_link_leads_to_stands_apart() -> None:
    run = run_of(handover(0.4))
    (one,) = detectors.trace(run, imo=2045171)
    assert [i.name for i in one.identities] == ["MIRAE 3"]
    assert [(i.name, i.link_probability) for i in one.possible] == [("SU RI 7", 0.4)]
    assert (one.called_at_high_watch, one.may_have_called_at_high_watch) == (False, True)
    assert one.summary.startswith("SU RI 7, possibly this hull, called at Nampo")
    assert (len(one.links), len(one.possible_links)) == (0, 1)
    (old,) = detectors.trace(run, name="SU RI 7")
    assert [i.name for i in old.possible] == ["MIRAE 3"], "forward in time too"


def test_several_hulls_under_one_number_are_traced_each() -> None:
    spells = [
        spell(HERON_MMSI, at(5), at(9), **HERON),
        spell(HERON_MMSI, at(0), at(9), segment_id="s2", hull_id="h2", **SURI),
    ]
    first, second = detectors.trace(run_of(story(spells, [])), mmsi=HERON_MMSI)
    assert ([i.name for i in first.identities], [i.name for i in second.identities]) == (["SU RI 7"], ["PALE HERON"])


def test_a_hull_that_only_sent_static_data_is_traced() -> None:
    silent = spell(HERON_MMSI, at(0), at(9), **{**HERON, "segment_id": None, "hull_id": None})
    (one,) = detectors.trace(run_of(story([silent], [], segments=[], voyages=[])), name="PALE HERON")
    assert (one.hull_id, [i.mmsi for i in one.identities]) == (None, [HERON_MMSI])


def test_a_statement_of_no_known_track_belongs_to_the_hull_of_its_mmsi() -> None:
    said = spell(HERON_MMSI, at(0), at(3), **{**HERON, "name": "OLD HERON", "segment_id": None, "hull_id": None})
    (one,) = detectors.trace(run_of(story([said, spell(HERON_MMSI, at(3), at(9), **HERON)], [])), name="OLD HERON")
    assert one.hull_id == f"hull-{HERON_MMSI}"
    assert [i.name for i in one.identities] == ["OLD HERON", "PALE HERON"]


def test_what_was_never_heard_gives_nothing() -> None:
    run = run_of(handover())
    assert detectors.trace(run, mmsi=999_000_111) == ()
    assert detectors.trace(run, imo=9074729) == ()
    assert detectors.trace(run, name="SU RI 8") == (), "another number is another ship"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "nothing is asked"),
        ({"mmsi": "ABC"}, "no MMSI"),
        ({"mmsi": 1_000_000_000}, "no MMSI"),
        ({"mmsi": -5}, "no MMSI"),
        ({"mmsi": "abc"}, "no MMSI"),
        ({"mmsi": ""}, "no MMSI"),
        ({"mmsi": True}, "no MMSI"),
        ({"imo": -1}, "no IMO number"),
        ({"imo": ""}, "no IMO number"),
        ({"name": ""}, "says nothing"),
        ({"name": 5}, "is no text; give the name as the ship sends it"),
        ({"name": ["SU RI 7"]}, "is no text"),
        ({"imo": 123}, "no IMO number"),
        ({"imo": "IMO"}, "no IMO number"),
        ({"name": "@@@@"}, "says nothing"),
    ],
)
def test_what_cannot_be_a_number_or_a_name_is_refused(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        detectors.trace(run_of(handover()), **asked)


def test_the_trace_in_words_holds_identities_links_reasons_and_voyages() -> None:
    (one,) = detectors.trace(run_of(handover(), LISTED), mmsi=MIRAE_MMSI)
    text = one.in_words()
    for part in (
        "SU RI 7 (MMSI 445000123, flag KP, IMO 2318669, call sign HMZQ); link 0.86, two rivals",
        "called at Nampo (KP_NAMPO, watch high) 2024-03-04 to 2024-03-07",
        "+13.2 dB  dimensions: 110 m by 17 m",
        "-6.0 dB  IMO number and MMSI",
        "rival: MMSI 412000333 could be the hull after, probability 0.08",
        f"{LATER}  2024-04-12",
    ):
        assert part in text, part
    (weak,) = detectors.trace(run_of(handover(0.4)), mmsi=MIRAE_MMSI)
    assert "Possibly also, by links too weak to settle it" in weak.in_words()


def test_a_chain_of_three_is_traced_from_each_end_and_from_the_middle() -> None:
    suri, mirae = spell(SURI_MMSI, at(0), at(10), **SURI), spell(MIRAE_MMSI, at(11), at(20), **MIRAE)
    heron = spell(HERON_MMSI, at(21), at(30), **HERON)
    hulls = dict.fromkeys((SURI_MMSI, MIRAE_MMSI, HERON_MMSI), "hull-joined")
    call = stay(SURI_MMSI, "KP_NAMPO", at(3), at(6), zone_name="Nampo")
    run = run_of(story([suri, mirae, heron], [link(suri, mirae), link(mirae, heron)], hulls, port_visits=[call]))
    for mmsi in hulls:
        (one,) = detectors.trace(run, mmsi=mmsi)
        assert [i.name for i in one.identities] == ["SU RI 7", "MIRAE 3", "PALE HERON"]
        assert len(one.links) == 2
        assert one.called_at_high_watch
