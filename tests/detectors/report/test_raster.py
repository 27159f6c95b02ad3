"""Pictures as PNG: of the asked size, the same on every machine, and never without their letters."""

import io
import struct
import subprocess
import sys
import zlib

import pytest

from detectors.report import raster
from detectors.report.raster import COVERED, FAMILY, FONT, png_of
from vessels.errors import UsageError

EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"></svg>'


def text(words, **attributes):
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return EMPTY.replace("></", f'><text x="2" y="15"{given}>{words}</text></')


def size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def pixels(png):
    """The raw image data of a PNG: what is left when nothing but pixels counts."""
    stream, data = io.BytesIO(png[8:]), b""
    while head := stream.read(8):
        length, kind = struct.unpack(">I4s", head)
        body = stream.read(length)
        stream.read(4)
        data += body if kind == b"IDAT" else b""
    return zlib.decompress(data)


@pytest.mark.parametrize(("scale", "expected"), [(1.0, (60, 20)), (2.0, (120, 40)), (0.5, (30, 10))])
def test_a_picture_is_as_large_as_asked_for(scale, expected):
    assert size(png_of(EMPTY, scale)) == expected


@pytest.mark.parametrize("scale", [0.0, -1.0, 0.05, 11.0, float("nan"), float("inf")])
def test_a_scale_out_of_bounds_is_refused(scale):
    with pytest.raises(UsageError, match="must lie between"):
        png_of(EMPTY, scale)


def test_letters_leave_a_mark_and_weights_differ():
    blank, plain, bold = (pixels(png_of(svg)) for svg in (EMPTY, text("SHIP"), text("SHIP", font_weight=700)))
    assert len({blank, plain, bold}) == 3


def test_the_ground_is_white_where_nothing_is_drawn():
    white = EMPTY.replace("></", '><rect width="60" height="20" fill="#ffffff"/></')
    assert pixels(png_of(EMPTY)) == pixels(png_of(white))


@pytest.mark.parametrize("family", ["Source Sans 3", "sans-serif", "'Segoe UI',Arial,sans-serif", None])
def test_text_without_foreign_letters_never_asks_the_machine_for_a_font(family, monkeypatch):
    asked = []
    draw = raster.resvg_py.svg_to_bytes
    monkeypatch.setattr(raster.resvg_py, "svg_to_bytes", lambda **options: asked.append(options) or draw(**options))
    svg = text("CORAL 9 → ≥ 3 nmi", **({} if family is None else {"font_family": family}))
    assert pixels(png_of(svg)) == pixels(png_of(text("CORAL 9 → ≥ 3 nmi", font_family=FAMILY)))
    assert all(options["skip_system_fonts"] for options in asked)


def test_every_letter_that_is_taken_for_covered_is_in_the_font():
    assert pixels(png_of_ours(text("\u4e2d"))) == pixels(png_of_ours(text("\u6587"))), "both are drawn as missing"
    drawn = {letter: pixels(png_of_ours(text(letter))) for letter in COVERED | {"Ж", "Ω", "é"}}
    unknown = pixels(png_of_ours(text("\u4e2d")))
    assert all(shape not in (unknown, pixels(png_of(EMPTY))) for shape in drawn.values())


def png_of_ours(svg):
    """As `png_of` draws, but with our own font alone."""
    options = {"font_family": FAMILY, "sans_serif_family": FAMILY, "font_files": [str(FONT)]}
    return raster.resvg_py.svg_to_bytes(
        svg_string=svg, zoom=2.0, background="#ffffff", skip_system_fonts=True, **options
    )


def test_where_no_font_can_be_found_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(raster, "FONT", tmp_path / "none.ttf")
    monkeypatch.setattr(raster, "_machine_has_fonts", lambda: False)
    with pytest.raises(UsageError, match=r"no font found .* write the picture as \.svg"):
        png_of(EMPTY)


def test_a_machine_without_fonts_is_known_as_one(monkeypatch):
    draw = raster.resvg_py.svg_to_bytes
    with_none = lambda **options: draw(**{**options, "skip_system_fonts": True})  # noqa: E731
    monkeypatch.setattr(raster.resvg_py, "svg_to_bytes", with_none)
    assert not raster._machine_has_fonts()


def test_two_processes_draw_the_same_bytes():
    program = (
        f"import sys; from detectors.report.raster import png_of; sys.stdout.buffer.write(png_of({text('SHIP')!r}))"
    )
    found = {subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout for _ in range(2)}
    assert found == {png_of(text("SHIP"))}
