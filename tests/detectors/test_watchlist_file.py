"""Watch lists: which files are read, what is skipped and counted, and what is refused with which words."""

import pickle
from pathlib import Path

import pytest

from detectors.watchlist import WatchList, read_watchlist
from vessels.errors import SettingsError

OPENSANCTIONS = (
    "type,caption,imo,risk,countries,flag,mmsi,id,url,datasets,aliases\n"
    'VESSEL,Pale Heron,IMO2000004,sanction,kp,kp,"445000111;273000222",NK-a,https://example.org/a,one;two,'
    '"Grey Gull;PALE HERON NO. 2"\n'
    "ORGANIZATION,Pale Heron Shipping Co,IMO2000016,sanction,kp,,,NK-b,,one,\n"
    "VESSEL,Storm Petrel,,mare.shadow,,,,NK-c,,two,\n"
    "VESSEL,Black Sparrow,12,sanction,,,511000333,NK-d,,two,\n"
    "VESSEL,Filler,,sanction,,,123456789,NK-e,,two,\n"
    "\n"
)


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_opensanctions_rows_of_vessels_are_read_and_the_rest_counted(tmp_path: Path) -> None:
    listed = read_watchlist(write(tmp_path, OPENSANCTIONS))
    assert [entry.entry_id for entry in listed.entries] == ["NK-a", "NK-d"]
    heron = listed.entries[0]
    assert heron.imo == 2000004
    assert heron.mmsi == {445000111, 273000222}
    assert heron.names == {"PALE HERON", "GREY GULL", "PALE HERON NO. 2"}
    assert (heron.datasets, heron.url) == ("one;two", "https://example.org/a")
    assert dict(listed.skipped) == {
        "imo_unusable": 1,
        "mmsi_unusable": 1,
        "row_empty": 1,
        "row_no_vessel": 1,
        "row_without_number": 2,
    }


def test_lookups_find_by_imo_by_mmsi_and_by_call_sign_with_name(tmp_path: Path) -> None:
    text = "IMO Number,MMSI,Call Sign,Name\n2000004,445000111,P5-AB,M/V Pale Heron\n,,D5AB,Grey Gull\n"
    listed = read_watchlist(write(tmp_path, text))
    heron, gull = listed.entries
    assert listed.by_imo[2000004] == (heron,)
    assert listed.by_mmsi[445000111] == (heron,)
    assert listed.call_sign_and_name("P5AB", "PALE  HERON") == (heron,)
    assert listed.call_sign_and_name("D5AB", "GREY GULL") == (gull,)
    assert listed.call_sign_and_name("D5AB", "PALE HERON") == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_usual_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    listed = read_watchlist(write(tmp_path, "imo,name\n2000004,Åsa\n", encoding))
    assert listed.entries[0].names == {"ÅSA"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_taken_from_the_heading(tmp_path: Path, delimiter: str) -> None:
    rows = "imo,mmsi,name\n2000004,445000111,Pale Heron\n".replace(",", delimiter)
    assert read_watchlist(write(tmp_path, rows)).entries[0].mmsi == {445000111}


def test_malformed_rows_are_counted_and_not_fatal(tmp_path: Path) -> None:
    text = "imo,name\n2000004,Pale Heron\n2000016,Grey, Gull\n2000028,Storm Petrel\n"
    listed = read_watchlist(write(tmp_path, text))
    assert [entry.imo for entry in listed.entries] == [2000004, 2000028]
    assert listed.skipped["row_malformed"] == 1


def test_a_cell_without_end_is_counted_and_not_fatal(tmp_path: Path) -> None:
    listed = read_watchlist(write(tmp_path, 'imo,name\n2000004,Pale Heron\n2000016,"' + "x" * 200_000 + "\n"))
    assert [entry.imo for entry in listed.entries] == [2000004]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("imo_nr,vessel\n1,2\n", ["list.csv", "imo, mmsi, call_sign", "'imo_nr'"]),
        ("name,flag\nPale Heron,kp\n", ["a name alone never matches"]),
        ("mmsii,name\n1,2\n", ["did you mean mmsi by 'mmsii'"]),
        ("imo,IMO number,name\n1,2,3\n", ["imo stands 2 times"]),
        ("call_sign,flag\nP5AB,kp\n", ["column name is missing"]),
        ("PK\x03\x04\x00\x00imo,name", ["no text"]),
    ],
)
def test_a_wrong_file_is_refused_with_file_column_and_rule(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_watchlist(write(tmp_path, text))
    for word in words:
        assert word in str(refusal.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is a folder"):
        read_watchlist(tmp_path)
    with pytest.raises(SettingsError, match="does not exist"):
        read_watchlist(tmp_path / "none.csv")


def test_a_watch_list_survives_the_way_to_another_process(tmp_path: Path) -> None:
    listed = read_watchlist(write(tmp_path, OPENSANCTIONS))
    again = pickle.loads(pickle.dumps(listed))  # noqa: S301
    assert again == listed
    assert again.by_imo[2000004] == listed.by_imo[2000004]


def test_the_empty_list_finds_nothing() -> None:
    assert WatchList().by_imo == {}
    assert WatchList().call_sign_and_name("P5AB", "PALE HERON") == ()


def test_sizes_and_flags_are_read_where_the_list_gives_them(tmp_path: Path) -> None:
    text = (
        "imo,name,Length,beam_m,flag\n2000004,Pale Heron,119.5,18 m,kp\n2000016,Grey Gull,n/a,0,\n"
        '2000028,Storm Petrel,"120;140",,KP;pa\n2000030,Plover,"88,4",900,Panama\n'
    )
    listed = read_watchlist(write(tmp_path, text))
    assert [(one.length_m, one.beam_m) for one in listed.entries] == [
        (119.5, 18.0),
        (None, None),
        (None, None),
        (88.4, None),
    ]
    assert [one.flags for one in listed.entries] == [{"KP"}, set(), {"KP", "PA"}, set()]
    assert dict(listed.skipped) == {"beam_unusable": 2, "length_unusable": 1}


def test_a_call_sign_that_fills_the_column_matches_nothing(tmp_path: Path) -> None:
    rows = "".join(f"{2_000_000 + i},XXXX,Ship {i}\n" for i in range(30))
    listed = read_watchlist(write(tmp_path, "imo,call_sign,name\n" + rows + "2100000,P5AB,Pale Heron\n"))
    assert listed.call_sign_and_name("XXXX", "SHIP 3") == ()
    assert len(listed.call_sign_and_name("P5AB", "PALE HERON")) == 1
    assert listed.skipped["call_sign_shared"] == 1


def test_empty_and_malformed_cells_of_a_long_list_are_counted(tmp_path: Path) -> None:
    kinds = (",,Ship,,", "12,abc,Ship,X1,-4", "2000004,445000111,Ship,P5AB,120", ",,,,", "1,2,3,4,5,6,7")
    rows = "".join(f"{kinds[i % 5]}\n" for i in range(200_000))
    listed = read_watchlist(write(tmp_path, "imo,mmsi,name,call_sign,length_m\n" + rows))
    assert len(listed.entries) == 80_000, "every fifth with numbers, every fifth by call sign and name"
    assert listed.skipped["row_malformed"] == listed.skipped["row_empty"] == 40_000
    assert listed.skipped["imo_unusable"] == listed.skipped["length_unusable"] == 40_000
    assert listed.by_call_sign == {}, "forty thousand ships of one call sign are none"


def test_two_hundred_thousand_rows_are_read_whole(tmp_path: Path) -> None:
    rows = [f"VESSEL,Ship {i},{2_000_000 + i},{273_000_000 + i},id-{i},A {i};B {i}" for i in range(200_000)]
    listed = read_watchlist(write(tmp_path, "type,caption,imo,mmsi,id,aliases\n" + "\n".join(rows)))
    assert len(listed.entries) == 200_000
    assert len(listed.by_imo) == len(listed.by_mmsi) == 200_000
    assert listed.by_imo[2_199_999][0].mmsi == {273_199_999}
