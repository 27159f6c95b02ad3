"""The chart of a voyage."""

import re
from collections.abc import Mapping
from importlib.resources import files
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely

from detectors.report.coast import SharedCoast, packaged_coast
from detectors.report.drawn import Drawn
from detectors.report.map_picture import map_picture
from detectors.report.palette import DARK, LIGHT, plain
from tests.detectors.report.charts import (
    BEGIN,
    HOSTILE,
    HOUR,
    SVG,
    OpenSea,
    chart,
    data_of,
    drawn,
    fence,
    fences_in,
    mark,
    no_fences,
    of_class,
    parsed,
    silence,
    stay,
    track,
)

MAP_CSS = files("detectors.report").joinpath("static", "map.css").read_text(encoding="utf-8")
PASSAGE = track(np.linspace(37.6, 38.7, 40), np.linspace(121.5, 125.0, 40), np.linspace(0.0, 13.0, 40))
ALLOWED = frozenset(
    {
        *("aria-hidden", "aria-labelledby", "class", "d", "dy", "height", "href", "id", "role", "rx", "text-anchor"),
        *("transform", "vector-effect", "viewBox", "width", "x", "y", "data-lon", "data-n", "data-px-deg", "data-up"),
    }
)
TAGS = frozenset({"svg", "g", "path", "text", "tspan", "title", "desc", "rect", "use", "a", "defs"})


def texts(picture: ElementTree.Element) -> str:
    return "\n".join(picture.itertext())


@pytest.mark.parametrize("can_move", [True, False])
def test_a_chart_holds_nothing_that_a_strict_page_forbids(can_move: bool) -> None:
    voyage = drawn(
        tracks=(PASSAGE,),
        stays=(stay(38.7, 125.0, name=HOSTILE),),
        marks=(mark(1, 38.0, 123.0, HOSTILE),),
        silences=(silence(20, 40, (38.7, 125.0, 38.0, 124.0), text=HOSTILE),),
        title=HOSTILE,
    )
    shared = SharedCoast(packaged_coast())
    there = fences_in(fence(HOSTILE, (124.0, 38.0, 124.5, 38.5), name=HOSTILE, watch="high"))
    text = map_picture(voyage, there, shared, ident="map-1", can_move=can_move, anchor="voyage-1-f")
    for part in (text, shared.sheets()):
        root = parsed(part)
        assert {one.tag.removeprefix(SVG) for one in root.iter()} <= TAGS
        assert {name for one in root.iter() for name in one.attrib} <= ALLOWED
        assert all(one.get("href", "#").startswith("#") for one in root.iter())
        assert "\u202e" not in part
        assert "\x07" not in part
    assert len(text) < 20_000


def test_a_chart_says_what_it_is_to_who_cannot_see_it() -> None:
    picture = chart(drawn(tracks=(PASSAGE,), marks=(mark(1, 38.0, 123.0), mark(2, None, None))))
    assert picture.get("role") == "img"
    named = picture.get("aria-labelledby", "").split()
    said = {one.get("id"): one.text for one in picture if one.get("id")}
    assert set(named) == set(said)
    assert said["map-1-t"] == "Chart of TEAL SANDPIPER (MMSI 445808973)"
    assert "40 positions drawn" in str(said["map-1-d"])
    assert "findings marked: 1" in str(said["map-1-d"])
    assert "findings without a place: 1" in str(said["map-1-d"])


def test_an_ident_is_made_fit_to_be_one() -> None:
    text = map_picture(drawn(tracks=(PASSAGE,)), no_fences, OpenSea(), ident='a" onload="x')
    assert 'id="aonloadx-t"' in text


def test_sailed_and_unheard_have_classes_of_their_own() -> None:
    gone = track([37.6, 37.8, 38.2, 38.3], [121.5, 122.0, 123.5, 123.8], every_h=5.0)
    picture = chart(drawn(tracks=(PASSAGE,)))
    assert data_of(picture, "track")
    assert not of_class(picture, "silence")
    picture = chart(drawn(tracks=(gone,)))
    assert not data_of(picture, "track")
    assert len(of_class(picture, "silence")) == 3
    assert "not heard 5 h" in texts(picture)
    picture = chart(drawn(tracks=(gone,), silences=(silence(5, 10, (37.8, 122.0, 38.2, 123.5)),)))
    assert len(of_class(picture, "while-heard")) == 1


def test_every_colour_of_track_has_a_class_of_speed_and_of_time() -> None:
    for path in of_class(chart(drawn(tracks=(PASSAGE,))), "track")[0]:
        assert re.fullmatch(r"s[0-5u] t[0-5]", path.get("class", ""))


def test_the_key_names_unknown_speeds_only_where_there_are_some() -> None:
    silent = track([38.0, 38.1], [123.0, 123.1], [np.nan, np.nan])
    assert "no speed sent" in texts(chart(drawn(tracks=(silent,))))
    assert "no speed sent" not in texts(chart(drawn(tracks=(PASSAGE,))))


def test_without_tracks_the_line_that_was_told_is_drawn_and_said_to_be_simplified() -> None:
    picture = chart(drawn(line=shapely.LineString([(122.0, 37.0), (124.0, 38.0), (125.0, 38.6)])))
    assert len(of_class(picture, "told")) == 1
    assert "Simplified line" in texts(picture)
    assert not of_class(picture, "nothing")
    several = shapely.MultiLineString([[(178.0, 50.0), (180.0, 50.5)], [(-180.0, 50.5), (-178.0, 51.0)]])
    (path,) = of_class(chart(drawn(line=several)), "told")
    assert path.get("d", "").count("M") == 2
    assert not of_class(chart(drawn(line=several, tracks=(PASSAGE,))), "told")


@pytest.mark.parametrize("empty", [{}, {"line": shapely.LineString()}, {"tracks": (track([np.nan], [np.inf]),)}])
def test_of_a_voyage_without_a_place_the_chart_says_so(empty: dict[str, object]) -> None:
    picture = chart(drawn(**empty))
    assert "no position of this voyage is kept in this run" in texts(picture)


def test_one_point_has_a_chart() -> None:
    picture = chart(drawn(tracks=(track([38.7], [124.9]),)))
    assert data_of(picture, "track") == ["M380 260h0"]
    assert "start 1 Mar" in texts(picture)


@pytest.mark.parametrize("can_move", [True, False])
def test_a_thousand_marks_make_a_small_chart(can_move: bool) -> None:
    draw = np.random.default_rng(7)
    places = zip(draw.uniform(36, 39, 1000), draw.uniform(121, 126, 1000), strict=True)
    marks = tuple(mark(i + 1, float(lat), float(lon), HOSTILE) for i, (lat, lon) in enumerate(places))
    text = map_picture(drawn(tracks=(PASSAGE,), marks=marks), no_fences, OpenSea(), ident="m", can_move=can_move)
    assert len(text) < 40_000
    assert 5 <= len(of_class(parsed(text), "mark")) <= 36


def test_a_voyage_across_180_degrees_has_one_small_chart() -> None:
    lon = np.mod(np.linspace(177.0, 184.0, 30) + 180.0, 360.0) - 180.0
    picture = chart(drawn(tracks=(track(np.linspace(50.0, 51.0, 30), lon),)))
    assert float(picture.get("data-px-deg", "0")) > 50.0
    degrees = {one.text for group in of_class(picture, "grid-degrees") for one in group.iter(f"{SVG}text")}
    assert {"180°", "178°W"} <= degrees


def test_turning_the_world_changes_nothing_but_the_degrees() -> None:
    def pictures(turn: float) -> list[list[str]]:
        lon = np.mod(PASSAGE.lon + turn + 180.0, 360.0) - 180.0
        moved = track(PASSAGE.lat, lon, PASSAGE.sog_kn)
        picture = chart(drawn(tracks=(moved,), marks=(mark(1, 38.0, float(lon[20])),)))
        return [data_of(picture, "track"), [one.get("transform", "") for one in of_class(picture, "mark")]]

    assert pictures(0.0) == pictures(57.0) == pictures(-123.25)


def test_a_chart_that_can_be_moved_is_drawn_beyond_its_edges() -> None:
    shared = SharedCoast(packaged_coast())
    still = chart(drawn(tracks=(PASSAGE,)), land=shared)
    moved = chart(drawn(tracks=(PASSAGE,)), land=shared, can_move=True)
    assert len(list(moved.iter(f"{SVG}use"))) > len(list(still.iter(f"{SVG}use")))
    assert still.get("viewBox") == moved.get("viewBox") == "0 0 760 520"


def test_names_without_room_are_kept_for_a_closer_look_only_where_one_can_look_closer() -> None:
    near = [fence(f"Z{i}", (123.0, 38.0, 123.2, 38.2), name=f"Place {i}", watch="high") for i in range(30)]
    still = chart(drawn(tracks=(PASSAGE,)), fences=fences_in(*near))
    moved = chart(drawn(tracks=(PASSAGE,)), fences=fences_in(*near), can_move=True)
    assert not of_class(still, "spare")
    assert of_class(moved, "spare")
    assert len(of_class(moved, "high")) == 30


def test_watched_places_are_named_with_their_watch() -> None:
    there = fences_in(
        fence("KP_NAMPO", (124.0, 38.0, 124.3, 38.3), name="Nampo", watch="high"),
        fence("CN_DALIAN", (122.0, 38.0, 122.3, 38.3), name="Dalian", watch="elevated"),
        fence("CN_YANTAI", (121.6, 37.6, 121.8, 37.8), name="Yantai"),
    )
    said = texts(chart(drawn(tracks=(PASSAGE,)), fences=there))
    assert "Nampo · high watch" in said
    assert "Dalian · elevated watch" in said
    assert re.search("^Yantai$", said, re.MULTILINE)


def test_a_place_called_at_is_named_once() -> None:
    there = fences_in(fence("KP_NAMPO", (124.8, 38.6, 125.2, 38.8), name="Nampo", watch="high"))
    picture = chart(drawn(tracks=(PASSAGE,), stays=(stay(38.7, 125.0), stay(38.7, 125.0))), fences=there)
    names = [text.text for text in picture.iter(f"{SVG}text") if (text.text or "").startswith("Nampo")]
    assert names == ["Nampo · high watch"]
    assert "Port visit: Nampo · high watch" in texts(picture)


def test_stays_of_other_voyages_are_not_drawn() -> None:
    late = stay(20.0, 110.0)
    late = type(late)(
        **{name: getattr(late, name) for name in late.__slots__}
        | {"start_us": BEGIN + 900 * HOUR, "end_us": BEGIN + 910 * HOUR}
    )
    assert not of_class(chart(drawn(tracks=(PASSAGE,), stays=(late,))), "stays")


def test_ships_met_are_thin_lines_with_their_mmsi_and_never_coloured_by_speed() -> None:
    other = track(np.linspace(38.0, 38.1, 9), np.linspace(123.0, 123.2, 9), role="met", mmsi=412_345_678)
    picture = chart(drawn(tracks=(PASSAGE,), met=(other,)))
    assert data_of(picture, "met")
    assert "MMSI 412345678" in texts(picture)
    assert not any(re.search(r"\bs\d\b", path.get("class", "")) for path in of_class(picture, "met")[0].iter())


def test_a_ship_met_far_away_does_not_shrink_the_voyage() -> None:
    far = track([0.0, 0.1], [10.0, 10.1], role="met", mmsi=412_345_678)
    near = track([38.0, 38.1], [123.0, 123.1], role="met", mmsi=412_345_678)
    alone, beside, remote = (chart(drawn(tracks=(PASSAGE,), met=met)) for met in ((), (near,), (far,)))
    assert alone.get("data-px-deg") == beside.get("data-px-deg") == remote.get("data-px-deg")


def test_a_voyage_that_ends_in_silence_is_last_heard_not_ended() -> None:
    lasting = silence(20, None, (38.7, 125.0, None, None), text="not heard for 80.0 h so far")
    assert "end 1 Mar" in texts(chart(drawn(tracks=(PASSAGE,))))
    said = texts(chart(drawn(tracks=(PASSAGE,), silences=(lasting,))))
    assert "last heard 1 Mar" in said
    assert "so far" in said


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    picture = chart(drawn(tracks=(PASSAGE,)))
    (bar,) = of_class(picture, "bar")
    (group,) = of_class(picture, "scale")
    said = next(text.text for text in group.iter(f"{SVG}text") if text.text)
    px = abs(float(re.findall(r"h(-?[\d.]+)", bar.get("d", ""))[0]))
    per_degree = float(picture.get("data-px-deg", "0"))
    nmi = 60.0405 / per_degree / np.cosh(np.radians(float(picture.get("data-up", "0")))) * px
    assert nmi == pytest.approx(float(said.split()[0]), rel=0.01)


def test_the_same_voyage_gives_the_same_chart() -> None:
    voyage = drawn(tracks=(PASSAGE,), marks=(mark(1, 38.0, 123.0),), stays=(stay(38.7, 125.0),))
    assert map_picture(voyage, no_fences, OpenSea(), ident="m") == map_picture(voyage, no_fences, OpenSea(), ident="m")


@pytest.mark.parametrize("size", [(760, 520), (360, 260), (1200, 400)])
def test_nothing_heard_is_outside_the_picture(size: tuple[int, int]) -> None:
    picture = chart(drawn(tracks=(PASSAGE,)), width=size[0], height=size[1])
    for data in data_of(picture, "track"):
        for part in data.split("M")[1:]:
            steps = np.array([float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", part)]).reshape(-1, 2)
            at = np.cumsum(steps, axis=0)
            assert (at >= 0.0).all()
            assert (at <= np.array(size)).all()


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_style_sheet_knows_every_class_and_its_colours_have_names(palette: Mapping[str, str]) -> None:
    assert "var(--k" in plain(MAP_CSS, palette)  # sizes are left to the page
    voyage: Drawn = drawn(
        tracks=(PASSAGE, track([38.9, 39.0], [125.0, 125.1], [np.nan] * 2, begin=BEGIN + 30 * HOUR)),
        met=(track([38.0, 38.1], [123.0, 123.1], role="met"),),
        marks=(mark(1, 38.0, 123.0),),
        stays=(stay(38.7, 125.0),),
        silences=(silence(20, 29, (38.7, 125.0, 38.9, 125.0)),),
    )
    used = {name for one in chart(voyage, land=packaged_coast()).iter() for name in one.get("class", "").split()}
    unstyled = {name for name in used if f".{name}" not in MAP_CSS}
    assert unstyled <= {"t0", "t1", "t2", "t3", "t4", "t5", "fences", "scale", "marks"}


def test_a_highly_watched_place_by_a_silence_is_within_the_frame() -> None:
    passage = track(np.linspace(37.6, 38.0, 20), np.linspace(122.0, 124.0, 20))
    quiet = silence(2.0, 9.0, (38.0, 124.0, 37.9, 123.9))
    for watch, is_shown in (("high", True), ("elevated", False), (None, False)):
        there = fences_in(fence("A", (124.7, 38.3, 124.9, 38.5), name="Cho-do", watch=watch))
        with_silence = chart(drawn(tracks=(passage,), silences=(quiet,)), fences=there)
        without = chart(drawn(tracks=(passage,)), fences=there)
        assert (with_silence.get("data-lon") != without.get("data-lon")) is is_shown
        assert ("Cho-do · high watch" in texts(with_silence)) is is_shown


def test_a_watched_place_far_from_every_silence_does_not_widen_the_frame() -> None:
    passage = track(np.linspace(37.6, 38.0, 20), np.linspace(122.0, 124.0, 20))
    quiet = silence(2.0, 9.0, (37.6, 122.0, 37.6, 122.1))
    there = fences_in(fence("A", (124.7, 38.3, 124.9, 38.5), watch="high"))
    kept = chart(drawn(tracks=(passage,), silences=(quiet,)), fences=there)
    assert kept.get("data-px-deg") == chart(drawn(tracks=(passage,), silences=(quiet,))).get("data-px-deg")


def test_a_large_fence_is_named_where_it_is_in_sight() -> None:
    there = fences_in(fence("A", (110.0, 38.2, 124.0, 60.0), name="Roads", watch="elevated"))
    assert "Roads · elevated watch" in texts(chart(drawn(tracks=(PASSAGE,)), fences=there))


def test_keys_and_scale_keep_away_from_the_track_and_the_marks() -> None:
    def corners(voyage: Drawn) -> dict[str, tuple[bool, bool]]:
        """Whether each plate is on the right, and whether it is low."""
        picture = chart(voyage)
        places = {}
        for name in ("keys", "scale"):
            x, y = map(float, re.findall(r"[-\d.]+", of_class(picture, name)[0].get("transform", "")))
            places[name] = (x > 380.0, y > 260.0)
        return places

    lat, lon = np.linspace(36.9, 38.8, 40), np.linspace(121.5, 125.0, 40)
    rising, falling = drawn(tracks=(track(lat, lon),)), drawn(tracks=(track(lat[::-1], lon),))
    assert corners(rising) == {"keys": (False, False), "scale": (True, True)}
    assert corners(falling) == {"keys": (True, False), "scale": (False, True)}
