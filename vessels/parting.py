"""Tracks parted where another hull goes on under the number, without a break that motion alone could tell.

Takes the tables of a history and the hull links; gives both with such tracks cut in two: the hull that bore the number
before, and the hull that bore it after, because the two exchanged numbers or the second took up what the first laid
down. Only strong links cut a track; all others stay as they are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.geodesy import step_distances_nmi
from vessels.instants import times_us
from vessels.schema import IDENTITIES, SEGMENTS, TIMESTAMP, VOYAGES, Table, make_id

_PLACED: Final = {"port_visits": "start", "zone_presences": "start", "sketches": "timestamp", "silences": "start"}
"""Tables whose rows go to one part or the other, and the time that says to which."""
_TIMES: Final = {**_PLACED, "segments": "start", "identities": "first_seen", "voyages": "start"}
"""All tables that hold tracks, and the time that their rows are in order of."""

_WAYS: Final = (
    "from_segment_id", "to_segment_id", "from_mmsi", "to_mmsi", "ended", "began", "from_silence", "to_silence",
)  # fmt: skip
"""What of a link says whether it cuts a track."""


class Cut(NamedTuple):
    """Where a track is parted: its last report before, its first after, and the name of what follows."""

    segment_id: str
    mmsi: int
    before_us: int
    after_us: int
    new_id: str


def part_tracks(
    tables: Mapping[str, pa.Table], links: pa.Table
) -> tuple[dict[str, pa.Table], pa.Table, tuple[Cut, ...]]:
    """The tables and links with the tracks of exchanges parted, and the cuts. The second part is named by its MMSI and
    start.

    Costs a few passes over the tables, however many cuts, and for each cut some over the rows of its MMSI alone.
    """
    out = dict(tables)
    cuts = _cuts_of(tables["silences"], links)
    if not cuts:
        return out, links, ()
    of_mmsi: dict[int, list[Cut]] = {}
    for cut in sorted(cuts, key=lambda one: (one.mmsi, -one.after_us)):
        of_mmsi.setdefault(cut.mmsi, []).append(cut)
    rest, parts = _taken_apart(out, list(of_mmsi))
    done = [_cut_up(part, own) for part, own in zip(parts, of_mmsi.values(), strict=True)]
    for name in _TIMES:
        out[name] = pa.concat_tables([rest[name], *(part[name] for part in done)]).combine_chunks()
    for name, time in _TIMES.items():
        out[name] = _in_order(out[name], out["segments"], time)
    out["vessels"] = _counted(out["vessels"], cuts)
    return out, _relinked(links, cuts), tuple(cuts)


def _taken_apart(
    tables: Mapping[str, pa.Table], mmsi: Sequence[int]
) -> tuple[dict[str, pa.Table], list[dict[str, pa.Table]]]:
    """The rows of all other MMSI, and for each of these, given in order, its own, in the order they stand in."""
    rest: dict[str, pa.Table] = {}
    parts: list[dict[str, pa.Table]] = [{} for _ in mmsi]
    for name in _TIMES:
        table = tables[name]
        own = pc.is_in(table["mmsi"], value_set=pa.array(mmsi, pa.int64()))
        rest[name], few = table.filter(pc.invert(own)), table.filter(own)
        numbers = few["mmsi"].to_numpy()
        order = np.argsort(numbers, kind="stable")
        few, numbers = few.take(pa.array(order)), numbers[order]
        low, high = (np.searchsorted(numbers, mmsi, side=side) for side in ("left", "right"))
        for part, first, end in zip(parts, low.tolist(), high.tolist(), strict=True):
            part[name] = few.slice(first, end - first)
    return rest, parts


def _cut_up(tables: Mapping[str, pa.Table], cuts: Sequence[Cut]) -> dict[str, pa.Table]:
    """The tables of one MMSI with its tracks parted.

    The last cut of a track comes first, so that what goes before it keeps its name until its own cut.
    """
    out = dict(tables)
    for cut in cuts:
        for name, time in _PLACED.items():
            out[name] = _renamed(out[name], cut, time)
        out["segments"] = _parted(out["segments"], SEGMENTS, cut, "start", "end", _segment_facts(out, cut))
        out["identities"] = _parted(out["identities"], IDENTITIES, cut, "first_seen", "last_seen", _spell_facts)
        out["voyages"] = _parted(out["voyages"], VOYAGES, cut, "start", "last_seen", _voyage_facts)
        out["silences"] = _without(out["silences"], cut)
    return out


def _cuts_of(silences: pa.Table, links: pa.Table) -> list[Cut]:
    """A cut for each silence that strong links lead out of and into, both of one other number: an exchange.

    One that a strong link leads into and none at all leads out of is cut too: another hull took the identity up.
    """
    strong = links.select(_WAYS).filter(links["is_strong"]).to_pylist()
    times = zip(strong, _us([row["ended"] for row in strong]), _us([row["began"] for row in strong]), strict=True)
    out: dict[tuple[str, int], set[int]] = {}
    back: dict[tuple[str, int], set[int]] = {}
    taken: set[tuple[str, int]] = set()
    both_silent: set[tuple[str, int]] = set()
    for row, ended, began in times:
        if row["from_silence"]:
            out.setdefault((row["from_segment_id"], ended), set()).add(row["to_mmsi"])
        if row["to_silence"]:
            back.setdefault((row["to_segment_id"], began), set()).add(row["from_mmsi"])
        if row["to_silence"] and not row["from_silence"]:
            taken.add((row["to_segment_id"], began))
        if row["from_silence"] and row["to_silence"]:
            # What leads out of one silence into another is an exchange, and no identity borne meanwhile.
            both_silent.add((row["from_segment_id"], ended))
    if not back:
        return []
    silent = links.filter(links["from_silence"])
    ways_out = set(zip(silent["from_segment_id"].to_pylist(), times_us(silent["ended"]).tolist(), strict=True))
    known = pc.is_in(silences["segment_id"], value_set=pa.array(sorted({segment for segment, _ in back})))
    rows = silences.filter(known)
    cuts = []
    for segment, mmsi, before, after, leap in zip(
        rows["segment_id"].to_pylist(), rows["mmsi"].to_pylist(), times_us(rows["start"]).tolist(),
        times_us(rows["end"]).tolist(), rows["is_leap"].to_pylist(), strict=True,
    ):  # fmt: skip
        to, come = out.get((segment, before), set()), back.get((segment, after), set())
        exchanged = to & come and (leap or (segment, before) in both_silent)
        if exchanged or (not leap and (segment, after) in taken and (segment, before) not in ways_out):
            cuts.append(Cut(segment, mmsi, before, after, make_id("segment", mmsi, after)))
    return cuts


def _us(times: Sequence[datetime]) -> list[int]:
    result: list[int] = pa.array(times, TIMESTAMP).cast(pa.int64()).to_pylist()
    return result


def _rows_of(table: pa.Table, segment_id: str) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = pc.fill_null(pc.equal(table["segment_id"], segment_id), False).to_numpy()
    return found


def _renamed(table: pa.Table, cut: Cut, time: str) -> pa.Table:
    """The rows of a track from the cut on under the new name."""
    later = _rows_of(table, cut.segment_id) & (times_us(table[time]) > cut.before_us)
    place = table.schema.get_field_index("segment_id")
    names = pc.if_else(pa.array(later), cut.new_id, table["segment_id"])
    return table.set_column(place, table.schema.field(place), names)


_Facts = Callable[[dict[str, Any], Cut], tuple[dict[str, Any], dict[str, Any]]]


def _parted(table: pa.Table, declared: Table, cut: Cut, start: str, end: str, facts: _Facts) -> pa.Table:
    """Rows that last over the cut made two; what the two halves say beside the times comes from `facts`."""
    own = _rows_of(table, cut.segment_id)
    first, last = times_us(table[start]), times_us(table[end])
    over = own & (first <= cut.before_us) & (last >= cut.after_us)
    table = _renamed(table, cut, start)
    rows = table.filter(pa.array(over)).to_pylist()
    before, after = pa.array([cut.before_us, cut.after_us], pa.int64()).cast(TIMESTAMP).to_pylist()
    halves = []
    for row in rows:
        one, other = facts(row, cut)
        halves += [{**row, **one, end: before}, {**row, **other, start: after, "segment_id": cut.new_id}]
    made = declared.build({name: [half[name] for half in halves] for name in declared.names})
    return declared.concat([table.filter(pa.array(~over)), made])


def _segment_facts(tables: Mapping[str, pa.Table], cut: Cut) -> _Facts:
    """Lengths from the sketches, places and motion from the silence; counts shared out by time."""
    silence = next(
        row
        for row in tables["silences"].filter(pa.array(_rows_of(tables["silences"], cut.segment_id))).to_pylist()
        if _us([row["start"]])[0] == cut.before_us
    )
    sailed = [_sailed_nmi(tables["sketches"], name) for name in (cut.segment_id, cut.new_id)]

    def facts(row: dict[str, Any], _: Cut) -> tuple[dict[str, Any], dict[str, Any]]:
        share = _share(row["start"], row["end"], cut)
        n = min(max(round(row["n_positions"] * share), 1), row["n_positions"] - 1)
        ends = {f"end_{name}": silence[f"start_{name}"] for name in _AT_ENDS}
        starts = {f"start_{name}": silence[f"end_{name}"] for name in _AT_ENDS}
        one = {**ends, "n_positions": n, "distance_nmi": sailed[0]}
        return one, {**starts, "n_positions": row["n_positions"] - n, "distance_nmi": sailed[1]}

    return facts


_AT_ENDS: Final = ("lat", "lon", "sog_kn", "cog_deg", "draught_m")


def _share(start: datetime, end: datetime, cut: Cut) -> float:
    """The share of a span, the silence left out, that lies before the cut."""
    first, last = _us([start, end])
    before, after = cut.before_us - first, last - cut.after_us
    return before / (before + after) if before + after > 0 else 0.5


def _sailed_nmi(sketches: pa.Table, segment_id: str) -> float:
    track = sketches.filter(pa.array(_rows_of(sketches, segment_id)))
    return round(float(step_distances_nmi(track["lat"].to_numpy(), track["lon"].to_numpy()).sum()), 3)


def _spell_facts(row: dict[str, Any], cut: Cut) -> tuple[dict[str, Any], dict[str, Any]]:
    n = max(round(row["n_reports"] * _share(row["first_seen"], row["last_seen"], cut)), 1)
    return {"n_reports": n}, {"n_reports": max(row["n_reports"] - n, 1)}


def _voyage_facts(row: dict[str, Any], cut: Cut) -> tuple[dict[str, Any], dict[str, Any]]:
    """The voyage up to the cut is open, the one after it has no origin; both are drawn anew with their hulls."""
    before, after = pa.array([cut.before_us, cut.after_us], pa.int64()).cast(TIMESTAMP).to_pylist()
    share = _share(row["start"], row["last_seen"], cut)
    n = max(round(row["n_positions"] * share), 1)
    name = make_id("voyage", cut.mmsi, cut.after_us)
    nowhere = {"end": None, "is_open": True, "destination": None, "destination_visit_id": None}
    one = {**nowhere, "span_end": before, "n_positions": n, "duration_h": row["duration_h"] * share}
    other = {"voyage_id": name, "origin": None, "origin_visit_id": None, "span_start": after}
    return one, {**other, "n_positions": max(row["n_positions"] - n, 1), "duration_h": row["duration_h"] * (1 - share)}


def _without(silences: pa.Table, cut: Cut) -> pa.Table:
    """The silences without the one that was cut."""
    gone = _rows_of(silences, cut.segment_id) & (times_us(silences["start"]) == cut.before_us)
    return silences.filter(pa.array(~gone))


def _relinked(links: pa.Table, cuts: Sequence[Cut]) -> pa.Table:
    """The links with the new names where they touch what follows a cut, which is a silence no more."""
    of_track: dict[str, list[Cut]] = {}
    for cut in sorted(cuts, key=lambda one: one.after_us):
        of_track.setdefault(cut.segment_id, []).append(cut)

    def leaves(track: str, ended_us: int, is_silence: bool) -> tuple[str, bool]:
        before = [cut.before_us for cut in of_track[track]]
        place = bisect_left(before, ended_us)
        return of_track[track][place - 1].new_id if place else track, is_silence and ended_us not in before

    def enters(track: str, began_us: int, is_silence: bool) -> tuple[str, bool]:
        after = [cut.after_us for cut in of_track[track]]
        place = bisect_right(after, began_us)
        return of_track[track][place - 1].new_id if place else track, is_silence and began_us not in after

    for side, time, renamed in (("from", "ended", leaves), ("to", "began", enters)):
        names, silent = f"{side}_segment_id", f"{side}_silence"
        touched = pc.is_in(links[names], value_set=pa.array(list(of_track), links[names].type)).combine_chunks()
        rows = links.select([names, time, silent]).filter(touched)
        said = zip(rows[names].to_pylist(), times_us(rows[time]).tolist(), rows[silent].to_pylist(), strict=True)
        told = [renamed(*one) for one in said]
        for column, values in ((names, [name for name, _ in told]), (silent, [is_silence for _, is_silence in told])):
            place = links.schema.get_field_index(column)
            field = links.schema.field(place)
            new = pc.replace_with_mask(links[column].combine_chunks(), touched, pa.array(values, field.type))
            links = links.set_column(place, field, new)
    return links


def _in_order(table: pa.Table, segments: pa.Table, time: str) -> pa.Table:
    """Sorted by MMSI, then by when the track began, then by time; otherwise as before."""
    place = pc.index_in(table["segment_id"], value_set=segments["segment_id"].combine_chunks())
    began = np.append(times_us(segments["start"]), np.iinfo(np.int64).max)
    track = began[pc.fill_null(place, len(began) - 1).to_numpy()]
    order = np.lexsort((times_us(table[time]), track, table["mmsi"].to_numpy()))
    return table.take(pa.array(order))


def _counted(vessels: pa.Table, cuts: Sequence[Cut]) -> pa.Table:
    """One track more for each cut."""
    mmsi, counts = np.unique([cut.mmsi for cut in cuts], return_counts=True)
    known = pc.index_in(vessels["mmsi"], value_set=pa.array(mmsi, pa.int64()))
    more = np.append(counts, 0)[pc.fill_null(known, len(counts)).to_numpy()]
    place = vessels.schema.get_field_index("n_segments")
    return vessels.set_column(place, vessels.schema.field(place), pc.add(vessels["n_segments"], pa.array(more)))
