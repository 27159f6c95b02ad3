"""Settings: what is read, what is refused and in which words."""

from pathlib import Path

import pytest
from pydantic import Field

from detectors.batch.refusals import nearest_name
from detectors.batch.settings import (
    Settings,
    apply_levels,
    build_detector,
    check_detect_tables,
    check_for_nightly,
    load_settings,
    settings_from,
)
from detectors.triage import FLAG_SCORE
from vessels.errors import SettingsError
from vessels.parameters import Parameters
from vessels.zones import read_zones

EXAMPLE = Path(__file__).parents[2] / "wakewatch.example.toml"


class Sample(Parameters):
    """A detector's record with two parameters."""

    max_relay_days: float = Field(30.0, ge=1.0, le=365.0, description="how long a relay may take")
    min_stop_h: float = Field(1.0, gt=0.0, description="shortest stop")


def refused(text: str, tmp_path: Path) -> list[str]:
    """What is said of a settings file with this text, a line for each thing."""
    path = tmp_path / "wakewatch.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    return [line.replace(str(path), "F") for line in str(caught.value).splitlines()]


def test_no_file_gives_the_defaults() -> None:
    settings = load_settings(None)
    assert settings == Settings()
    assert settings.input.tracks == ()
    assert settings.ingest.thin_s == 60
    assert settings.detect.is_enabled("geofence")


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.touch()
    assert load_settings(path).effective() == Settings().effective()


def test_the_example_is_read_and_says_the_defaults() -> None:
    assert load_settings(EXAMPLE).effective() == Settings().effective()


def test_the_example_names_every_key_there_is() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for table, field in Settings.model_fields.items():
        assert f"[{table}]" in text or f"[{table}." in text
        record = field.annotation
        assert isinstance(record, type)
        for key, inner in record.model_fields.items():
            assert not inner.repr or key in text, f"[{table}] {key} is not in the example"


def test_paths_are_relative_to_the_settings_file(tmp_path: Path) -> None:
    path = tmp_path / "wakewatch.toml"
    path.write_text(
        '[input]\ntracks = ["tracks", "/data/*.csv", "day-*.csv"]\n[watch]\nzones = "z.geojson"\nlist = "/l.csv"\n'
        '[output]\npath = "out"\n[baseline]\npath = "b.parquet"\n',
        encoding="utf-8",
    )
    settings = load_settings(path)
    assert settings.input.tracks == (str(tmp_path / "tracks"), "/data/*.csv", str(tmp_path / "day-*.csv"))
    assert settings.watch.zones == tmp_path / "z.geojson"
    assert settings.watch.list == Path("/l.csv")
    assert settings.output.path == tmp_path / "out"
    assert settings.baseline.path == tmp_path / "b.parquet"


def test_a_folder_with_glob_characters_in_its_name_is_taken_literally(tmp_path: Path) -> None:
    folder = tmp_path / "watch [night]"
    folder.mkdir()
    (folder / "a.csv").touch()
    (folder / "odd[1].csv").touch()
    path = folder / "wakewatch.toml"
    path.write_text('[input]\ntracks = ["*.csv", "odd[1].csv"]\n', encoding="utf-8")
    pattern, plain = load_settings(path).input.tracks
    assert plain == str(folder / "odd[1].csv")
    assert pattern == str(tmp_path / "watch [[]night]" / "*.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[wacth]\n", ["F: [wacth]: unknown table; did you mean `watch`?"]),
        ('[watch]\nlists = "l.csv"\n', ["F: [watch] lists: unknown key; did you mean `list`?"]),
        ("[detect]\nlookback_day = 3\n", ["F: [detect] lookback_day: unknown key; did you mean `lookback_days`?"]),
        ("[alerts]\nbudget = true\n", ["F: [alerts] budget: must be a whole number, not true"]),
        ("[alerts]\nbudget = 0\n", ["F: [alerts] budget: must be at least 1, not 0"]),
        ('[ingest]\nthin_s = "60"\n', ['F: [ingest] thin_s: must be a whole number, not "60"']),
        ("[input]\ntracks = 3\n", ['F: [input] tracks: must be a list, such as ["tracks/*.parquet"] (it is 3)']),
        ("[input]\ndialect = 3\n", ["F: [input] dialect: must be text in quotes, not 3"]),
        ('[input]\ndialect = "dmaa"\n', ['F: [input] dialect: unknown dialect; did you mean `dma`? (it is "dmaa")']),
        (
            '[input.columns]\nmsi = "ship"\n',
            ["F: [input] columns: `msi`: unknown canonical name; did you mean `mmsi`? (it is {'msi': 'ship'})"],
        ),
        ("[output]\npath = 3\n", ['F: [output] path: must be a path in quotes, such as "zones.geojson" (it is 3)']),
        ('[output]\npath = " "\n', ['F: [output] path: must not be empty; leave the key out instead (it is " ")']),
        ("watch = 3\n", ["F: [watch]: must be a table, not 3"]),
        ("detect = 3\n", ["F: [detect]: must be a table, not 3"]),
        (
            '[watch.levels]\nRU_NAKHODKA = "hihg"\n',
            ["F: [watch.levels] RU_NAKHODKA: must be one of 'high', 'elevated' or 'none', not \"hihg\""],
        ),
        (
            '[input]\ntimezone = "Asia/Soul"\n',
            ['F: [input] timezone: no such time zone; did you mean `Asia/Seoul`? (it is "Asia/Soul")'],
        ),
        ('[detect.geofence]\nenabled = "no"\n', ['F: [detect.geofence] enabled: must be true or false, not "no"']),
        ("[store]\nbuckets = 0\n", ["F: [store] buckets: must be at least 1, not 0"]),
        ("[store]\nvacuum_hour = 3\n", ["F: [store] vacuum_hour: unknown key; did you mean `vacuum_hours`?"]),
        ("[store.options]\nAWS_REGION = 3\n", ["F: [store.options] AWS_REGION: must be text in quotes, not 3"]),
        (
            '[store]\npath = "s3://me:secret@bucket/a"\n',
            ["F: [store] path: must not hold a password; give it in [store.options] or in the environment"],
        ),
        (
            "[store]\nretention_days = 96\n",
            ["F: [store] retention_days: must be at least 97 ([detect] lookback_days + window_step_days), not 96"],
        ),
        ("[baseline]\nlearn = 1\n", ["F: [baseline] learn: must be true or false, not 1"]),
        ("[alerts]\nmin_score = 0.01\n", ["F: [alerts] min_score: must be at least 0.02, not 0.01"]),
    ],
)
def test_what_is_wrong_is_said_with_file_key_rule_and_nearest_name(text: str, said: list[str], tmp_path: Path) -> None:
    assert refused(text, tmp_path) == said


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = refused('[watc]\n[alerts]\nbudget = 0\n[detect.geofence]\nenabled = "no"\n', tmp_path)
    assert len(said) == 3


def test_a_broken_toml_file_is_refused_with_its_line(tmp_path: Path) -> None:
    (line,) = refused("[input]\ntracks = [\n", tmp_path)
    assert line.startswith("F: is not valid TOML")


def test_a_value_from_the_file_cannot_command_a_terminal(tmp_path: Path) -> None:
    (line,) = refused('[watch.levels]\nX = "\\u001b[31mred\\u202e"\n', tmp_path)
    assert line.isprintable()


def test_what_is_no_settings_file_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "b.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, word in ((tmp_path, "ordinary file"), (binary, "UTF-8"), (tmp_path / "none.toml", "No such file")):
        with pytest.raises(SettingsError, match=word):
            load_settings(path)


def test_a_mistyped_file_name_gets_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "wakewatch.toml").touch()
    with pytest.raises(SettingsError, match=r"did you mean `.*wakewatch\.toml`"):
        load_settings(tmp_path / "wakewatc.toml")


def test_a_mark_for_the_byte_order_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf[alerts]\nbudget = 3\n")
    assert load_settings(path).alerts.budget == 3


def test_parameters_and_switches_of_detectors_are_told_apart() -> None:
    settings = settings_from(
        {"detect": {"lookback_days": 30, "geofence": {"enabled": False, "max_relay_days": 9}, "identity": {"a": 1}}}
    )
    assert settings.detect.lookback_days == 30
    assert not settings.detect.is_enabled("geofence")
    assert settings.detect.is_enabled("identity")
    assert settings.detect.parameters("geofence") == {"max_relay_days": 9}
    assert settings.detect.parameters("isolation_forest") == {}


def test_unknown_detectors_and_parameters_are_refused_by_name() -> None:
    settings = settings_from(
        {"detect": {"geofense": {}, "geofence": {"max_relay_day": 3, "min_stop_h": 0}, "x": {"enabled": False}}},
        name="F",
    )
    with pytest.raises(SettingsError) as caught:
        check_detect_tables(settings, {"geofence": Sample})
    assert str(caught.value).splitlines() == [
        "F: [detect.geofense]: unknown detector; did you mean `geofence`?",
        "F: [detect.geofence] min_stop_h: must be above 0, not 0",
        "F: [detect.geofence] max_relay_day: unknown parameter; did you mean `max_relay_days`?",
        "F: [detect.x]: unknown detector; there are: geofence",
    ]


def test_a_detector_is_built_with_what_its_table_says() -> None:
    settings = settings_from({"detect": {"geofence": {"max_relay_days": 9}, "other": {}}})
    assert build_detector(Sample, "geofence", settings).max_relay_days == 9.0
    assert build_detector(Sample, "identity", settings) == Sample()


def test_levels_change_the_zones_they_name() -> None:
    zones = read_zones()
    changed = apply_levels(zones, settings_from({"watch": {"levels": {"CN_DALIAN": "none", "SG_SINGAPORE": "high"}}}))
    assert (changed["CN_DALIAN"].watch, changed["SG_SINGAPORE"].watch) == ("none", "high")
    assert zones["SG_SINGAPORE"].watch == "none"


def test_a_level_for_no_zone_is_refused_with_the_file_and_the_nearest_id() -> None:
    settings = settings_from({"watch": {"levels": {"RU_NAKODKA": "high"}}}, name="my.toml")
    with pytest.raises(SettingsError, match=r"my\.toml.*RU_NAKODKA.*RU_NAKHODKA"):
        apply_levels(read_zones(), settings)


def test_effective_settings_are_plain_and_hold_the_defaults() -> None:
    settings = settings_from(
        {"detect": {"geofence": {"enabled": False, "max_relay_days": 9}}, "alerts": {"budget": 30}}
    )
    effective = settings.effective()
    assert effective["alerts"] == {"budget": 30, "min_score": FLAG_SCORE}
    assert effective["ingest"] == {"thin_s": 60, "gap_s": 1800}
    assert effective["detect"] == {
        "lookback_days": 90,
        "window_step_days": 7,
        "geofence": {"max_relay_days": 9, "enabled": False},
    }


def test_nothing_like_a_known_name_gets_no_suggestion() -> None:
    assert nearest_name("qqqqqq", ["zones", "levels"]) is None


def test_facts_are_told_by_the_settings_and_wrong_ones_refused_with_the_right_name() -> None:
    settings = settings_from({"facts": {"sea": {"gaps": {"min_gap_h": 8.0}}, "stays": {"port_gap_h": 6.0}}})
    assert settings.facts.sea.gaps.min_gap_h == 8.0
    assert settings.facts.stays.port_gap_h == 6.0
    assert settings.facts.motion == Settings().facts.motion
    with pytest.raises(SettingsError, match=r"\[facts\.sea\.gaps\] min_gaps_h: unknown key; did you mean `min_gap_h`"):
        settings_from({"facts": {"sea": {"gaps": {"min_gaps_h": 8.0}}}})


NIGHTLY = '[input]\ntracks = ["in"]\n[store]\npath = "{store}"\n[output]\npath = "{out}"\n'


def nightly(tmp_path: Path, store: str = "store", out: str = "nights") -> Settings:
    path = tmp_path / "wakewatch.toml"
    path.write_text(NIGHTLY.format(store=store, out=out), encoding="utf-8")
    return load_settings(path)


def test_a_store_is_a_folder_beside_the_file_or_an_address_as_it_stands(tmp_path: Path) -> None:
    assert nightly(tmp_path).store.path == str(tmp_path / "store")
    for address in ("s3://bucket/wakewatch", "abfss://box@account.dfs.core.windows.net/a", "gs://bucket/a"):
        settings = nightly(tmp_path, address)
        assert settings.store.path == address
        check_for_nightly(settings)


def test_values_of_storage_options_reach_the_store_and_nothing_else(tmp_path: Path) -> None:
    given = {"store": {"path": "s3://b/w", "options": {"AWS_SECRET_ACCESS_KEY": "hush-hush"}}}
    settings = settings_from(given)
    assert settings.store.storage_options() == {"AWS_SECRET_ACCESS_KEY": "hush-hush"}
    for shown in (repr(settings), str(settings), str(settings.effective()), settings.model_dump_json()):
        assert "hush-hush" not in shown
    assert "AWS_SECRET_ACCESS_KEY" in str(settings.effective())
    changed = settings_from({"store": {"path": "s3://b/w", "options": {"AWS_SECRET_ACCESS_KEY": "other"}}})
    assert changed.effective() == settings.effective()
    path = tmp_path / "wakewatch.toml"
    path.write_text('[store]\nbuckets = 0\n[store.options]\nAWS_SECRET_ACCESS_KEY = "hush-hush"\nX = 3\n')
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert "hush-hush" not in str(caught.value)


def test_a_retention_that_reaches_past_the_window_is_fine() -> None:
    settings = settings_from({"store": {"retention_days": 37}, "detect": {"lookback_days": 30}})
    assert settings.store.retention_days == 37


def test_settings_that_lack_what_the_nightly_job_needs_are_refused_all_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        check_for_nightly(settings_from({}, name="F"))
    assert [line.partition(": is needed")[0] for line in str(caught.value).splitlines()] == [
        "F: [input] tracks",
        "F: [store] path",
        "F: [output] path",
    ]


@pytest.mark.parametrize(
    ("store", "out", "said"),
    [
        ("in/store", "nights", r"\[store\] path: .*in/store lies in the input folder"),
        ("store", "in", r"\[output\] path: .* lies in the input folder"),
        ("store", "store/nights", "lie in one another"),
        ("nights/store", "nights", "lie in one another"),
        ("both", "both", "lie in one another"),
    ],
)
def test_folders_of_the_nightly_job_must_lie_apart(store: str, out: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    check_for_nightly(nightly(tmp_path))
    with pytest.raises(SettingsError, match=said):
        check_for_nightly(nightly(tmp_path, store, out))
