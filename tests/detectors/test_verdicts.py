"""Verdicts: what an analyst says, kept, counted and read from files."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from detectors.batch.nights import commit_night, night_row
from detectors.batch.told import TOLD, told_table
from detectors.batch.verdict_files import read_words
from detectors.batch.verdicts import Said, Verdicts, read_verdicts, record
from tests.detectors.histories import at
from tests.detectors.nightlog import ALPHA, BRAVO, CHARLIE, WINDOW, Log, sailing
from vessels.errors import UsageError
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore

A, B, C = (sailing(mmsi) for mmsi in (ALPHA, BRAVO, CHARLIE))
COUNTS = {"new": 3, "revised": 0, "unchanged": 0, "withdrawn": 0}


@pytest.fixture
def store(tmp_path):
    log = Log()
    log.night((A, "listed_vessel", 1.0), (A, "name_change", 1.0), (B, "listed_vessel", 1.0), (C, "name_change", 1.0))
    kept = TrackStore.open(StorePlace(str(tmp_path / "store")), n_buckets=2, create=True)
    night = {"night_id": "night-1", "seq": 1, "as_of": at(20), "window_start": WINDOW}
    row = night_row(**night, key="key", date="2024-03-21", alerts=COUNTS, record={})
    commit_night(kept, told_table(list(log.told.values())), TOLD, row)
    return kept


def test_a_verdict_keeps_who_when_and_why_and_what_was_told_then(store):
    when = datetime(2024, 3, 22, 15, tzinfo=timezone(timedelta(hours=9)))
    record(store, [Said(A["voyage_id"], "confirmed", "seen at berth", "A. Analyst", when)])
    (row,) = read_verdicts(store).rows
    assert (row["verdict"], row["reason"], row["who"]) == ("confirmed", "seen at berth", "A. Analyst")
    assert row["when"] == datetime(2024, 3, 22, 6, tzinfo=UTC)
    assert (row["hull_id"], row["mmsi"], row["revision"]) == (A["hull_id"], ALPHA, 1)
    assert row["kinds"] == ["listed_vessel", "name_change"]


def test_without_a_time_it_is_of_the_last_night(store):
    record(store, [Said(A["voyage_id"], "watch")])
    assert read_verdicts(store).rows[0]["when"] == at(20)


def test_the_beginning_of_an_id_will_do_and_the_last_word_is_in_force(store):
    bare = A["voyage_id"].removeprefix("voyage-")
    record(store, [Said(bare, "dismissed")])
    record(store, [Said(f"VOYAGE-{bare[:5]}".lower(), "confirmed", "second look")])
    verdicts = read_verdicts(store)
    assert (len(verdicts.rows), verdicts.of(A["voyage_id"])["verdict"]) == (2, "confirmed")
    assert verdicts.of(B["voyage_id"]) is None
    assert verdicts.of(B["voyage_id"], follows=[A["voyage_id"]])["verdict"] == "confirmed"


def test_a_word_on_a_voyage_itself_goes_before_one_on_a_voyage_whose_place_it_takes(store):
    record(store, [Said(A["voyage_id"], "watch"), Said(B["voyage_id"], "dismissed"), Said(C["voyage_id"], "confirmed")])
    verdicts = read_verdicts(store)
    assert verdicts.of(A["voyage_id"], [B["voyage_id"]])["verdict"] == "watch"
    assert verdicts.of("voyage-new", [C["voyage_id"], B["voyage_id"]])["verdict"] == "confirmed", "the last one"


def test_the_same_word_twice_is_one_verdict_but_a_change_of_mind_and_back_is_three(store):
    yes, no = Said(A["voyage_id"], "confirmed"), Said(A["voyage_id"], "dismissed")
    assert [record(store, [one]).n_known for one in (yes, yes, no, yes)] == [0, 1, 0, 0]
    assert [row["verdict"] for row in read_verdicts(store).rows] == ["confirmed", "dismissed", "confirmed"]
    dated = [Said(B["voyage_id"], word, when=at(21)) for word in ("confirmed", "dismissed")]
    assert [record(store, dated).n_known for _ in range(2)] == [0, 2], "the same file twice"


def test_every_verdict_changes_the_key(store):
    keys = {read_verdicts(store).key}
    for word in ("watch", "confirmed"):
        record(store, [Said(A["voyage_id"], word)])
        keys.add(read_verdicts(store).key)
    assert len(keys) == 3


def test_counts_by_kind_are_the_precision_in_the_field(store):
    record(store, [Said(A["voyage_id"], "confirmed"), Said(B["voyage_id"], "dismissed"), Said(C["voyage_id"], "watch")])
    counts = {one.kind: one for one in read_verdicts(store).counts}
    listed, renamed = counts["listed_vessel"], counts["name_change"]
    assert (listed.confirmed, listed.dismissed, listed.watch, listed.precision) == (1, 1, 0, 0.5)
    assert (renamed.confirmed, renamed.dismissed, renamed.watch, renamed.precision) == (1, 0, 1, 1.0)
    record(store, [Said(A["voyage_id"], "watch")])
    assert {one.kind: one.precision for one in read_verdicts(store).counts}["name_change"] is None


def test_confirmed_hulls_are_listed_until_the_word_is_taken_back(store):
    record(store, [Said(A["voyage_id"], "confirmed", who="A. Analyst")])
    assert [(row["hull_id"], row["who"]) for row in read_verdicts(store).confirmed_hulls] == [
        (A["hull_id"], "A. Analyst")
    ]
    record(store, [Said(A["voyage_id"], "dismissed")])
    assert read_verdicts(store).confirmed_hulls == ()


def test_a_mute_lasts_so_many_days_from_its_word(store):
    record(store, [Said(A["voyage_id"], "dismissed", mute_kinds=("name_change",), mute_days=10)])
    verdicts = read_verdicts(store)
    assert [row["mute_kinds"] for row in verdicts.mutes(at(29.9))] == [["name_change"]]
    assert verdicts.mutes(at(30)) == ()
    record(store, [Said(B["voyage_id"], "dismissed", mute_days=10)])
    assert read_verdicts(store).of(B["voyage_id"])["mute_kinds"] == ["listed_vessel"], "all that was told"
    record(store, [Said(A["voyage_id"], "watch")])
    assert [row["mmsi"] for row in read_verdicts(store).mutes(at(21))] == [BRAVO], "a later word ends the mute"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Said("voyage-none", "watch"), "no night has told it"),
        (Said("", "watch"), "no night has told it"),
        (Said("voyage-", "watch"), "no night has told it"),
        (Said(A["voyage_id"] + "0", "watch"), f"did you mean {A['voyage_id']}?"),
        (Said(A["voyage_id"], "dismised"), "did you mean `dismissed`?"),
        (Said(A["voyage_id"], "watch", mute_days=3), "only a dismissed voyage can mute"),
        (Said(A["voyage_id"], "dismissed", mute_kinds=("name_change",)), "for how many days"),
        (Said(A["voyage_id"], "dismissed", mute_days=0), "1 to 3660 days, not 0"),
        (Said(A["voyage_id"], "dismissed", mute_kinds=("nam_change",), mute_days=1), "did you mean `name_change`?"),
        (Said(A["voyage_id"], "dismissed", when=datetime(2024, 3, 22)), "states no time zone"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(store, said, words):
    with pytest.raises(UsageError) as refused:
        record(store, [Said(B["voyage_id"], "confirmed"), said])
    assert words in str(refused.value)
    assert read_verdicts(store) == Verdicts()


def test_the_beginning_of_several_ids_names_them(store):
    with pytest.raises(UsageError) as refused:
        record(store, [Said("voyage-4", "watch")])
    assert f"2 begin so: {B['voyage_id']}, {C['voyage_id']}" in str(refused.value)


HEADER = "voyage_id,verdict,reason,who,when,mute_kinds,mute_days\n"


def test_a_csv_of_verdicts(tmp_path, store):
    path = tmp_path / "words.csv"
    path.write_text(
        "\ufeff" + HEADER + f'{A["voyage_id"]},Dismissed,"exempt, ""coal""\nby letter",A. Analyst,'
        "2024-03-22T06:00+09:00,name_change; listed_vessel,30\n\n"
        f"{B['voyage_id']},watch,,,2024-03-22,,\n",
        encoding="utf-8",
    )
    first, second = read_words(path)
    assert first.reason == 'exempt, "coal"\nby letter'
    assert (first.verdict, first.mute_kinds, first.mute_days) == ("dismissed", ("name_change", "listed_vessel"), 30)
    assert first.when == datetime(2024, 3, 21, 21, tzinfo=UTC)
    assert (second.who, second.when, second.mute_days) == (None, datetime(2024, 3, 22, tzinfo=UTC), None)
    assert len(record(store, [first, second]).rows) == 2
    assert record(store, read_words(path)).n_known == 2


def test_two_columns_are_enough_in_any_order(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("verdict,voyage_id\nconfirmed,voyage-1\n")
    assert read_words(path) == [Said("voyage-1", "confirmed")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column `voyage_id`"),
        ("voyage_id,verdct\n", "did you mean `verdict`?"),
        ("voyage_id,verdict,verdict\n", "twice"),
        (HEADER + "voyage-1,watch,a,b\n", "row 2: has 4 cells"),
        (HEADER + "voyage-1,watch,,,soon,,\n", 'row 2: when "soon": is no time'),
        (HEADER + "voyage-1,dismissed,,,,,many\n", 'row 2: mute_days "many"'),
        ('voyage_id,verdict\n"voyage-1,watch\n', "is not valid CSV"),
    ],
)
def test_a_csv_that_cannot_be_understood_is_refused_by_row(tmp_path, text, words):
    path = tmp_path / "words.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_words(path)
    assert words in str(refused.value)


def test_a_csv_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_words(tmp_path / "missing.csv")
    (tmp_path / "latin.csv").write_bytes(b"voyage_id,verdict\n\xff\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_words(tmp_path / "latin.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        read_words(tmp_path)
