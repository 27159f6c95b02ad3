"""Tracks parted where two hulls exchanged their numbers: every row goes to its part, and nothing else is touched."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    T0_US,
    H,
    Row,
    chain,
    disc,
    end_of,
    facts_of,
    history_of,
    instant,
    lie,
    sail,
    zones_of,
)
from vessels import schema
from vessels.instants import times_us
from vessels.joining import join_hulls
from vessels.parting import part_tracks
from vessels.schema import make_id
from vessels.units import US_PER_S

Place = tuple[float, float]
Tables = dict[str, pa.Table]
NAMES = ("segments", "identities", "port_visits", "zone_presences", "voyages", "sketches", "silences", "vessels")
TIMES = {
    "segments": ("start", "end"), "identities": ("first_seen", "last_seen"), "port_visits": ("start", "last_seen"),
    "zone_presences": ("start", "end"), "voyages": ("start", "last_seen"), "sketches": ("timestamp", "timestamp"),
    "silences": ("start", "end"),
}  # fmt: skip
EAST, WEST, SOUTH, NORTH = (40.0, 130.0), (40.0, 127.0), (37.5, 129.0), (42.5, 129.0)
ZONES = zones_of(
    disc("XX_EAST", *EAST, 8.0), disc("XX_WEST", *WEST, 8.0), disc("XX_SOUTH", *SOUTH, 8.0),
    disc("XX_NORTH", *NORTH, 8.0),
)  # fmt: skip
P, Q = (40.0, 128.5), (40.17, 128.5)
"""Where the two fall silent, as far apart as is sailed in 20 minutes in haste."""
MET = 30 * H
LEAP = 1200.0
FIRST = {"name": "INVENTED ONE", "length_m": 90.0}
SECOND = {"name": "INVENTED TWO", "length_m": 140.0}


def until(mmsi: int, t: float, at: Place, to: Place, **said: Any) -> list[dict[str, Any]]:
    """Lies in a port, then sails until a moment."""
    rows = lie(mmsi, 0.0, at, 4.0, **said)
    rows += sail(mmsi, end_of(rows) + 600.0, at, to, **said)
    return [{**row, "t": row["t"] + t - end_of(rows)} for row in rows]


def onwards(mmsi: int, t: float, at: Place, to: Place, **said: Any) -> list[dict[str, Any]]:
    """Sails from a moment on, then lies in a port."""
    rows = sail(mmsi, t, at, to, **said)
    return rows + lie(mmsi, end_of(rows) + 600.0, to, 8.0, **said)


def met() -> list[Row]:
    """One ship from east to west, one from south to north; where they meet they exchange their numbers."""
    return [
        *until(ALPHA, MET, EAST, P, **FIRST),
        *onwards(ALPHA, MET + LEAP, (40.17, 128.52), NORTH, **FIRST),
        *until(BRAVO, MET, SOUTH, Q, **SECOND),
        *onwards(BRAVO, MET + LEAP, (40.0, 128.44), WEST, **SECOND),
    ]


def bystander() -> list[Row]:
    return [{**row, "mmsi": CHARLIE} for row in until(CHARLIE, 40 * H, WEST, (40.0, 127.6), name="INVENTED THREE")]


def tables_of(rows: Sequence[Row]) -> Tables:
    """The tables of a history before any hull is linked."""
    (facts,) = facts_of(rows, zones=ZONES)
    return {name: getattr(facts, name) for name in NAMES}


def sides_of(tables: Tables, mmsi: int, which: int | None) -> tuple[dict[str, Any], Any, Any]:
    """A number's only track, and when it falls silent and wakes: at a silence, or at its own ends."""
    (track,) = (row for row in tables["segments"].to_pylist() if row["mmsi"] == mmsi)
    if which is None:
        return track, track["end"], track["start"]
    silence = [row for row in tables["silences"].to_pylist() if row["segment_id"] == track["segment_id"]][which]
    return track, silence["start"], silence["end"]


def link(
    tables: Tables, before: int, after: int, *, silent: int | None = 0, wakes: int | None = 0, strong: bool = True
) -> dict[str, Any]:
    """A link from one number to another; `silent`, `wakes` are numbers of their silences."""
    one, ended, _ = sides_of(tables, before, silent)
    other, _, began = sides_of(tables, after, wakes)
    return {
        "link_id": make_id("link", one["segment_id"], other["segment_id"], ended),
        "from_segment_id": one["segment_id"], "to_segment_id": other["segment_id"],
        "from_mmsi": before, "to_mmsi": after, "ended": ended, "began": began,
        "from_silence": silent is not None, "to_silence": wakes is not None,
        "is_strong": strong, "probability": 0.95 if strong else 0.3,
    }  # fmt: skip


def links_of(*rows: dict[str, Any]) -> pa.Table:
    return schema.HULL_LINKS.build({name: [row.get(name) for row in rows] for name in schema.HULL_LINKS.names})


def crosswise(tables: Tables, *numbers: int) -> pa.Table:
    """Strong links both ways at these silences of both."""
    return links_of(
        *(link(tables, a, b, silent=i, wakes=i) for i in numbers or (0,) for a, b in ((ALPHA, BRAVO), (BRAVO, ALPHA)))
    )


def parted(rows: Sequence[Row] | None = None, *numbers: int) -> tuple[Tables, Tables, pa.Table]:
    """The tables before, and the tables and links after."""
    tables = tables_of(met() if rows is None else rows)
    return (tables, *part_tracks(tables, crosswise(tables, *numbers))[:2])


def own(tables: Tables, name: str, mmsi: int) -> list[dict[str, Any]]:
    return [row for row in tables[name].to_pylist() if row["mmsi"] == mmsi]


def spans_us(tables: Tables) -> dict[str, tuple[int, int]]:
    table = tables["segments"]
    times = (times_us(table[name]).tolist() for name in ("start", "end"))
    return dict(zip(table["segment_id"].to_pylist(), zip(*times, strict=True), strict=True))


def assert_in_order(tables: Tables) -> None:
    """Each table has its declared columns, and its rows stand by MMSI, track in order of its start, time."""
    spans = spans_us(tables)
    for name, table in tables.items():
        assert table.schema.equals(getattr(schema, name.upper()).arrow, check_metadata=True), name
        table.validate(full=True)
        if name in TIMES:
            tracks = table["segment_id"].to_pylist()
            first = times_us(table[TIMES[name][0]]).tolist()
            keys = [(m, spans[t][0], f) for m, t, f in zip(table["mmsi"].to_pylist(), tracks, first, strict=True)]
            assert keys == sorted(keys), name


def assert_in_their_tracks(tables: Tables) -> None:
    """Every row lies within the time of its track."""
    spans = spans_us(tables)
    for name, columns in TIMES.items():
        table = tables[name]
        rows = zip(table["segment_id"].to_pylist(), *(times_us(table[c]).tolist() for c in columns), strict=True)
        for track, first, last in rows:
            assert spans[track][0] <= first <= last <= spans[track][1], (name, track)


# What is cut


def test_without_a_strong_crossing_nothing_is_touched():
    tables = tables_of([*met(), *bystander()])
    out, back = link(tables, ALPHA, BRAVO), link(tables, BRAVO, ALPHA)
    weak = [{**one, "is_strong": False} for one in (out, back)]
    plain = [link(tables, ALPHA, BRAVO, silent=None, wakes=None), link(tables, BRAVO, ALPHA, silent=None, wakes=None)]
    leaves = link(tables, ALPHA, BRAVO, wakes=None)
    for rows in ((), (leaves,), (out, weak[1]), (weak[0], back), weak, plain):
        links = links_of(*rows)
        after, links_after, *_ = part_tracks(tables, links)
        assert links_after.equals(links)
        assert all(after[name] is tables[name] for name in NAMES)


def test_half_of_an_exchange_of_which_the_other_half_is_unlikely_cuts_nothing():
    tables = tables_of(met())
    links = links_of(link(tables, BRAVO, ALPHA))
    after, links_after, *_ = part_tracks(tables, links)
    assert links_after is links and all(after[name] is tables[name] for name in NAMES)


def test_a_crossing_cuts_both_tracks_in_two():
    before, after, _ = parted()
    for mmsi in (ALPHA, BRAVO):
        (whole,) = own(before, "segments", mmsi)
        one, two = own(after, "segments", mmsi)
        assert (one["start"], one["end"]) == (whole["start"], instant(MET))
        assert (two["start"], two["end"]) == (instant(MET + LEAP), whole["end"])


def test_the_first_part_keeps_its_name_and_the_second_is_named_by_mmsi_and_start():
    before, after, _ = parted()
    for mmsi in (ALPHA, BRAVO):
        (whole,) = own(before, "segments", mmsi)
        one, two = own(after, "segments", mmsi)
        assert one["segment_id"] == whole["segment_id"]
        assert two["segment_id"] == make_id("segment", mmsi, T0_US + round((MET + LEAP) * US_PER_S))


def test_a_second_part_is_named_as_a_track_that_begins_there():
    _, after, _ = parted()
    later = [row for row in met() if row["t"] > MET]
    for mmsi in (ALPHA, BRAVO):
        (alone,) = own(tables_of(later), "segments", mmsi)
        assert own(after, "segments", mmsi)[1]["segment_id"] == alone["segment_id"]


def test_parts_end_and_begin_as_the_silence_did():
    before, after, _ = parted()
    for mmsi in (ALPHA, BRAVO):
        (whole,), (silence,) = own(before, "segments", mmsi), own(before, "silences", mmsi)
        one, two = own(after, "segments", mmsi)
        for name in ("lat", "lon", "sog_kn", "cog_deg", "draught_m"):
            assert one[f"start_{name}"] == whole[f"start_{name}"] and two[f"end_{name}"] == whole[f"end_{name}"]
            assert (one[f"end_{name}"], two[f"start_{name}"]) == (silence[f"start_{name}"], silence[f"end_{name}"])


def test_parts_are_measured_nearly_as_tracks_of_their_own():
    _, after, _ = parted()
    for mmsi in (ALPHA, BRAVO):
        for part, rows in zip(
            own(after, "segments", mmsi),
            ([row for row in met() if row["t"] <= MET], [row for row in met() if row["t"] > MET]),
            strict=True,
        ):
            (alone,) = own(tables_of(rows), "segments", mmsi)
            assert part["distance_nmi"] == pytest.approx(alone["distance_nmi"], rel=0.01)
            assert part["n_positions"] == pytest.approx(alone["n_positions"], rel=0.2)


def test_tables_keep_their_columns_and_their_order():
    before, after, links = parted([*met(), *bystander()])
    assert set(after) == set(before)
    assert_in_order(after)
    assert links.schema.equals(schema.HULL_LINKS.arrow, check_metadata=True)
    reordered = [row for row in met() if row["mmsi"] == BRAVO] + [row for row in met() if row["mmsi"] == ALPHA]
    assert all(parted(reordered)[1][name].equals(parted()[1][name]) for name in NAMES)


def test_every_row_goes_to_the_part_in_whose_time_it_lies():
    before, after, _ = parted([*met(), *bystander()])
    assert_in_their_tracks(after)
    assert after["sketches"].num_rows == before["sketches"].num_rows
    for name, key in (("port_visits", "visit_id"), ("zone_presences", "presence_id")):
        assert sorted(after[name][key].to_pylist()) == sorted(before[name][key].to_pylist())
    for name in ("segments", "port_visits", "zone_presences", "sketches"):
        parts = {row["segment_id"] for row in own(after, name, ALPHA)}
        assert parts == {row["segment_id"] for row in own(after, "segments", ALPHA)}, name


def test_counts_of_reports_are_shared_out():
    before, after, _ = parted()
    for name, column in (("segments", "n_positions"), ("identities", "n_reports"), ("voyages", "n_positions")):
        for mmsi in (ALPHA, BRAVO):
            parts = [row[column] for row in own(after, name, mmsi)]
            assert sum(parts) == sum(row[column] for row in own(before, name, mmsi)) and min(parts) >= 1


def test_a_spell_over_the_cut_is_said_by_both_parts_as_it_was():
    before, after, _ = parted()
    (whole,), (one, two) = own(before, "identities", ALPHA), own(after, "identities", ALPHA)
    assert {row["name"] for row in (one, two)} == {whole["name"]}
    assert (one["first_seen"], one["last_seen"]) == (whole["first_seen"], instant(MET))
    assert (two["first_seen"], two["last_seen"]) == (instant(MET + LEAP), whole["last_seen"])


def test_a_spell_on_one_side_of_the_cut_stays_whole():
    rows = [{**row, "name": "INVENTED NEW"} if row["mmsi"] == ALPHA and row["t"] > MET + H else row for row in met()]
    before, after, _ = parted(rows)
    assert [row["name"] for row in own(after, "identities", ALPHA)] == [FIRST["name"], FIRST["name"], "INVENTED NEW"]
    last = own(before, "identities", ALPHA)[-1]
    assert own(after, "identities", ALPHA)[-1] == {**last, "segment_id": own(after, "segments", ALPHA)[1]["segment_id"]}


def test_a_spell_first_heard_within_the_silence_belongs_to_the_part_that_bears_it():
    said = {"mmsi": ALPHA, "t": MET + 600.0, "lat": None, "lon": None, "name": "INVENTED NEW", "length_m": 90.0}
    changed = [{**row, "name": "INVENTED NEW"} if row["mmsi"] == ALPHA and row["t"] > MET else row for row in met()]
    before, after, _ = parted([*changed, said])
    assert instant(MET + 600.0) in {row["first_seen"] for row in own(before, "identities", ALPHA)}
    second = own(after, "segments", ALPHA)[1]["segment_id"]
    assert {row["segment_id"] for row in own(after, "identities", ALPHA) if row["name"] == "INVENTED NEW"} == {second}


@pytest.mark.xfail(reason="a visit or presence that lasts over the cut goes whole to the part before it", strict=True)
def test_a_visit_that_lasts_over_the_cut_is_no_longer_than_the_part_it_stays_with():
    wide = zones_of(disc("XX_ROADS", 40.08, 128.5, 60.0))
    (facts,) = facts_of(met(), zones=wide)
    tables = {name: getattr(facts, name) for name in NAMES}
    assert_in_their_tracks(part_tracks(tables, crosswise(tables))[0])


def test_a_voyage_over_the_cut_is_one_without_arrival_and_one_without_origin():
    before, after, _ = parted()
    (whole,), (one, two) = own(before, "voyages", ALPHA), own(after, "voyages", ALPHA)
    assert (one["voyage_id"], one["origin"], one["start"]) == (whole["voyage_id"], "XX_EAST", whole["start"])
    assert (one["destination"], one["end"], one["is_open"]) == (None, None, True)
    assert one["last_seen"] == one["span_end"] == instant(MET)
    assert (two["origin"], two["destination"], two["end"]) == (None, "XX_NORTH", whole["end"])
    assert two["start"] == two["span_start"] == instant(MET + LEAP)
    assert two["voyage_id"] != one["voyage_id"] and two["segment_id"] != one["segment_id"]


def test_a_silence_that_was_cut_is_none_any_more_and_others_stay():
    rows = [row for row in met() if not (row["mmsi"] == ALPHA and MET + 3 * H < row["t"] < MET + 10 * H)]
    before, after, _ = parted(rows)
    assert len(own(before, "silences", ALPHA)) == 2
    (kept,) = own(after, "silences", ALPHA)
    assert kept["start"] > instant(MET + LEAP)
    assert kept["segment_id"] == own(after, "segments", ALPHA)[1]["segment_id"]
    assert own(after, "silences", BRAVO) == []


def test_one_track_more_is_counted_for_each_cut_and_bystanders_stay_as_they_were():
    before, after, _ = parted([*met(), *bystander()])
    counts = dict(zip(after["vessels"]["mmsi"].to_pylist(), after["vessels"]["n_segments"].to_pylist(), strict=True))
    assert counts == {ALPHA: 2, BRAVO: 2, CHARLIE: 1}
    rest = [name for name in before["vessels"].column_names if name != "n_segments"]
    assert after["vessels"].select(rest).equals(before["vessels"].select(rest))
    for name in NAMES:
        assert own(after, name, CHARLIE) == own(before, name, CHARLIE)


def test_links_that_crossed_lead_from_first_parts_to_second_parts():
    _, after, links = parted()
    first, second = ({m: own(after, "segments", m)[i]["segment_id"] for m in (ALPHA, BRAVO)} for i in (0, 1))
    for row in links.to_pylist():
        assert row["from_segment_id"] == first[row["from_mmsi"]] and row["to_segment_id"] == second[row["to_mmsi"]]
        assert not row["from_silence"] and not row["to_silence"]


def test_other_links_follow_the_part_they_touch():
    tables = tables_of([*met(), *bystander()])
    more = [
        link(tables, ALPHA, CHARLIE, silent=None, wakes=None, strong=False),
        link(tables, CHARLIE, ALPHA, silent=None, wakes=None, strong=False),
        link(tables, ALPHA, CHARLIE, wakes=None, strong=False),
        link(tables, CHARLIE, ALPHA, silent=None, strong=False),
    ]
    after, links, _ = part_tracks(tables, pa.concat_tables([crosswise(tables), links_of(*more)]))
    one, two = (row["segment_id"] for row in own(after, "segments", ALPHA))
    ends, begins, out, back = links.to_pylist()[2:]
    assert (ends["from_segment_id"], begins["to_segment_id"]) == (two, one)
    assert (out["from_segment_id"], back["to_segment_id"]) == (one, two)
    unchanged = [n for n in links.column_names if n not in
                 ("from_segment_id", "to_segment_id", "from_silence", "to_silence")]  # fmt: skip
    given = pa.concat_tables([crosswise(tables), links_of(*more)])
    assert links.select(unchanged).equals(given.select(unchanged).combine_chunks())


def test_an_identity_borne_during_a_long_silence_cuts_nothing():
    first = lie(ALPHA, 0.0, EAST, 4.0)
    meanwhile = chain(lambda t: lie(BRAVO, t + 6 * H, EAST, 8.0), lambda t: lie(BRAVO, t, EAST, 8.0))
    tables = tables_of([*first, *meanwhile, *lie(ALPHA, 40 * H, EAST, 4.0)])
    links = links_of(link(tables, ALPHA, BRAVO, wakes=None), link(tables, BRAVO, ALPHA, silent=None))
    after, links_after, *_ = part_tracks(tables, links)
    assert links_after is links and all(after[name] is tables[name] for name in NAMES)


def taken_up() -> list[Row]:
    """One ship goes from east to west and is heard no more; then a number long silent wakes there and goes south."""
    laid_down = chain(lambda t: lie(ALPHA, t, NORTH, 8.0, **FIRST))
    first = onwards(BRAVO, 10 * H, EAST, WEST, **SECOND)
    begin = end_of(first) + 2 * H
    rows = lie(ALPHA, begin, WEST, 4.0, **FIRST)
    return [*laid_down, *first, *rows, *onwards(ALPHA, end_of(rows) + 600.0, WEST, SOUTH, **FIRST)]


def test_an_identity_that_another_hull_took_up_is_cut_where_it_wakes():
    tables = tables_of([*taken_up(), *bystander()])
    taking = link(tables, BRAVO, ALPHA, silent=None)
    after, links, _ = part_tracks(tables, links_of(taking))
    assert_in_order(after)
    assert_in_their_tracks(after)
    assert [len(own(after, "segments", mmsi)) for mmsi in (ALPHA, BRAVO, CHARLIE)] == [2, 1, 1]
    one, two = (row["segment_id"] for row in own(after, "segments", ALPHA))
    (told,) = links.to_pylist()
    assert (told["to_segment_id"], told["to_silence"]) == (two, False)
    out = join_hulls(after, links, ZONES)
    hulls = {row["segment_id"]: row["hull_id"] for row in out["segments"].to_pylist()}
    assert hulls[told["from_segment_id"]] == hulls[two] != hulls[one]
    (over,) = (row for row in out["voyages"].to_pylist() if row["mmsi"] == ALPHA and row["destination"] == "XX_SOUTH")
    assert (over["origin"], over["hull_id"]) == ("XX_WEST", hulls[two])


@pytest.mark.parametrize("strong", [True, False])
def test_an_identity_that_its_own_hull_may_have_left_was_not_taken_up(strong):
    tables = tables_of([*taken_up(), *bystander()])
    left = link(tables, ALPHA, BRAVO, wakes=None, strong=strong)
    links = links_of(left, link(tables, BRAVO, ALPHA, silent=None))
    after, links_after, *_ = part_tracks(tables, links)
    assert links_after is links and all(after[name] is tables[name] for name in NAMES)


def test_two_long_silences_that_cross_are_cut_too():
    def quiet(mmsi: int, at: Place, to: Place) -> list[Row]:
        return [*lie(mmsi, 0.0, at, 6.0), *lie(mmsi, 40 * H, to, 6.0)]

    tables = tables_of([*quiet(ALPHA, EAST, WEST), *quiet(BRAVO, WEST, EAST)])
    assert not any(tables["silences"]["is_leap"].to_pylist())
    after, *_ = part_tracks(tables, crosswise(tables))
    assert_in_order(after)
    assert_in_their_tracks(after)
    assert [len(own(after, "segments", mmsi)) for mmsi in (ALPHA, BRAVO)] == [2, 2]


def test_a_leap_against_a_broken_track_cuts_the_leap_alone():
    rows = [row if row["mmsi"] == ALPHA or row["t"] <= MET else {**row, "mmsi": CHARLIE} for row in met()]
    tables = tables_of(rows)
    links = [link(tables, ALPHA, CHARLIE, wakes=None), link(tables, BRAVO, ALPHA, silent=None)]
    # To the links the two tracks are of one number.
    links = [{**one, **{k: BRAVO for k in ("from_mmsi", "to_mmsi") if one[k] == CHARLIE}} for one in links]
    after, *_ = part_tracks(tables, links_of(*links))
    assert [len(own(after, "segments", mmsi)) for mmsi in (ALPHA, BRAVO, CHARLIE)] == [2, 1, 1]


# Several cuts


AGAIN = MET + LEAP + 12 * H


def met_twice() -> list[Row]:
    """Two ships on parallel courses exchange their numbers, and twelve hours later again."""
    south, north = (40.0, 135.0), (40.17, 135.0)

    def on(place: Place, h: float) -> Place:
        return place[0], place[1] + h * 12.0 / 60.0 / 0.766

    def leg(mmsi: int, t: float, place: Place, since: float, until: float, **said: Any) -> list[dict[str, Any]]:
        return sail(mmsi, t, on(place, since), on(place, until), **said)

    rows = []
    for mmsi, places, said in ((ALPHA, (south, north, south), FIRST), (BRAVO, (north, south, north), SECOND)):
        begin = 0.0
        for place in places:
            rows += leg(mmsi, begin * H, place, begin, begin + 11.5, **said)
            begin = end_of(rows) / H + 1.0 / 3.0
    return rows


def test_a_track_cut_twice_has_three_parts_in_order():
    before, after, links = parted(met_twice(), 0, 1)
    assert_in_order(after)
    assert_in_their_tracks(after)
    counts = dict(zip(after["vessels"]["mmsi"].to_pylist(), after["vessels"]["n_segments"].to_pylist(), strict=True))
    assert counts == {ALPHA: 3, BRAVO: 3}
    for mmsi in (ALPHA, BRAVO):
        (whole,), parts, silences = (
            own(before, "segments", mmsi),
            own(after, "segments", mmsi),
            own(before, "silences", mmsi),
        )
        assert [row["start"] for row in parts] == [whole["start"], *(row["end"] for row in silences)]
        assert [row["end"] for row in parts] == [*(row["start"] for row in silences), whole["end"]]
        assert len({row["segment_id"] for row in parts}) == 3 and parts[0]["segment_id"] == whole["segment_id"]
        assert sum(row["n_positions"] for row in parts) == whole["n_positions"]
        assert [row["name"] for row in own(after, "identities", mmsi)] == [
            own(before, "identities", mmsi)[0]["name"]
        ] * 3
    names = {m: [row["segment_id"] for row in own(after, "segments", m)] for m in (ALPHA, BRAVO)}
    told = [(row["from_segment_id"], row["to_segment_id"]) for row in links.to_pylist()]
    assert told == [(names[a][i], names[b][i + 1]) for i in (0, 1) for a, b in ((ALPHA, BRAVO), (BRAVO, ALPHA))]


def test_of_two_crossings_one_strong_cuts_once():
    before, after, _ = parted(met_twice(), 1)
    for mmsi in (ALPHA, BRAVO):
        assert len(own(after, "segments", mmsi)) == 2
        assert own(after, "silences", mmsi)[0]["start"] == own(before, "silences", mmsi)[0]["start"]


def test_hulls_that_exchanged_twice_are_two_hulls_of_three_parts():
    _, after, links = parted(met_twice(), 0, 1)
    out = join_hulls(after, links, ZONES)
    hulls = [row["hull_id"] for m in (ALPHA, BRAVO) for row in own(out, "segments", m)]
    assert len(set(hulls)) == 2 and hulls[0] == hulls[4] == hulls[2] and hulls[3] == hulls[1] == hulls[5]


# What becomes of the hulls


def journeys(tables: Tables) -> set[tuple[Any, ...]]:
    rows = tables["voyages"].to_pylist()
    return {(row["hull_id"], row["origin"], row["destination"], row["is_open"]) for row in rows}


def test_joined_the_parts_are_two_hulls_and_their_voyages_go_on():
    _, after, links = parted()
    out = join_hulls(after, links, ZONES)
    one, two = (make_id("hull", own(after, "segments", mmsi)[0]["segment_id"]) for mmsi in (ALPHA, BRAVO))
    assert [row["hull_id"] for row in own(out, "segments", ALPHA)] == [one, two]
    assert [row["hull_id"] for row in own(out, "segments", BRAVO)] == [two, one]
    assert journeys(out) == {(one, "XX_EAST", "XX_WEST", False), (two, "XX_SOUTH", "XX_NORTH", False)}
    assert out["hull_links"]["is_strong"].to_pylist() == [True, True]
    assert out["voyage_parts"].num_rows == 4


def test_a_history_links_parts_and_joins_ships_that_exchange_their_numbers_under_way():
    history = history_of([*met(), *bystander()], zones=ZONES)
    assert sorted(row["is_strong"] for row in history.hull_links.to_pylist()) == [True, True]
    told = {row[1:] for row in journeys({"voyages": history.voyages}) if row[2] is not None}
    assert told == {("XX_EAST", "XX_WEST", False), ("XX_SOUTH", "XX_NORTH", False)}
