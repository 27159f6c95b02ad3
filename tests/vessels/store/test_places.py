"""Where a store can be: folders by any spelling, object stores by URL, with the options that reach them."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.compute as pc
import pytest

from tests.vessels.store.stocked import FIRST_DAY, N_BUCKETS, as_set, day_of_positions, sightings
from vessels.errors import StoreError, UsageError
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore
from vessels.store.upkeep import UpkeepParameters, keep_up, store_size
from vessels.units import US_PER_DAY

ACCESS_KEY = "AKIAWAKEWATCH"


def test_one_folder_has_one_address_however_it_is_spelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spellings = ("store", "./store/", str(tmp_path / "x" / ".." / "store"), (tmp_path / "store").as_uri())
    assert {StorePlace(spelling).url for spelling in spellings} == {str(tmp_path / "store")}
    assert StorePlace("store").folder == tmp_path / "store"
    assert StorePlace("store").is_local


@pytest.mark.parametrize("name", ["sp ace", "日本", "a#b", "a?b", "100%", "a:b", "-x", "a'b\"c", "a;b&c+d=e"])
def test_a_store_can_lie_in_folders_of_odd_names(tmp_path, name):
    folder = tmp_path / name / "store"
    store = TrackStore.open(StorePlace(str(folder)), n_buckets=N_BUCKETS, create=True)
    store.positions.append(day_of_positions(FIRST_DAY, source=1))
    store.positions.rewrite(store.positions.files())
    assert store.positions.read().num_rows == day_of_positions(0, 0).num_rows
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing lies beside the folder that was named"


def test_a_store_reached_by_a_link_is_the_same_store(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    store = TrackStore.open(StorePlace(str(tmp_path / "link" / "s")), n_buckets=N_BUCKETS, create=True)
    store.names.append(sightings(1))
    direct = TrackStore.open(StorePlace(str(tmp_path / "disk" / "s")), n_buckets=N_BUCKETS, create=False)
    assert direct.names.read().num_rows == 1


def test_an_address_that_deltalake_does_not_know_is_refused_in_words():
    with pytest.raises(StoreError, match=r"no address that deltalake knows: a folder, or s3://"):
        TrackStore.open(StorePlace("ftpx://somewhere/store"), n_buckets=4, create=True)
    with pytest.raises(UsageError, match="another machine"):
        StorePlace("file://otherhost/store")
    with pytest.raises(UsageError, match="no local folder"):
        _ = StorePlace("s3://bucket/store/").folder
    assert StorePlace("s3://bucket/store/").table_uri("names") == "s3://bucket/store/names"


def test_options_travel_but_do_not_show():
    place = StorePlace("s3://bucket/store", {"AWS_SECRET_ACCESS_KEY": "hush"})
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301
    assert pickle.loads(pickle.dumps(place)).options == {"AWS_SECRET_ACCESS_KEY": "hush"}  # noqa: S301
    assert "hush" not in repr(place)
    assert "hush" not in str(place)


@pytest.fixture
def s3(tmp_path) -> Iterator[tuple[StorePlace, Path]]:
    """A place in an object store, and the file that tells the requests that came to it."""
    requests = tmp_path / "requests.txt"
    command = [sys.executable, str(Path(__file__).with_name("tiny_s3.py")), str(requests)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        options = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.stdout.readline().strip()}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": "hush",
            "AWS_REGION": "eu-north-1",
        }
        yield StorePlace("s3://tracks/store", options), requests
        server.kill()


def test_a_store_in_an_object_store_does_all_that_a_folder_does(s3):
    place, requests = s3
    store = TrackStore.open(place, n_buckets=N_BUCKETS, create=True)
    days = [day_of_positions(FIRST_DAY + i, source=i) for i in range(3)]
    for i, day in enumerate(days):
        assert store.positions.append(day, transactions=[f"t{i}"], about={"wakewatch.inputs": str(i)})
    assert not store.positions.append(days[0], transactions=["t0"])
    expected = sorted(row for day in days for row in as_set(day))
    assert as_set(store.positions.read()) == expected
    assert store.positions.commits(2) == [{"wakewatch.inputs": "2"}, {"wakewatch.inputs": "1"}]
    assert store.positions.rewrite(store.positions.files()) == N_BUCKETS
    store.names.append(sightings(1, 2, 3))
    assert store.names.replace(sightings(9), pc.field("seq") < 3) == 2
    keep_up(store, FIRST_DAY * US_PER_DAY, UpkeepParameters(vacuum_h=0))
    again = TrackStore.open(StorePlace(place.url + "/", place.options), n_buckets=1, create=False)
    assert again.n_buckets == N_BUCKETS
    assert as_set(again.positions.read()) == expected
    assert sorted(again.names.read()["seq"].to_pylist()) == [3, 9]
    assert store_size(again)["positions"].n_rows == len(expected)
    signed = {line.split()[-1] for line in requests.read_text().splitlines()}
    assert signed == {ACCESS_KEY}, "every request carried the key of the options"


def test_a_lost_log_in_an_object_store_is_not_taken_for_an_empty_table(s3):
    place, _ = s3
    store = TrackStore.open(place, n_buckets=N_BUCKETS, create=True)
    store.names.append(sightings(1))
    for path, _ in place.listing("names"):
        if path.startswith("_delta_log/"):
            place.remove("names", path)
    with pytest.raises(StoreError, match=r"table names .* lost its log"):
        TrackStore.open(place, n_buckets=N_BUCKETS, create=True).names.read()
    for path, _ in place.listing("meta"):
        place.remove("meta", path)
    with pytest.raises(StoreError, match="lost its log"):
        TrackStore.open(place, n_buckets=N_BUCKETS, create=True)


def test_an_object_store_that_does_not_answer_is_named_with_what_to_do():
    options = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "hush",
        "AWS_REGION": "eu-north-1",
        "max_retries": "0",
    }
    with pytest.raises(StoreError, match="cannot be reached or refuses") as said:
        TrackStore.open(StorePlace("s3://tracks/store", options), n_buckets=4, create=True)
    assert "hush" not in str(said.value)
