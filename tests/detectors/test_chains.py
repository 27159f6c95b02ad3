"""The chain of a hull: earlier identities with how sure they are, and the calls made under each."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from detectors.borne import BorneIdentity, Call, call_in_words, days_before, last_high_call, merged
from detectors.chains import MAX_UNLINKED, Chains, watched_levels
from detectors.contract import Scene
from tests.detectors.histories import at, spell, stay
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
)

NAMPO = stay(SURI_MMSI, "KP_NAMPO", at(3), at(6), zone_name="Nampo", country="KP")


def chains(past: Scene) -> Chains:
    history = past.history
    return Chains(history.identities, history.port_visits, history.hull_links, watched_levels(past.zones))


def earlier(past: Scene, mmsi: int, until: float = 100.0) -> tuple[BorneIdentity, ...]:
    """What the hull of the newest voyage of an MMSI was before a day."""
    made = chains(past)
    voyages = [v for v in past.history.voyages.to_pylist() if v["mmsi"] == mmsi]
    voyage = {**max(voyages, key=lambda v: v["start"]), "span_end": at(until)}
    return made.earlier(voyage, made.in_force(voyage))


def test_an_earlier_identity_comes_with_its_link_and_its_watched_calls() -> None:
    (one,) = earlier(handover(), MIRAE_MMSI)
    assert (one.name, one.imo, one.flag_state, one.same) == ("SU RI 7", 2318669, "KP", "hull")
    assert (one.link_probability, one.is_strong, one.n_rivals) == (0.86, True, 2)
    assert (one.first_seen, one.last_seen) == (at(0), at(36))
    assert one.watched_calls == (Call("KP_NAMPO", "Nampo", "high", at(3), at(6), at(6)),)


def test_a_possible_identity_is_marked() -> None:
    (one,) = earlier(handover(0.4), MIRAE_MMSI)
    assert (one.link_probability, one.is_strong) == (0.4, False)
    assert one.sure_in_words == "possible link 0.40, two rivals"


def three(second_probability: float = 0.9, **tables: Any) -> Scene:
    """SU RI 7, then MIRAE 3, then PALE HERON."""
    suri, mirae = spell(SURI_MMSI, at(0), at(10), **SURI), spell(MIRAE_MMSI, at(11), at(20), **MIRAE)
    heron = spell(HERON_MMSI, at(21), at(30), **HERON)
    links = [link(suri, mirae, probability=0.9), link(mirae, heron, probability=second_probability, n_rivals=1)]
    strong = (SURI_MMSI, MIRAE_MMSI, HERON_MMSI) if second_probability >= 0.8 else (SURI_MMSI, MIRAE_MMSI)
    return story([suri, mirae, heron], links, dict.fromkeys(strong, "hull-joined"), port_visits=[NAMPO], **tables)


def test_probabilities_multiply_along_a_chain_of_several_changes() -> None:
    suri, mirae = earlier(three(), HERON_MMSI)
    assert (suri.name, suri.link_probability, suri.n_rivals) == ("SU RI 7", 0.81, 1)
    assert (mirae.name, mirae.link_probability) == ("MIRAE 3", 0.9)
    assert [call.zone_id for call in suri.watched_calls] == ["KP_NAMPO"]
    weak, _ = earlier(three(0.5), HERON_MMSI)
    assert (weak.link_probability, weak.is_strong) == (0.45, False)
    assert [one.name for one in earlier(three(0.055), HERON_MMSI)] == ["MIRAE 3"], "the chain has grown too unlikely"


def test_what_came_after_the_voyage_is_no_earlier_identity() -> None:
    assert earlier(three(), SURI_MMSI) == ()
    assert [one.name for one in earlier(three(), MIRAE_MMSI)] == ["SU RI 7"]
    assert [one.last_seen for one in earlier(three(), MIRAE_MMSI, until=15.0)] == [at(10)]


def test_the_whole_chain_goes_both_ways() -> None:
    made = chains(three())
    names = [one.name for one in made.whole([(f"segment-{MIRAE_MMSI}", MIRAE_MMSI)])]
    assert names == ["SU RI 7", "MIRAE 3", "PALE HERON"]
    inside, links = made.hull_of({f"segment-{SURI_MMSI}"})
    assert len(inside) == 3
    assert [one.began for one in links] == [at(11), at(21)]


def test_two_that_could_both_have_followed_a_third_are_rivals_not_one_hull() -> None:
    suri, mirae = spell(SURI_MMSI, at(0), at(10), **SURI), spell(MIRAE_MMSI, at(11), at(20), **MIRAE)
    heron = spell(HERON_MMSI, at(11), at(20), **HERON)
    past = story([suri, mirae, heron], [link(suri, mirae, probability=0.5), link(suri, heron, probability=0.4)])
    assert [one.name for one in earlier(past, MIRAE_MMSI)] == ["SU RI 7"]
    names = [one.name for one in chains(past).whole([(f"segment-{MIRAE_MMSI}", MIRAE_MMSI)])]
    assert names == ["SU RI 7", "MIRAE 3"]


def silence(*which: str) -> Scene:
    """SU RI 7 bore MIRAE 3 in a silence of its track."""
    suri, mirae = spell(SURI_MMSI, at(0), at(30), **SURI), spell(MIRAE_MMSI, at(10), at(20), **MIRAE)
    out = link(suri, mirae, ended=at(9), began=at(10), from_silence=True, probability=0.9)
    back = link(mirae, suri, ended=at(20), began=at(21), to_silence=True, probability=0.85)
    links = [one for name, one in (("out", out), ("back", back)) if name in which]
    calls = [stay(MIRAE_MMSI, "KP_NAMPO", at(12), at(14), zone_name="Nampo")]
    return story([suri, mirae], links, dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "h"), port_visits=calls)


@pytest.mark.parametrize(("which", "probability"), [(("out",), 0.9), (("back",), 0.85), (("out", "back"), 0.9)])
def test_an_identity_borne_in_a_silence_is_an_earlier_one_of_the_track(
    which: tuple[str, ...], probability: float
) -> None:
    (one,) = earlier(silence(*which), SURI_MMSI)
    assert (one.name, one.link_probability) == ("MIRAE 3", probability)
    assert [call.zone_id for call in one.watched_calls] == ["KP_NAMPO"]
    made = chains(silence(*which))
    names = [(i.name, i.link_probability) for i in made.whole([(f"segment-{SURI_MMSI}", SURI_MMSI)])]
    assert names == [("SU RI 7", 1.0), ("MIRAE 3", probability)]


def test_before_the_silence_is_over_it_was_only_the_first_part_of_the_track() -> None:
    past = silence("out", "back")
    (one,) = earlier(past, MIRAE_MMSI, until=20.0)
    assert (one.name, one.last_seen) == ("SU RI 7", at(9))


def test_a_rename_on_one_track_is_the_same_track_and_keeps_its_calls() -> None:
    old, new = spell(SURI_MMSI, at(0), at(10), **SURI), spell(SURI_MMSI, at(10), at(20), **{**SURI, "name": "NEW STAR"})
    (one,) = earlier(story([old, new], [], port_visits=[NAMPO]), SURI_MMSI)
    assert (one.name, one.same, one.link_probability, one.is_strong) == ("SU RI 7", "IMO", 1.0, True)
    assert [call.zone_id for call in one.watched_calls] == ["KP_NAMPO"]


def test_a_track_that_only_shares_a_number_has_no_probability() -> None:
    mine = spell(MIRAE_MMSI, at(0), at(10), **MIRAE)
    same_imo = spell(OTHER_MMSI, at(0), at(8), **{**SURI, "imo": MIRAE["imo"]})
    same_mmsi = spell(MIRAE_MMSI, at(0), at(8), segment_id="s-other", hull_id="h-other", **HERON)
    past = story(
        [mine, same_imo, same_mmsi],
        [],
        port_visits=[{**NAMPO, "mmsi": OTHER_MMSI, "segment_id": f"segment-{OTHER_MMSI}"}],
    )
    made = chains(past)
    voyage = next(v for v in past.history.voyages.to_pylist() if v["mmsi"] == MIRAE_MMSI)
    by_same = {
        one.same: one
        for one in made.earlier({**voyage, "span_end": at(10)}, made.in_force(voyage | {"span_end": at(10)}))
    }
    assert {name: one.link_probability for name, one in by_same.items()} == {"IMO": None, "MMSI": None}
    assert by_same["IMO"].sure_in_words == "same IMO, no link between the tracks"
    assert [call.zone_id for call in by_same["IMO"].watched_calls] == ["KP_NAMPO"]


def test_a_filler_mmsi_lists_the_newest_of_its_tracks_only() -> None:
    spells = [
        spell(999_999_999, at(i), at(i + 1), segment_id=f"s{i}", hull_id=f"h{i}", name=f"SHIP {i}") for i in range(200)
    ]
    past = story(spells, [])
    made = chains(past)
    last = past.history.voyages.to_pylist()[0] | {"segment_id": "s199", "hull_id": "h199", "span_end": at(201)}
    found = made.earlier(last, made.in_force(last))
    assert len(found) == MAX_UNLINKED
    assert found[-1].name == "SHIP 198"


def test_a_track_that_said_nothing_is_its_mmsi_alone() -> None:
    suri, mirae = spell(SURI_MMSI, at(0), at(10), **SURI), spell(MIRAE_MMSI, at(11), at(20), **MIRAE)
    past = story([mirae], [link(suri, mirae)], {MIRAE_MMSI: "h"}, port_visits=[NAMPO])
    (one,) = earlier(past, MIRAE_MMSI)
    assert (one.mmsi, one.name, one.last_seen) == (SURI_MMSI, None, at(10))
    assert [call.zone_id for call in one.watched_calls] == ["KP_NAMPO"]


def test_passages_without_a_stop_are_no_calls() -> None:
    old, new = spell(SURI_MMSI, at(0), at(10), **SURI), spell(SURI_MMSI, at(10), at(20), **{**SURI, "name": "NEW STAR"})
    (one,) = earlier(story([old, new], [], port_visits=[{**NAMPO, "confidence": 1}]), SURI_MMSI)
    assert one.calls == ()


def one_of(name: str, *calls: Call, probability: float | None = 0.9) -> BorneIdentity:
    strong = probability is not None and probability >= 0.8
    return BorneIdentity(1, None, name, None, None, at(0), at(9), "hull", probability, strong, 1, calls)


def test_the_last_high_call_is_told_by_the_longest_visit_of_the_stay() -> None:
    roads, port = Call("R", "Nampo roads", "high", at(5), at(8)), Call("P", "Nampo", "high", at(2), at(7.6))
    busan = Call("B", "Dalian", "elevated", at(8), at(9))
    found = last_high_call([one_of("A", roads, port, busan)], at(10))
    assert found is not None
    assert found[1].zone_id == "P"
    assert last_high_call([one_of("A", busan)], at(10)) is None
    assert last_high_call([one_of("A", port)], at(1)) is None, "not yet made"


def test_calls_are_told_with_their_days_and_how_sure_the_link_is() -> None:
    port = Call("P", "Nampo", "high", at(2), at(7))
    assert days_before(port, at(8)) == "1 day before"
    assert days_before(port, at(7.2)) == "within a day before"
    assert (
        call_in_words(one_of("A", probability=1.0), port, days_before(port, at(10)))
        == "as A this hull called at Nampo 3 days before"
    )
    weak = call_in_words(one_of("A", probability=0.3), port, "3 days before")
    assert weak == "A, possibly this hull, called at Nampo 3 days before; possible link 0.30, one rival"


@pytest.mark.parametrize(
    ("ended", "moment", "said"),
    [
        (at(2, 1), at(8, 23), "6 days before"),
        (at(2, 23), at(8, 1), "6 days before"),
        (at(2, 23), at(3, 1), "1 day before"),
        (at(2, 1), at(2, 23), "within a day before"),
    ],
)
def test_days_are_those_between_the_dates_a_reader_sees(ended: datetime, moment: datetime, said: str) -> None:
    call = Call("P", "Nampo", "high", at(1), ended, ended)
    assert days_before(call, moment) == said
    assert days_before(call, moment, "that") == f"{said} that"
    elsewhere = timezone(timedelta(hours=9))
    assert days_before(call, moment.astimezone(elsewhere)) == said, "in UTC, whatever zone the instants came in"


def test_a_call_whose_end_was_not_seen_lasts_until_it_was_last_heard() -> None:
    call = Call("P", "Nampo", "high", at(2), None, at(7))
    assert call.ended(at(30)) == at(7)
    assert call.ended(at(5)) == at(5)
    for moment in (at(8), at(30)):
        words = call_in_words(one_of("A", probability=1.0), call, days_before(call, moment, "that"))
        assert words == "as A this hull called at Nampo, and was still there when last heard 2024-03-08"
    assert days_before(call, at(5)).endswith("last heard 2024-03-06"), "no later than the moment asked for"
    older = Call("P", "Nampo", "high", at(2), None)
    assert (older.ended(at(30)), days_before(older, at(30))) == (at(2), ", and was not seen to leave")


def test_a_call_left_open_long_ago_is_not_the_last_for_ever() -> None:
    lost, later = Call("P", "Nampo", "high", at(2), None, at(4)), Call("Q", "Haeju", "high", at(20), at(21), at(21))
    found = last_high_call([one_of("A", lost, later)], at(30))
    assert found is not None
    assert found[1].zone_id == "Q"


def test_visits_of_older_runs_that_lack_when_they_were_last_seen_are_read() -> None:
    past = handover()
    visits = past.history.port_visits.drop_columns(["last_seen"])
    made = Chains(past.history.identities, visits, past.history.hull_links, watched_levels(past.zones))
    (call,) = (c for one in made.whole([(f"segment-{SURI_MMSI}", SURI_MMSI)]) for c in one.watched_calls)
    assert (call.end, call.last_seen) == (at(6), None)


def test_equal_identities_merge_with_the_likeliest_link() -> None:
    first, second = one_of("A", probability=0.3), one_of("A", Call("P", "Nampo", "high", at(2), at(7)), probability=0.9)
    (one,) = merged([first, second])
    assert (one.link_probability, one.is_strong, len(one.calls)) == (0.9, True, 1)
