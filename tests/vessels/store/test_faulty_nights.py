"""Nights over real files in a real store: broken, late, doubled and renamed files end where one good night would."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.vessels.builders import ALPHA, BRAVO, Row, instant, sail, write_parquet
from tests.vessels.store.stocked import new_store
from tests.vessels.store.taken import all_said, take
from vessels.instants import instant_us
from vessels.reading import SetAside
from vessels.store.discovery import Discovery, discover
from vessels.store.ledger import Ledger
from vessels.store.store import TrackStore

DAY_S = 86_400.0


def a_day(day: int) -> list[Row]:
    """Two ships under way all day, a report every minute and a half; the last is not on the minute."""
    begin = day * DAY_S
    return [
        *sail(ALPHA, begin, (40.0 + day, 130.0), (40.9 + day, 130.0), speed_kn=2.3, every_s=90.0, name="MIRAE 3"),
        *sail(BRAVO, begin + 47.0, (40.0 + day, 133.0), (40.9 + day, 133.0), speed_kn=2.3, every_s=90.0, draught=5.5),
    ]


def csv(rows: Sequence[Row]) -> str:
    rows = sorted(rows, key=lambda row: row["t"])
    lines = [f"{r['mmsi']},{instant(r['t']).isoformat()},{r['lat']},{r['lon']},{r.get('name', '')}" for r in rows]
    return "\n".join(["mmsi,timestamp,lat,lon,name", *lines]) + "\n"


def night(store: TrackStore, folder: Path, *, dies: bool = False) -> tuple[Discovery, tuple[SetAside, ...]]:
    """One night's taking in; when the machine dies, before the ledger is written."""
    ledger = Ledger.read(store)
    found = discover([folder], ledger)
    taken = take(store, found.new)
    if not dies:
        ledger.record(taken.entries, found.new, found.sightings)
    return found, (*found.set_aside, *taken.set_aside)


def told(store: TrackStore) -> tuple[object, ...]:
    """Everything that the next step of a night gets from a store."""
    ledger = Ledger.read(store)
    entries = ledger.counting()
    return entries, ledger.span_us(), all_said(store, entries)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_every_fault_in_turn_ends_where_one_good_night_does(tmp_path: Path, folder: Path) -> None:
    store = new_store(tmp_path / "store", 4)
    days = [csv(a_day(day)) for day in range(3)]
    parquet = write_parquet(tmp_path / "3.parquet", a_day(3)).read_bytes()

    (folder / "0.csv").write_text(days[0][: len(days[0]) // 3])  # half written
    (folder / "2.csv").write_text(days[2])  # before the day that comes before it
    (folder / "3.parquet").write_bytes(parquet[: len(parquet) // 2])
    (folder / "4.csv").write_text("")
    found, aside = night(store, folder)
    assert [(Path(item.name).name, item.reason) for item in aside] == [
        ("4.csv", "empty_file"),
        ("3.parquet", "broken_parquet"),
    ]
    assert len(Ledger.read(store)) == 2

    (folder / "0.csv").write_text(days[0])
    (folder / "copy of 0.csv").write_text(days[0])
    (folder / "2.csv").rename(folder / "two.csv")
    _, aside = night(store, folder, dies=True)
    assert len(aside) == 2

    (folder / "3.parquet").write_bytes(parquet)
    (folder / "4.csv").write_text(csv([]))
    (folder / "0.csv").write_text(days[0][: len(days[0]) // 2])  # cut short again, while it is sent anew
    night(store, folder, dies=True)

    (folder / "0.csv").write_text(days[0])
    (folder / "1.csv").write_text(days[1])
    (folder / "two.csv").unlink()
    found, aside = night(store, folder)
    assert aside == ()
    assert [Path(name).name for name in found.vanished] == ["2.csv"]  # its move was seen by a night that died
    (folder / "two.csv").write_text(days[2])
    night(store, folder)

    good = new_store(tmp_path / "good", 4)
    night(good, folder)
    assert told(store) == told(good)
    assert Ledger.read(store).as_of_us() == instant_us(instant(a_day(3)[-1]["t"]))
    assert [file.reason for file in night(store, folder)[1]] == []


def test_a_stray_row_in_2099_is_stored_and_is_not_now(tmp_path: Path, folder: Path) -> None:
    store = new_store(tmp_path / "store", 4)
    rows = a_day(0)
    (folder / "0.csv").write_text(csv(rows))
    (folder / "1.csv").write_text(csv([*a_day(1), {**rows[0], "t": 75 * 365.25 * DAY_S}]))
    night(store, folder)
    ledger = Ledger.read(store)
    assert ledger.as_of_us() == max(instant_us(instant(row["t"])) for row in a_day(1))
    assert len(ledger.counting(*ledger.span_us())) == 2
