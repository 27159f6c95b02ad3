"""Exchanges of numbers: what crosses is found and linked crosswise, and what ships do every day is not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.hulls.builders import (
    H,
    Linked,
    Place,
    Silence,
    Track,
    body,
    bystanders,
    ends_of,
    linked,
    links_of,
    measured,
    moved,
    papers,
    ship_mmsi,
    strong,
)
from vessels.hulls.candidates import candidate_pairs
from vessels.hulls.ends import Ends
from vessels.hulls.evidence import BODIES, DRAUGHT, PLACE, QUIET
from vessels.hulls.exchanges import (
    AGAIN_DB,
    EXCHANGE_PRIOR_DB,
    LEAP_PRIOR_DB,
    MAX_TRACKS,
    TAKEN_PRIOR_DB,
    crossing,
    taking_up,
    weigh_exchanges,
    weigh_taken,
)
from vessels.hulls.parameters import DEFAULT_LINKS
from vessels.units import US_PER_DAY

HERE: Place = (38.5, 124.3)
THERE: Place = (43.0, 132.0)
AWAY: Place = (30.0, -140.0)
WORLD = bystanders()
DAY = 20.0
DAYS_SILENT = 2.0
CROSSWISE = {(0, 1, True, True), (1, 0, True, True)}


def silent(k: int, at: Place, to: Place, gap: float = DAYS_SILENT, **more: Any) -> Track:
    """A track that falls silent at one place and wakes at another."""
    silence = Silence(DAY, DAY + gap, at, to, more=more)
    return Track(ship_mmsi(k), 1.0, 50.0, AWAY, AWAY, papers(k), silences=(silence,))


def near(place: Place, nmi: float = 0.3, course: float = 9.0) -> Place:
    return moved(place, nmi, course)


def crosswise(gap: float = DAYS_SILENT, **more: Any) -> list[Track]:
    """Two tracks; each wakes where the other fell silent."""
    return [silent(1, HERE, near(THERE), gap, **more), silent(2, THERE, near(HERE), gap, **more)]


def broken(k: int, at: Place, to: Place, gap: float = H, **said: Any) -> list[Track]:
    """A number whose track ends at one place, and that begins another track elsewhere."""
    first = Track(ship_mmsi(k), 1.0, DAY, AWAY, at, papers(k, **said))
    return [first, replace(first, born=DAY + gap, died=50.0, at=to, to=AWAY)]


def found(tracks: Sequence[Track], strong_only: bool = True) -> Linked:
    everyone = [*tracks, *WORLD]
    return linked(everyone, links_of(everyone), strong_only)


# What is an exchange


@pytest.mark.parametrize("gap", [12 * H, 2.0, 5.0])
def test_two_ships_that_wake_where_the_other_fell_silent_exchanged_their_numbers(gap):
    assert set(found(crosswise(gap))) == CROSSWISE


def test_two_leaps_that_cross_are_an_exchange():
    assert set(found(crosswise(H, is_leap=True))) == CROSSWISE


def test_a_leap_against_a_broken_track_is_an_exchange():
    leap = silent(1, HERE, near(THERE), H, is_leap=True)
    assert set(found([leap, *broken(2, THERE, near(HERE))])) == {(0, 2, True, False), (1, 0, False, True)}


def test_two_broken_tracks_that_cross_are_an_exchange():
    tracks = [*broken(1, HERE, near(THERE)), *broken(2, THERE, near(HERE))]
    assert set(found(tracks)) == {(0, 3, False, False), (2, 1, False, False)}


def test_other_dimensions_do_not_hide_an_exchange_of_broken_tracks():
    """The numbers were exchanged with all that is typed in."""
    sizes = ({"length_m": 52.0, "beam_m": 9.0}, {"length_m": 228.0, "beam_m": 32.0})
    tracks = [*broken(1, HERE, near(THERE), **sizes[0]), *broken(2, THERE, near(HERE), **sizes[1])]
    assert set(found(tracks)) == {(0, 3, False, False), (2, 1, False, False)}


# What is not


@pytest.mark.parametrize("gap", [H, DAYS_SILENT])
def test_half_of_an_exchange_is_none(gap):
    leap = silent(1, HERE, near(THERE), gap, is_leap=gap < 6 * H)
    assert found([leap], strong_only=False) == {}
    elsewhere = silent(2, (10.0, 80.0), near(HERE), gap, is_leap=gap < 6 * H)
    assert found([leap, elsewhere], strong_only=False) == {}
    assert found([leap, broken(2, THERE, near(HERE))[1]], strong_only=False) == {}


def test_ships_that_wake_where_they_fell_silent_exchanged_nothing():
    assert found([silent(1, HERE, near(HERE)), silent(2, THERE, near(THERE))], strong_only=False) == {}


@pytest.mark.parametrize("apart", [0.0, 0.3])
def test_an_exchange_at_one_berth_cannot_be_told(apart):
    """Each is as near to where it lay as to where the other lay."""
    beside = near(HERE, apart, 90.0)
    assert found([silent(1, HERE, beside), silent(2, beside, HERE)], strong_only=False) == {}


def ferry(k: int, n: int, at: Place, to: Place) -> Track:
    """A ship on a line, unheard between its two ports each time."""
    ports = (at, to)
    silences = tuple(
        Silence(
            5.0 + 6.0 * i, 6.5 + 6.0 * i, near(ports[i % 2], 0.2, 40.0 * i + k), near(ports[1 - i % 2], 0.2, 70.0 * i)
        )
        for i in range(n)
    )
    return Track(ship_mmsi(k), 1.0, 58.0, at, to, papers(k), silences=silences)


@pytest.mark.parametrize("n", [2, 3, 8])
def test_two_ships_that_cross_often_on_one_line_exchanged_nothing(n):
    assert found([ferry(1, n, HERE, THERE), ferry(2, n, THERE, HERE)], strong_only=False) == {}


def test_many_ships_that_cross_once_each_between_two_roads_exchanged_nothing():
    roads = [(HERE, THERE), (THERE, HERE)]
    fleet = [silent(k, near(a, 3.0, 50.0 * k), near(b, 3.0, 70.0 * k)) for k in range(20) for a, b in [roads[k % 2]]]
    assert found(fleet, strong_only=False) == {}


def coasters(n: int, seed: int) -> list[Track]:
    """Ships that trade between eight ports of one sea and are silent for days on some passages."""
    rng = np.random.default_rng(seed)
    ports = [near(HERE, float(rng.uniform(5, 400)), float(rng.uniform(0, 360))) for _ in range(8)]

    def berth() -> Place:
        return near(ports[int(rng.integers(8))], float(rng.uniform(0, 2)), float(rng.uniform(0, 360)))

    tracks = []
    for k in range(1, n + 1):
        born, died, silences = float(rng.uniform(0, 15)), float(rng.uniform(45, 60)), []
        fell = born
        for _ in range(int(rng.integers(0, 4))):
            fell += float(rng.uniform(2, 8))
            silences.append(Silence(fell, fell + float(rng.uniform(2, 5)), berth(), berth()))
            fell = silences[-1].woke
        tracks.append(Track(ship_mmsi(k), born, died, berth(), berth(), papers(k), silences=tuple(silences)))
    return tracks


def test_ships_that_trade_between_a_few_ports_are_hardly_ever_taken_to_exchange_their_numbers():
    wrong = [len(strong([*coasters(150, seed), *WORLD])) for seed in range(4)]
    assert sum(wrong) <= 2, wrong


def shared(k: int, n: int) -> list[Track]:
    """Further tracks of a number, later and elsewhere."""
    rng = np.random.default_rng(k)
    tracks = []
    for born in rng.uniform(25.0, 50.0, n).tolist():
        place = float(rng.uniform(-40, 40)), float(rng.uniform(0, 90))
        tracks.append(Track(ship_mmsi(k), born, born + 1.0, place, place, papers(k)))
    return tracks


@pytest.mark.parametrize(("more", "is_exchange"), [(MAX_TRACKS - 2, True), (MAX_TRACKS - 1, False), (40, False)])
def test_breaks_of_a_number_with_many_tracks_are_no_exchange(more, is_exchange):
    one, two = broken(1, HERE, near(THERE)), broken(2, THERE, near(HERE))
    tracks = [*one, *two, *shared(1, more)]
    assert ((0, 3) in pairs_across(tracks)) == is_exchange
    crossed = {(0, 3, False, False), (2, 1, False, False)} & set(found(tracks))
    assert bool(crossed) == is_exchange


def test_filler_numbers_with_many_tracks_are_linked_to_nothing():
    rng = np.random.default_rng(6)

    def filler(mmsi: int, n: int) -> list[Track]:
        tracks = []
        for _ in range(n):
            roads = HERE if rng.random() < 0.5 else THERE
            at, to = (near(roads, 3.0 * rng.random(), course) for course in rng.uniform(0, 360, 2))
            born = float(rng.uniform(0, 55))
            tracks.append(Track(mmsi, born, born + float(rng.uniform(0.2, 4.0)), at, to, {"transceiver": "B"}))
        return tracks

    tracks = [*filler(123_456_789, 60), *filler(413_000_000, 60)]
    assert pairs_across(tracks) == set()
    assert strong([*tracks, *WORLD]) == set()


def test_an_identity_borne_for_hours_between_two_tracks_of_another_is_no_exchange():
    """Neither number has two tracks that cross: it is weighed as a change and a change back, with all that is said."""
    first = Track(ship_mmsi(1), 1.0, DAY, AWAY, HERE, papers(1))
    meanwhile = Track(ship_mmsi(2), DAY + H, DAY + 12 * H, near(HERE), near(HERE, 60.0), papers(2))
    again = replace(first, born=DAY + 13 * H, died=50.0, at=near(HERE, 60.3), to=AWAY)
    assert pairs_across([first, meanwhile, again]) == set()
    other = {"length_m": 228.0, "beam_m": 32.0, "ship_type": 80}
    boat = {"length_m": 30.0, "beam_m": 6.0, "ship_type": 30}
    unlike = [
        replace(track, said={**track.said, **said})
        for track, said in ((first, boat), (meanwhile, other), (again, boat))
    ]
    assert set(found(unlike)) == {(0, 2, False, False)}
    alike = [replace(track, said={**track.said, **body(1)}) for track in (first, meanwhile, again)]
    assert set(found(alike)) == {(0, 1, False, False), (1, 2, False, False)}


# An identity that another hull takes up


TAKER = Track(ship_mmsi(2), 1.0, DAY + 20.0 - 6 * H, AWAY, THERE, papers(2))


def laid_down(gap: float = 20.0, **more: Any) -> Track:
    return silent(1, HERE, near(THERE), gap, **more)


def taken(tracks: Sequence[Track]) -> set[tuple[int, int]]:
    """The pairs that may be an identity taken up, as numbers of ends and starts; nothing leads out of a silence."""
    ends, starts = ends_of(tracks)
    e, s = candidate_pairs(ends, starts, DEFAULT_LINKS)
    rows = taking_up(ends, starts, e, s, np.zeros(0, dtype=np.int64))
    return set(zip(e[rows].tolist(), s[rows].tolist(), strict=True))


def test_an_identity_that_wakes_after_weeks_where_another_ship_went_silent_was_taken_up():
    assert set(found([laid_down(), TAKER])) == {(1, 0, False, True)}


def test_a_ship_that_wakes_where_she_fell_silent_was_not_taken_up_by_one_that_ended_beside_her():
    assert found([silent(1, THERE, near(THERE), 20.0), TAKER], strong_only=False) == {}


def test_only_a_tracks_own_end_leads_to_an_identity_taken_up_and_no_leap_ends_with_one():
    assert taken([laid_down(), TAKER]) == {(1, 2)}
    goes_on = replace(TAKER, died=58.0, silences=(Silence(TAKER.died, 55.0, THERE, THERE),))
    assert taken([laid_down(), goes_on]) == set()
    leap = silent(1, HERE, near(THERE), H, is_leap=True)
    assert taken([leap, replace(TAKER, died=DAY)]) == set()


@pytest.mark.parametrize(("more", "is_taken"), [(MAX_TRACKS - 1, True), (MAX_TRACKS, False)])
def test_an_identity_under_which_many_tracks_sail_is_taken_up_by_none(more, is_taken):
    assert bool(taken([laid_down(), TAKER, *shared(1, more)])) == is_taken
    assert bool(taken([laid_down(), TAKER, *shared(2, more)])) == is_taken


def test_a_silence_that_a_hull_left_for_another_number_is_not_taken_up():
    ends, starts = ends_of([laid_down(), TAKER])
    e, s = candidate_pairs(ends, starts, DEFAULT_LINKS)
    assert len(taking_up(ends, starts, e, s, np.array([0]))) == 0
    # The whole borrowing is told as such: out of the silence, and back.
    meanwhile = Track(ship_mmsi(2), DAY + 6 * H, DAY + 20.0 - 6 * H, near(HERE), THERE, papers(2, **body(1)))
    assert set(found([laid_down(), meanwhile])) == {(0, 1, True, False), (1, 0, False, True)}


def test_a_track_that_ends_with_the_data_took_up_nothing_for_certain():
    ends, starts, background = measured([laid_down(), TAKER])
    pair = np.array([1]), np.array([2])
    told, prior = weigh_taken(ends, starts, *pair, background, DEFAULT_LINKS)
    assert prior.tolist() == [TAKEN_PRIOR_DB] and told.weights[QUIET].tolist() == [0.0]
    late = replace(background, span_us=(background.span_us[0], int(ends.time_us[1])))
    assert weigh_taken(ends, starts, *pair, late, DEFAULT_LINKS)[0].weights[QUIET][0] < -20.0


# Which pairs cross, and what they weigh


def across(tracks: Sequence[Track]) -> tuple[Ends, Ends, np.ndarray, np.ndarray, np.ndarray]:
    ends, starts = ends_of(tracks)
    e, s = candidate_pairs(ends, starts, DEFAULT_LINKS)
    return ends, starts, e, s, crossing(ends, starts, e, s)


def pairs_across(tracks: Sequence[Track]) -> set[tuple[int, int]]:
    """The crossing pairs as numbers of ends and starts: tracks first, silences behind them."""
    _, _, e, s, rows = across(tracks)
    return set(zip(e[rows].tolist(), s[rows].tolist(), strict=True))


def crossing_one_by_one(ends: Ends, starts: Ends, e: np.ndarray, s: np.ndarray) -> list[int]:
    """The slow twin: each pair is held against each other pair."""
    n_tracks = {m: int(((ends.mmsi == m) & (ends.silence < 0)).sum()) for m in ends.mmsi.tolist()}

    def kind(a: int, b: int) -> str:
        if ends.silence[a] >= 0 and starts.silence[b] >= 0:
            return "both"
        if ends.silence[a] >= 0:
            return "out" if ends.is_leap[a] else ""
        if starts.silence[b] >= 0:
            return "back" if starts.is_leap[b] else ""
        one, other = int(ends.mmsi[a]), int(starts.mmsi[b])
        few = all(2 <= n_tracks[m] <= MAX_TRACKS for m in (one, other))
        return "plain" if few and one != other else ""

    def leads_back(a: int, b: int, c: int, d: int) -> bool:
        match kind(a, b), kind(c, d):
            case "both", "both":
                return (c, d) == (b, a)
            case "out", "back":
                return d == a and bool(ends.mmsi[c] == starts.mmsi[b])
            case "back", "out":
                return c == b and bool(starts.mmsi[d] == ends.mmsi[a])
            case "plain", "plain":
                days = abs(int(ends.time_us[a] // US_PER_DAY) - int(ends.time_us[c] // US_PER_DAY))
                return bool(ends.mmsi[c] == starts.mmsi[b] and starts.mmsi[d] == ends.mmsi[a] and days <= 1)
        return False

    pairs = list(zip(e.tolist(), s.tolist(), strict=True))
    return [i for i, one in enumerate(pairs) if any(leads_back(*one, *other) for other in pairs)]


spots = st.sampled_from([HERE, near(HERE, 1.0), near(HERE, 8.0), near(HERE, 30.0)])
moments = st.integers(0, 30).map(lambda k: DAY + k * 0.25)


@st.composite
def tracks_of_few_numbers(draw: st.DrawFn) -> list[Track]:
    tracks = []
    for _ in range(draw(st.integers(2, 9))):
        k, born, died = draw(st.integers(1, 3)), *sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
        silences = ()
        if draw(st.booleans()):
            leap = draw(st.booleans())
            silence = Silence(born + 0.05, born + 0.15, draw(spots), draw(spots), more={"is_leap": leap})
            silences = (silence,)
        track = Track(ship_mmsi(k), born, died, draw(spots), draw(spots), papers(k), silences=silences)
        tracks.append(track)
    return tracks


@settings(max_examples=80, deadline=None)
@given(tracks_of_few_numbers())
def test_crossing_pairs_are_those_that_a_look_at_all_pairs_finds(tracks):
    ends, starts, e, s, rows = across(tracks)
    assert rows.tolist() == crossing_one_by_one(ends, starts, e, s)


def test_nothing_crosses_where_nothing_is():
    none = np.zeros(0, dtype=np.int64)
    assert crossing(*ends_of([]), none, none).tolist() == []
    assert pairs_across([silent(1, HERE, THERE)]) == set()


def weighed_across(tracks: Sequence[Track]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Weights and priors of the crossing pairs of some tracks among others."""
    ends, starts, background = measured([*tracks, *WORLD])
    e, s = candidate_pairs(ends, starts, DEFAULT_LINKS)
    rows = crossing(ends, starts, e, s)
    own = rows[np.isin(ends.mmsi[e[rows]], [track.mmsi for track in tracks])]
    told, prior = weigh_exchanges(ends, starts, e[own], s[own], background, DEFAULT_LINKS)
    return told.weights, prior


def test_the_prior_of_an_exchange_is_shared_by_its_halves_and_higher_where_something_is_unexplained():
    assert weighed_across(crosswise())[1].tolist() == [EXCHANGE_PRIOR_DB / 2.0] * 2
    assert weighed_across(crosswise(H, is_leap=True))[1].tolist() == [LEAP_PRIOR_DB / 2.0] * 2
    tracks = [*broken(1, HERE, near(THERE)), *broken(2, THERE, near(HERE))]
    assert weighed_across(tracks)[1].tolist() == [LEAP_PRIOR_DB / 2.0] * 2


def test_each_further_crossing_of_two_numbers_makes_all_of_them_less_likely():
    # One ship goes there and back while the other comes and goes back: four pairs, two crossings.
    _, prior = weighed_across([ferry(1, 2, HERE, THERE), ferry(2, 2, THERE, HERE)])
    assert len(prior) > 2
    expected = EXCHANGE_PRIOR_DB / 2.0 + AGAIN_DB * (len(prior) / 2.0 - 1.0)
    assert prior.tolist() == pytest.approx([expected] * len(prior))


def test_a_place_where_ships_wake_every_day_proves_less():
    waking = [silent(20 + k, near(AWAY, 30.0 * k), near(HERE, 1.0, 30.0 * k)) for k in range(30)]
    alone, crowded = weighed_across(crosswise())[0][PLACE], weighed_across([*crosswise(), *waking])[0][PLACE]
    assert min(crowded) < min(alone) - 10.0


def test_a_hull_that_could_as_well_have_kept_its_number_weighs_nothing():
    beside = near(HERE, 0.3, 90.0)
    place = weighed_across([silent(1, HERE, HERE), silent(2, beside, beside)])[0][PLACE]
    assert len(place) == 2 and (place < 0.0).all()


def test_draughts_that_went_with_the_place_and_not_with_the_number_speak_for_an_exchange():
    def draughts(one: tuple[float, float], other: tuple[float, float]) -> np.ndarray:
        tracks = [
            replace(track, silences=(replace(silence, more={"start_draught_m": a, "end_draught_m": b}),))
            for track, (a, b) in zip(crosswise(8 * H), (one, other), strict=True)
            for silence in track.silences
        ]
        return weighed_across(tracks)[0][DRAUGHT]

    assert (draughts((3.0, 9.0), (9.0, 3.0)) > 3.0).all()
    assert (draughts((3.0, 3.0), (9.0, 9.0)) < -3.0).all()


def test_dimensions_said_after_a_silence_say_nothing_and_after_a_break_never_speak_against():
    assert np.isnan(weighed_across(crosswise())[0][BODIES]).all()
    other = [*broken(1, HERE, near(THERE)), *broken(2, THERE, near(HERE), length_m=228.0, beam_m=32.0)]
    assert weighed_across(other)[0][BODIES].tolist() == [0.0, 0.0]
    one, two = broken(1, HERE, near(THERE)), broken(2, THERE, near(HERE))
    mended = [one[0], replace(one[1], said=papers(2)), two[0], replace(two[1], said=papers(1))]
    assert (weighed_across(mended)[0][BODIES] > 5.0).all()
