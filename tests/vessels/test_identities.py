"""Identity spells: agreement with a plain loop, what ends a spell, and where static-only rows go."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, H, claim_of, history_of, instant, lie, sail, tables_of
from vessels.ais import parse_imo
from vessels.chunks import NOTHING_SAID

LAW = settings(max_examples=40, deadline=None)
FULL = {"imo": "2318669", "name": "MIRAE 3", "call_sign": "HMZQ", "ship_type": 70, "length_m": 110.0}


def spells_of(*files, **how):
    return tables_of(history_of(*files, **how))["identities"]


def laid_over(claim, before):
    """What is known once `claim` is heard after `before`."""
    fields = {
        name: getattr(claim, name) if getattr(claim, name) is not None else getattr(before, name)
        for name in claim._fields
    }
    said = [claim.call_sign_raw, claim.ship_type, claim.length_m, claim.destination_raw]
    full = claim.name_raw is not None and any(value is not None for value in said)
    if full and claim.imo_raw is None:
        fields["imo_raw"] = None
    return type(claim)(**fields)


def slowly(rows):
    """Spells of one ship, row by row: (name, imo, destination, first, last, reports)."""
    state, spells = NOTHING_SAID, []
    order = sorted(rows, key=lambda row: (row["t"], row.get("lat") is None))
    for row in order:
        claim = claim_of(row)
        if claim == NOTHING_SAID:
            continue
        now = laid_over(claim, state)
        if spells and now == state:
            spells[-1][-2:] = [row["t"], spells[-1][-1] + 1]
        else:
            spells.append([now, row["t"], row["t"], 1])
            state = now
    return [
        (s.name_raw, parse_imo(s.imo_raw), s.destination_raw, instant(first), instant(last), n)
        for s, first, last, n in spells
    ]


SAID = st.fixed_dictionaries(
    {},
    optional={
        "imo": st.sampled_from(["2318669", "2318657", "0"]),
        "name": st.sampled_from(["MIRAE 3", "SAEBYOL 5"]),
        "call_sign": st.sampled_from(["HMZQ"]),
        "destination": st.sampled_from(["NAKHODKA", "POHANG"]),
        "transceiver": st.just("A"),
    },
)


@st.composite
def reports(draw):
    """Positions and static-only rows of one ship that lies still, each at its own instant."""
    rows = []
    for i in range(draw(st.integers(1, 20))):
        row = {"mmsi": ALPHA, "t": 60.0 * (i + 1), **draw(SAID)}
        if i == 0 or len(row) == 2 or draw(st.booleans()):
            row.update(lat=35.0, lon=130.0)
        rows.append(row)
    return rows


@LAW
@given(reports())
def test_the_spells_are_those_of_the_plain_loop(rows):
    got = [
        (s["name_raw"], s["imo"], s["destination_raw"], s["first_seen"], s["last_seen"], s["n_reports"])
        for s in spells_of(rows)
    ]
    assert got == slowly(rows)


@LAW
@given(reports(), st.randoms(use_true_random=False), st.sampled_from([1, 3]))
def test_neither_order_nor_files_nor_repeats_change_a_spell(rows, random, n_buckets):
    mixed = random.sample(rows, len(rows))
    files = [mixed[: len(mixed) // 2] + rows[:3], mixed[len(mixed) // 2 :], rows[2:5]]
    assert spells_of(*files, n_buckets=n_buckets) == spells_of(rows)


def test_a_spell_says_when_and_where_it_was_first_and_last_heard():
    rows = [{**row, **FULL} for row in sail(ALPHA, 0.0, (35.0, 130.0), (35.5, 130.0))]
    (spell,) = spells_of(rows)
    assert (spell["first_seen"], spell["last_seen"]) == (instant(rows[0]["t"]), instant(rows[-1]["t"]))
    assert (spell["first_lat"], spell["last_lat"]) == (35.0, 35.5)
    assert spell["n_reports"] == len(rows)
    assert (spell["imo"], spell["name"], spell["ship_type"], spell["length_m"]) == (2318669, "MIRAE 3", 70, 110.0)
    assert spell["segment_id"] is not None


def test_raw_text_is_kept_beside_the_cleaned():
    rows = lie(
        ALPHA, 0.0, (35.0, 130.0), 1.0, name="MIRAE  3@@@@", call_sign="HM-ZQ ", imo="IMO2318669", destination="@@@"
    )
    (spell,) = spells_of(rows)
    assert (spell["name_raw"], spell["name"]) == ("MIRAE  3@@@@", "MIRAE 3")
    assert (spell["call_sign_raw"], spell["call_sign"]) == ("HM-ZQ ", "HMZQ")
    assert (spell["imo_raw"], spell["imo"]) == ("IMO2318669", 2318669)
    assert (spell["destination_raw"], spell["destination"]) == ("@@@", None)


def test_a_partial_statement_changes_nothing_that_it_does_not_say():
    rows = [
        {**row, **(FULL if i % 2 == 0 else {"name": "MIRAE 3"})}
        for i, row in enumerate(lie(ALPHA, 0.0, (35.0, 130.0), 2.0))
    ]
    (spell,) = spells_of(rows)
    assert spell["imo"] == 2318669


def test_a_full_statement_without_an_imo_number_says_there_is_none():
    quay = lie(ALPHA, 0.0, (35.0, 130.0), 2.0)
    rows = [{**row, **FULL, **({"imo": None} if i > 5 else {})} for i, row in enumerate(quay)]
    before, after = spells_of(rows)
    assert (before["imo"], after["imo"]) == (2318669, None)
    assert after["name"] == "MIRAE 3"


def test_a_name_and_back_again_makes_three_spells():
    quay = lie(ALPHA, 0.0, (35.0, 130.0), 3.0)
    names = ["MIRAE 3" if not 6 <= i < 12 else "SAEBYOL 5" for i in range(len(quay))]
    spells = spells_of([{**row, "name": name} for row, name in zip(quay, names, strict=True)])
    assert [s["name"] for s in spells] == ["MIRAE 3", "SAEBYOL 5", "MIRAE 3"]
    assert all(a["last_seen"] < b["first_seen"] for a, b in itertools.pairwise(spells))


def test_a_static_only_row_inside_a_run_does_not_shorten_the_spell():
    rows = [{**row, **FULL} for row in lie(ALPHA, 0.0, (35.0, 130.0), 2.0)]
    (spell,) = spells_of([*rows, {"mmsi": ALPHA, "t": 1830.0, **FULL}])
    assert spell["last_seen"] == instant(rows[-1]["t"])
    assert spell["n_reports"] == len(rows) + 1


def test_a_static_only_row_of_another_name_interrupts_the_run_it_falls_in():
    rows = [{**row, **FULL} for row in lie(ALPHA, 0.0, (35.0, 130.0), 2.0)]
    spells = spells_of([*rows, {"mmsi": ALPHA, "t": 1830.0, **FULL, "name": "SAEBYOL 5"}])
    assert [(s["name"], s["n_reports"]) for s in spells] == [("MIRAE 3", 4), ("SAEBYOL 5", 1), ("MIRAE 3", 9)]


def test_static_only_rows_feed_the_identities_of_a_ship_whose_positions_say_nothing():
    rows = sail(ALPHA, 0.0, (35.0, 130.0), (35.5, 130.0))
    said = {"mmsi": ALPHA, "t": rows[2]["t"] + 1.0, **FULL}
    (spell,) = spells_of(rows, [said])
    assert spell["name"] == "MIRAE 3"
    assert (spell["first_lat"], spell["first_lon"]) == (rows[2]["lat"], rows[2]["lon"])
    assert spell["segment_id"] == tables_of(history_of(rows))["segments"][0]["segment_id"]


def test_a_ship_known_by_static_rows_alone_has_an_identity_and_no_place():
    spells = spells_of(
        [{"mmsi": BRAVO, "t": 60.0, **FULL}, {"mmsi": BRAVO, "t": 120.0, **FULL}], lie(ALPHA, 0.0, (35.0, 130.0), 1.0)
    )
    (spell,) = spells
    assert (spell["mmsi"], spell["segment_id"], spell["hull_id"], spell["first_lat"]) == (BRAVO, None, None, None)
    assert spell["n_reports"] == 2


ONE = sail(ALPHA, 0.0, (35.0, 130.0), (36.0, 130.0), every_s=360)
FAR = sail(ALPHA, 180.0, (42.0, 135.0), (41.0, 135.0), every_s=360)


def test_of_two_hulls_each_keeps_its_own_name():
    rows = [*({**row, "name": "MIRAE 3"} for row in ONE), *({**row, "name": "SAEBYOL 5"} for row in FAR)]
    spells = spells_of(rows)
    assert sorted(s["name"] for s in spells) == ["MIRAE 3", "SAEBYOL 5"]
    assert len({s["segment_id"] for s in spells}) == 2


def test_static_rows_of_two_hulls_go_where_the_same_name_or_number_is_sent():
    rows = [*({**row, "name": "MIRAE 3"} for row in ONE), *({**row, "imo": "2318657"} for row in FAR)]
    said = [
        {"mmsi": ALPHA, "t": 1000.0, "name": "MIRAE 3", "destination": "POHANG"},
        {"mmsi": ALPHA, "t": 1100.0, "imo": "IMO2318657", "name": "SAEBYOL 5"},
        {"mmsi": ALPHA, "t": 1200.0, "name": "CHILBO 7"},
    ]
    history = tables_of(history_of(rows, said))
    where = {(s["name"], s["destination"]): s["segment_id"] for s in history["identities"]}
    north, south = (s["segment_id"] for s in history["segments"])
    assert where["MIRAE 3", "POHANG"] == north
    assert where["SAEBYOL 5", None] == south
    assert where["CHILBO 7", None] is None


def test_spells_are_sorted_by_vessel_track_and_time():
    rows = [{**row, "name": name} for row in lie(BRAVO, 0.0, (35.0, 130.0), 1.0) for name in [f"N {row['t'] // H}"]]
    spells = spells_of(rows, [{**row, "name": "A"} for row in lie(ALPHA, 0.0, (36.0, 130.0), 1.0)])
    keys = [(s["mmsi"], s["segment_id"], s["first_seen"]) for s in spells]
    assert keys == sorted(keys)


def test_nothing_said_makes_no_spell():
    assert spells_of(lie(ALPHA, 0.0, (35.0, 130.0), 1.0)) == []


def test_a_draught_alone_is_no_identity():
    assert spells_of([*lie(ALPHA, 0.0, (35.0, 130.0), 1.0), {"mmsi": ALPHA, "t": 90.0, "draught": 5.0}]) == []


@pytest.mark.parametrize("imo", ["0", "IMO0000000", "1234567", "9999999", ""])
def test_a_filler_is_no_imo_number_but_stays_as_received(imo):
    (spell,) = spells_of(lie(ALPHA, 0.0, (35.0, 130.0), 1.0, imo=imo, name="MIRAE 3"))
    assert (spell["imo"], spell["imo_raw"]) == (None, imo)


def test_static_reports_of_an_identity_that_returned_on_another_hull_go_to_the_part_nearest_in_time():
    """The track is cut between; both parts send one name, and neither says anything with its positions."""
    rows = []
    for begin, length, beam in ((0.0, 169.0, 26.0), (400 * H, 99.0, 16.0)):
        rows += lie(ALPHA, begin, (35.0, 130.0), 4.0)
        said = {**FULL, "length_m": length, "beam_m": beam}
        rows += [{"mmsi": ALPHA, "t": begin + 1 + 360.0 * i, **said} for i in range(20)]
    tables = tables_of(history_of(rows))
    tracks = [row["segment_id"] for row in tables["segments"]]
    assert len(tracks) == 2
    assert [(row["segment_id"], row["length_m"]) for row in tables["identities"]] == list(
        zip(tracks, (169.0, 99.0), strict=True)
    )
