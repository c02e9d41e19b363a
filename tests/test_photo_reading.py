"""Photos of odd kinds are read as other programs read them, or refused in a line; never black without a word."""

import importlib.util
import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from facepart.data import photo_input, pillow_settings
from facepart.data.photo_input import LARGE_PIXELS, OPEN, PhotoError, large_photos_in_turn, read_photo
from facepart.data.pillow_settings import MOST_PIXELS

# TIFF 6.0: tags and types of their values.
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, OFFSETS, SAMPLES, BYTES = 256, 257, 258, 259, 262, 273, 277, 279
LOWEST, HIGHEST, FORMAT, S_LOWEST, S_HIGHEST = 280, 281, 339, 340, 341
SHORT, LONG, FLOAT = (3, "H"), (4, "I"), (11, "f")


def tiff(pixels, bits, extra=(), order="<", photometric=1, sample_format=1):
    """Write a TIFF by hand: bytes of one channel in one strip, and extra tags (number, type, value)."""
    height, width = pixels.shape
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    tags = [(WIDTH, LONG, width), (HEIGHT, LONG, height), (BITS, SHORT, bits), (COMPRESSION, SHORT, 1)]
    tags += [(PHOTOMETRIC, SHORT, photometric), (OFFSETS, LONG, 8), (SAMPLES, SHORT, 1), (BYTES, LONG, len(data))]
    tags += [(FORMAT, SHORT, sample_format), *extra]
    entries = b""
    for number, (code, letter), value in sorted(tags):
        packed = struct.pack(order + letter, value)
        entries += struct.pack(order + "HHI", number, code, 1) + packed.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(data))
    return head + data + struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0)


def chunk(kind, data, spoil=0):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ spoil)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
    return buffer.getvalue()


def read(tmp_path, data, name="photo.jpg"):
    (tmp_path / name).write_bytes(data)
    return read_photo(tmp_path / name)


def refusal(tmp_path, data):
    with pytest.raises(PhotoError) as caught:
        read(tmp_path, data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def three(grey):
    return np.repeat(grey[:, :, None], 3, axis=2)


@pytest.fixture
def grey():
    """Grey levels from 0 to 254, uint8 (16, 16)."""
    return np.minimum(np.arange(256), 254).astype(np.uint8).reshape(16, 16)


@pytest.fixture
def photo():
    """Smooth colours and noise, uint8 (40, 60, 3)."""
    y, x = np.mgrid[:40, :60]
    smooth = np.stack([x * 4, y * 6, (x + y) * 2], axis=2)
    return np.clip(smooth + np.random.default_rng(0).integers(-9, 9, smooth.shape), 0, 255).astype(np.uint8)


# Depth


@pytest.mark.parametrize(
    ("values", "bits", "kind"), [("f4", 32, 3), ("i4", 32, 2), ("u4", 32, 1), ("i2", 16, 2)], ids=str
)
def test_values_without_a_range_are_refused(tmp_path, grey, values, bits, kind):
    for pixels in (grey.astype(values), (grey / 255).astype(values)):
        reason = refusal(tmp_path, tiff(pixels, bits, sample_format=kind))
        assert "does not declare their range" in reason


@pytest.mark.parametrize(
    ("values", "bits", "kind", "tag", "scale", "declared"),
    [
        ("f4", 32, 3, FLOAT, 1 / 255, (0.0, 1.0)),
        ("f4", 32, 3, FLOAT, 1.0, (0.0, 255.0)),
        ("f4", 32, 3, FLOAT, 2 / 255, (0.0, 2.0)),
        ("i4", 32, 2, LONG, 1, (0, 255)),
        ("u2", 16, 1, SHORT, 16, (0, 4095)),
        ("u2", 16, 1, SHORT, 4, (0, 1023)),
        ("u2", 16, 1, SHORT, 1, (0, 255)),
        ("u2", 16, 1, SHORT, 256, (0, 65535)),
    ],
    ids=str,
)
@pytest.mark.parametrize("tags", [(S_LOWEST, S_HIGHEST), (LOWEST, HIGHEST)], ids=["SMax", "Max"])
def test_a_declared_range_becomes_0_to_255(tmp_path, grey, values, bits, kind, tag, scale, declared, tags):
    pixels = (grey.astype(float) * scale).astype(values)
    extra = [(number, tag, value) for number, value in zip(tags, declared, strict=True)]
    for order in "<>":
        found = read(tmp_path, tiff(pixels, bits, extra, order, sample_format=kind))
        np.testing.assert_array_equal(found, three(grey))


def test_a_declared_range_need_not_begin_at_0_and_what_is_outside_is_black_or_white(tmp_path):
    pixels = np.array([[-9, 10, 15, 20, 99, np.nan, np.inf, -np.inf]], "f4")
    found = read(tmp_path, tiff(pixels, 32, [(S_LOWEST, FLOAT, 10), (S_HIGHEST, FLOAT, 20)], sample_format=3))
    assert found[0, :, 0].tolist() == [0, 0, 128, 255, 255, 0, 255, 0]


@pytest.mark.parametrize("highest", [0.0, -1.0, float("nan"), float("inf")])
def test_a_declared_range_that_is_none_does_not_count(tmp_path, grey, highest):
    data = tiff(grey.astype("f4"), 32, [(S_LOWEST, FLOAT, 0), (S_HIGHEST, FLOAT, highest)], sample_format=3)
    assert "does not declare their range" in refusal(tmp_path, data)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("photometric", [0, 1], ids=["white is zero", "black is zero"])
def test_16_bits_in_any_order_and_polarity(tmp_path, grey, order, photometric):
    data = tiff(grey.astype("u2") * 257, 16, order=order, photometric=photometric)
    if order == ">" and not photometric:
        assert "of a kind that is not read" in refusal(tmp_path, data)
        return
    found = read(tmp_path, data)
    np.testing.assert_array_equal(found, three(grey if photometric else 255 - grey))


def test_12_bits_that_are_packed_are_known_by_their_tag(tmp_path, grey):
    wide = grey.astype(int) * 16
    first, second = wide[:, ::2], wide[:, 1::2]
    packed = np.stack([first >> 4, ((first & 15) << 4) | (second >> 8), second & 255], axis=2).astype(np.uint8)
    data = bytearray(tiff(packed.reshape(16, 24), 12))
    place = data.index(struct.pack("<HHI", WIDTH, LONG[0], 1)) + 8
    data[place : place + 4] = struct.pack("<I", 16)
    np.testing.assert_array_equal(read(tmp_path, bytes(data)), three(grey))


@pytest.mark.parametrize("extension", [".png", ".tif", ".pgm"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_few_bits_in_16_are_refused_rather_than_dark(tmp_path, photo, extension, bits):
    for pixels in (photo[:, :, 0], photo)[: 1 if extension == ".pgm" else 2]:
        data = cv2.imencode(extension, pixels.astype(np.uint16) << (bits - 8))[1].tobytes()
        assert "would be dark" in refusal(tmp_path, data)
    whole = cv2.imencode(extension, photo[:, :, 0].astype(np.uint16) << 8)[1].tobytes()
    np.testing.assert_array_equal(read(tmp_path, whole), three(photo[:, :, 0]))


def test_a_range_that_a_pgm_declares_counts(tmp_path, grey):
    data = b"P5 16 16 4095\n" + (grey.astype("u2") * 16).astype(">u2").tobytes()
    found = read(tmp_path, data)[:, :, 0]
    # Netpbm's definition: the value's share of the maximum.
    assert np.abs(found.astype(int) - grey.astype(int) * 16 * 255 / 4095).max() <= 1
    dark = b"P5 16 16 4095\n" + grey.astype(">u2").tobytes()
    assert np.abs(read(tmp_path, dark)[:, :, 0].astype(int) - grey.astype(int) * 255 / 4095).max() <= 1


def test_a_dark_photo_of_8_bits_is_read(tmp_path, photo):
    np.testing.assert_array_equal(read(tmp_path, encoded(photo // 16, "PNG")), photo // 16)
    np.testing.assert_array_equal(read(tmp_path, encoded(photo // 16, "TIFF")), photo // 16)


def test_a_tiff_of_a_kind_that_is_not_read_says_so(tmp_path, photo):
    data = cv2.imencode(".tif", photo.astype(np.float32))[1].tobytes()
    assert "is a TIFF of a kind that is not read" in refusal(tmp_path, data)


# Colours, alpha, frames, orientation


def test_cmyk_jpegs_are_read_as_opencv_reads_them(tmp_path, photo):
    ink = Image.fromarray(photo).convert("CMYK")
    found = read(tmp_path, encoded(ink, "JPEG", quality=95)).astype(int)
    expected = 255 - np.asarray(ink, int)
    expected = expected[:, :, :3] * expected[:, :, 3:] / 255
    assert np.abs(found - expected).mean() < 6


def lab_of(photo):
    """CIE L*a*b* (D50) of sRGB: IEC 61966-2-1, with Lindbloom's matrix for D50; uint8 as TIFF 6.0 has it."""
    share = photo / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
    x, y, z = np.cbrt(np.maximum(linear @ np.transpose(to_xyz) / (0.96422, 1.0, 0.82521), 0.01)).transpose(2, 0, 1)
    return np.stack([(116 * y - 16) * 2.55, 500 * (x - y), 200 * (y - z)], axis=2).round().astype(np.int64) & 255


def test_lab_tiffs_become_srgb(tmp_path):
    y, x = np.mgrid[:20, :20]
    photo = np.stack([120 + x * 5, 110 + y * 5, 100 + x * 2 + y * 3], axis=2).astype(np.uint8)
    lab = Image.frombytes("LAB", (20, 20), lab_of(photo).astype(np.uint8).tobytes())
    assert np.abs(read(tmp_path, encoded(lab, "TIFF")).astype(int) - photo).max() <= 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_the_colours_under_transparency_are_used(tmp_path, photo, mode):
    image = Image.fromarray(photo)
    if mode == "P":
        image = image.quantize(64)
        data = encoded(image, "PNG", transparency=bytes(range(64)))
    else:
        image = image.convert(mode[:-1])
        seen_through = image.convert(mode)
        seen_through.putalpha(0)
        data = encoded(seen_through, "PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read(tmp_path, data), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_the_first_of_several_frames_is_taken(tmp_path, kind):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ((200, 40, 40), (40, 200, 40), (40, 40, 200))]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as image:
        assert getattr(image, "n_frames", 1) == 3
    assert np.abs(read(tmp_path, data).astype(int) - (200, 40, 40)).max() <= 6


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_every_orientation_is_as_pillows(tmp_path, photo, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(photo, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(read(tmp_path, data), expected)


def test_16_bits_are_turned_as_well(tmp_path, grey):
    data = tiff(grey.astype("u2") * 257, 16, [(0x0112, SHORT, 6)])
    np.testing.assert_array_equal(read(tmp_path, data), np.rot90(three(grey), -1))


def test_a_colour_profile_is_not_applied(tmp_path, photo):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    np.testing.assert_array_equal(read(tmp_path, encoded(photo, "PNG", icc_profile=profile)), photo)


@pytest.mark.parametrize("extension", ["jp2", "avif", "gif", "qoi", "tga", "pbm", "jfif", "jpe"])
def test_other_kinds_are_read(tmp_path, photo, extension):
    path = tmp_path / f"photo.{extension}"
    Image.fromarray(photo).convert("1" if extension == "pbm" else "RGB").save(path)
    found = read_photo(path)
    if extension in ("jp2", "qoi", "tga"):
        np.testing.assert_array_equal(found, photo)
    elif extension != "pbm":
        assert np.abs(found.astype(int) - photo).mean() < 12
    else:
        np.testing.assert_array_equal(found, three(np.where(np.asarray(Image.open(path)), 255, 0).astype(np.uint8)))


def test_a_file_that_is_no_photo_is_not_decoded(tmp_path):
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    assert "is a file of the kind EPS" in refusal(tmp_path, eps)


# Metadata and ends


def test_pngs_whose_metadata_are_odd(tmp_path, photo):
    plain = encoded(photo, "PNG")
    start = 33  # after the signature and IHDR
    odd = {
        "exif": chunk(b"eXIf", b"\0\x08\0\x02\x01\x12\0\x03"),
        "exif crc": chunk(b"eXIf", b"MM\0*\0\0\0\x08", spoil=1),
        "xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x>" * 600000)),
        "ztxt": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3 << 20))),
        "crc": chunk(b"tEXt", b"Comment\0hello", 1),
        "iccp": chunk(b"iCCP", b"profile\0\0not zlib"),
        "gamma": chunk(b"gAMA", b"\0"),
        "phys": chunk(b"pHYs", b"\0\0"),
        "time crc": chunk(b"tIME", b"\x07\xd0\1\1\0\0\0", 9),
        "many": b"".join(chunk(b"zTXt", b"C\0\0" + zlib.compress(bytes(1 << 20))) for _ in range(70)),
    }
    for name, data in odd.items():
        np.testing.assert_array_equal(read(tmp_path, plain[:start] + data + plain[start:]), photo, err_msg=name)
    np.testing.assert_array_equal(read(tmp_path, plain[:-12]), photo, err_msg="no end")


def test_a_png_keeps_its_transparency_colours_and_orientation_without_metadata(tmp_path, photo):
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = encoded(Image.fromarray(photo).quantize(16), "PNG", exif=exif, transparency=3)
    expected = read(tmp_path, plain)
    assert expected.shape == (60, 40, 3)
    np.testing.assert_array_equal(read(tmp_path, plain[:33] + chunk(b"tEXt", b"a\0b", 1) + plain[33:]), expected)


def test_a_png_with_damaged_pixels_is_refused(tmp_path, photo):
    plain = encoded(photo, "PNG")
    for cut in (len(plain) // 2, len(plain) - 40):
        assert "cannot be decoded" in refusal(tmp_path, plain[:cut])
    spoilt = bytearray(plain)
    spoilt[len(plain) // 2] ^= 0xFF
    refusal(tmp_path, bytes(spoilt))
    header = bytearray(plain)
    header[19] ^= 1  # the width, whose checksum is then wrong
    refusal(tmp_path, bytes(header))


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def test_jpegs_whose_metadata_are_odd(tmp_path, photo):
    plain = encoded(photo, "JPEG", quality=95)
    expected = read(tmp_path, plain)
    odd = {
        "no TIFF in EXIF": segment(0xE1, b"Exif\0\0garbage"),
        "EXIF cut": segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
        "EXIF of wrong types": segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\2\0\x04\0\0\0up\0\0\0\0\0\0"),
        "empty EXIF": segment(0xE1, b"Exif\0\0"),
        "MPF": segment(0xE2, b"MPF\0II*\0\x08\0\0\0\3\0garbage"),
        "MPF without images": segment(0xE2, b"MPF\0II*\0\x08\0\0\0\0\0"),
        "profile": segment(0xE2, b"ICC_PROFILE\0\1\3half"),
        "Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\xff\xff"),
        "comment": segment(0xFE, bytes(60000)),
        "XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta"),
    }
    for name, data in odd.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = read(tmp_path, plain[:2] + data + plain[2:])
        np.testing.assert_array_equal(found, expected, err_msg=name)


JPEGS = {
    "baseline": {},
    "optimised": {"optimize": True, "subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 2},
}


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", JPEGS.values(), ids=JPEGS.keys())
def test_a_jpeg_without_its_end_mark_is_read_and_one_with_missing_pixels_is_not(tmp_path, photo, mode, options):
    plain = encoded(Image.fromarray(photo).convert(mode), "JPEG", quality=90, **options)
    expected = read(tmp_path, plain)
    for missing in (1, 2):
        np.testing.assert_array_equal(read(tmp_path, plain[:-missing]), expected)
    refused = 0
    for missing in [*range(3, 60), *range(60, len(plain) - 2, 7)]:
        try:
            found = read(tmp_path, plain[:-missing])
        except PhotoError:
            refused += 1
        else:
            # The last bits may only fill a byte.
            np.testing.assert_array_equal(found, expected, err_msg=f"{missing} bytes missing")
    assert refused > 57


def test_a_progressive_jpeg_without_its_last_scans_is_refused(tmp_path, photo):
    plain = encoded(photo, "JPEG", progressive=True)
    scans = [place for place in range(len(plain)) if plain[place : place + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for scan in scans[1:]:
        # Cut before the tables of the scan: all scans before it are whole.
        start = plain.rindex(b"\xff\xc4", 0, scan) if plain.rindex(b"\xff\xc4", 0, scan) > scan - 200 else scan
        refusal(tmp_path, plain[:start])


# Size


@pytest.mark.slow
def test_a_photo_of_200_megapixels_is_read_and_a_bomb_is_not(tmp_path):
    Image.new("L", (16320, 12240), 90).save(tmp_path / "phone.png", compress_level=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_photo(tmp_path / "phone.png")
    assert found.shape == (12240, 16320, 3)
    assert (found.min(), found.max()) == (90, 90)
    del found
    head = struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
    assert refusal(tmp_path, bomb) == f"is larger than {MOST_PIXELS // 10**6} megapixels: shrink it"


def test_a_large_photo_has_the_pixels_of_a_small_one(tmp_path, photo, monkeypatch):
    images = {
        "rgb.png": Image.fromarray(photo),
        "grey.png": Image.fromarray(photo[:, :, 0]),
        "palette.png": Image.fromarray(photo).quantize(50),
        "deep.png": Image.fromarray(photo[:, :, 0].astype(np.uint16) * 257),
        "cmyk.tif": Image.fromarray(photo).convert("CMYK"),
    }
    for name, image in images.items():
        image.save(tmp_path / name)
    expected = {name: read_photo(tmp_path / name) for name in images}
    monkeypatch.setattr(photo_input, "LARGE_PIXELS", 100)
    monkeypatch.setattr(photo_input, "_STRIP_PIXELS", 60 * 7)
    for name in images:
        np.testing.assert_array_equal(read_photo(tmp_path / name), expected[name])


def test_large_photos_are_read_one_at_a_time(tmp_path, photo, monkeypatch):
    monkeypatch.setattr(photo_input, "LARGE_PIXELS", 100)
    Image.fromarray(photo).save(tmp_path / "large.png")
    Image.fromarray(photo[:5, :5]).save(tmp_path / "small.png")
    read_by_other, small = threading.Event(), threading.Event()

    def read_both():
        read_photo(tmp_path / "small.png")
        small.set()
        read_photo(tmp_path / "large.png")
        read_by_other.set()

    other = threading.Thread(target=read_both)
    with large_photos_in_turn():
        read_photo(tmp_path / "large.png")
        other.start()
        assert small.wait(20)
        assert not read_by_other.wait(0.3)
    other.join(20)
    assert read_by_other.is_set()
    assert LARGE_PIXELS < 16320 * 12240


# Words and noise


@pytest.mark.slow
def test_nothing_is_printed(tmp_path, photo):
    files = tmp_path / "photos"
    files.mkdir()
    spoilt = bytearray(encoded(photo, "TIFF", compression="tiff_lzw"))
    spoilt[100:2000:37] = bytes(255 - value for value in spoilt[100:2000:37])
    zipped = bytearray(encoded(photo, "TIFF", compression="tiff_adobe_deflate"))
    zipped[60] ^= 255
    (files / "lzw.tif").write_bytes(spoilt)
    (files / "zip.tif").write_bytes(zipped)
    (files / "exif.tif").write_bytes(encoded(photo, "TIFF")[:-30])
    (files / "palette.png").write_bytes(encoded(Image.fromarray(photo).quantize(9), "PNG", transparency=bytes(9)))
    (files / "cut.jpg").write_bytes(encoded(photo, "JPEG")[:-2])
    jpeg = encoded(photo, "JPEG")
    (files / "exif.jpg").write_bytes(jpeg[:2] + segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff") + jpeg[2:])
    (files / "mpo.jpg").write_bytes(jpeg[:2] + segment(0xE2, b"MPF\0II*\0\x08\0\0\0\3\0garbage") + jpeg[2:])
    Image.new("L", (12000, 9000), 90).save(files / "large.png")
    program = (
        "import sys\nfrom pathlib import Path\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "from facepart.data.photo_input import PhotoError, read_photo\n"
        "def attempt(path):\n"
        "    try: read_photo(path)\n"
        "    except PhotoError: pass\n"
        "paths = sorted(Path(sys.argv[1]).iterdir())\n"
        "paths += [path for path in paths if path.name != 'large.png'] * 2\n"
        "with ThreadPoolExecutor(4) as pool: list(pool.map(attempt, paths))\n"
    )
    done = subprocess.run([sys.executable, "-W", "always", "-c", program, files], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_pillows_settings_are_put_back(tmp_path, photo):
    (tmp_path / "a.png").write_bytes(encoded(photo, "PNG"))
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    threads = [threading.Thread(target=read_photo, args=(tmp_path / "a.png",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(PhotoError):
        read_photo(tmp_path / "none.png")
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before
    with pillow_settings.PILLOW_SETTINGS, pillow_settings.PILLOW_SETTINGS:
        assert Image.MAX_IMAGE_PIXELS == MOST_PIXELS // 2
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


@pytest.mark.parametrize("kind", ["loop", "pipe", "device", "folder", "nothing", "dangling"])
def test_what_is_no_file_is_told_and_does_not_hang(tmp_path, kind):
    path = tmp_path / "x.jpg"
    if kind == "loop":
        path.symlink_to(path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to("nowhere")
    words = {"loop": "link to itself", "pipe": "a pipe", "device": "a device", "folder": "is a folder"}
    with pytest.raises(PhotoError, match=words.get(kind, "no such file")) as caught:
        read_photo(path)
    assert caught.value.stage == OPEN


# HEIC


def test_a_heic_photo_needs_the_extra_or_is_read(tmp_path, photo):
    if importlib.util.find_spec("pillow_heif") is None:
        data = struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic"
        assert 'pip install "facepart[heif]"' in refusal(tmp_path, data + bytes(200))
        return
    import pillow_heif

    pillow_heif.register_heif_opener()
    data = encoded(photo, "HEIF", quality=-1)
    assert np.abs(read(tmp_path, data, "photo.heic").astype(int) - photo).mean() < 4
    assert np.abs(read(tmp_path, data, "photo.jpg").astype(int) - photo).mean() < 4
