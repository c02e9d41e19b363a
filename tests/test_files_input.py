"""The readers of arrays and of JSON: what NumPy writes is read, and whatever else there is gives one line."""

import io
import json
import re
import struct
import tracemalloc
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.files.array_input import open_arrays, read_array, read_header
from facepart.files.json_input import parse_json, parse_object, read_object
from tests.conftest import ROOT

RNG = np.random.default_rng(0)
ARRAYS = [
    RNG.random((3, 4)),
    RNG.random((3, 4)).astype(">f4"),
    np.asfortranarray(RNG.random((3, 4, 2))),
    np.array(5),
    np.array(["a", "bcd", "é"]),
    np.array([b"x", b"yz"]),
    np.empty((0, 3)),
    np.empty(0, "U1"),
    np.arange(5, dtype=np.uint8),
    np.array([True, False]),
    np.array([1 + 2j], np.complex64),
]
FEATURE = np.ones(512, np.float32)


def npy(array: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version, allow_pickle=array.dtype.hasobject)
    return buffer.getvalue()


def with_header(text: str, values: bytes = FEATURE.tobytes()) -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + values


def header(shape: str = "(512,)", descr: str = "'<f4'", order: str = "False") -> bytes:
    return with_header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")


def assert_one_line(error: BaseException, path: Path) -> None:
    assert type(error) is FacepartError
    assert str(error).startswith(f"{path}: ")
    assert len(str(error)) < 500
    assert "\n" not in str(error)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype.str}{array.shape}")
def test_what_numpy_writes_is_read(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "a.npy"
    for version in ((1, 0), (2, 0)):
        path.write_bytes(npy(array, version))
        for mapped in (False, True):
            found = read_array(path, "a feature", mapped=mapped)
            assert (found.dtype, found.shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(found, array)
        assert read_header(path, "a feature").size == path.stat().st_size
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", one=array, two=array)
        with open_arrays(tmp_path / "a.npz", "scores") as archive:
            assert archive.names == {"one", "two"}
            assert archive.read("two").dtype == array.dtype
            np.testing.assert_array_equal(archive.read("two"), array)
            assert archive.read_all().keys() == {"one", "two"}


def test_headers_of_other_programs_are_read(tmp_path: Path) -> None:
    """The keys in another order or in other quotes, no comma at the end, a long number of Python 2."""
    path = tmp_path / "a.npy"
    for text in (
        "{'shape':(512,),'fortran_order':False,'descr':'<f4'}",
        '{"descr": "<f4", "fortran_order": False, "shape": (512L,), }   \n',
        "{'descr': '<f4', 'fortran_order': True, 'shape': (512, ), }\n",
    ):
        path.write_bytes(with_header(text))
        np.testing.assert_array_equal(read_array(path, "a feature"), FEATURE)


WRONG = {
    "empty": b"",
    "cut in its magic": b"\x93NUM",
    "cut before its length": b"\x93NUMPY\1\0\x76",
    "cut in its header": npy(FEATURE)[:60],
    "cut in its values": npy(FEATURE)[:-1],
    "more than its values": npy(FEATURE) + b"\0",
    "version 9": b"\x93NUMPY\x09" + npy(FEATURE)[7:],
    "one bit": npy(FEATURE).replace(b"}", b"]", 1),
    "terabytes": header("(99999999999999,)"),
    "beyond 64 bits": header("(1" + "0" * 30 + ",)"),
    "beyond what Python prints": header("(1" + "0" * 4500 + ",)")[:4000],
    "negative": header("(-512,)"),
    "nested": with_header("-" * 9000 + "1\n"),
    "brackets": with_header("[" * 60000),
    "a call": with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (exit(),), }"),
    "a tuple as type": header(descr="('<f4',)"),
    "columns": npy(np.zeros(3, [("a", "f4"), ("b", "i4")])),
    "objects": npy(np.array([{}, None])),
    "dates": npy(np.zeros(3, "M8[s]")),
    "no such type": header(descr="'<f5'"),
    "wide text": header("(1,)", "'<U999999999999'"),
    "text without width": header("(99999999999,)", "'<U0'"),
    "half a zip": b"PK\3\4" + bytes(100),
    "noise": bytes(range(256)) * 9,
}


@pytest.mark.parametrize("what", WRONG)
def test_a_npy_that_is_none_gives_one_line_and_takes_no_memory(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(WRONG[what])
    for read in (read_array, partial(read_array, mapped=True), read_header):
        tracemalloc.start()
        with pytest.raises(FacepartError) as caught:
            read(path, "a feature")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()
        assert_one_line(caught.value, path)
        assert "is not a feature: not a whole .npy file of numbers" in str(caught.value)


def test_a_file_that_is_not_there_or_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_array(tmp_path / "none.npy", "a feature")
    with pytest.raises(FileNotFoundError), open_arrays(tmp_path / "none.npz", "scores"):
        pass
    with pytest.raises(FacepartError) as caught:
        read_array(tmp_path, "a feature")
    assert_one_line(caught.value, tmp_path)
    with pytest.raises(FacepartError) as caught, open_arrays(tmp_path, "scores"):
        pass
    assert_one_line(caught.value, tmp_path)


def test_a_thousand_damaged_headers_and_archives_give_one_line_or_an_array(tmp_path: Path) -> None:
    """Each bit of a header, and bits, cuts and zeros anywhere in an archive: the checksums notice them."""
    rng = np.random.default_rng(1)
    whole = npy(FEATURE)
    path = tmp_path / "a.npy"
    refused = 0
    for bit in range(8 * 128):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            assert read_array(path, "a feature").nbytes == FEATURE.nbytes
        except FacepartError as error:
            refused += 1
            assert_one_line(error, path)
    assert refused > 900  # the others are blanks, the minor version, or the order of the bytes
    first = rng.random(40)
    np.savez_compressed(tmp_path / "good.npz", first=first, second=np.arange(9))
    whole = (tmp_path / "good.npz").read_bytes()
    path = tmp_path / "a.npz"
    for number in range(1000):
        at = int(rng.integers(len(whole)))
        flipped = whole[:at] + bytes([whole[at] ^ 1 << int(rng.integers(8))]) + whole[at + 1 :]
        path.write_bytes([flipped, whole[:at], whole[:at] + bytes(9) + whole[at + 9 :]][number % 3])
        try:
            with open_arrays(path, "scores") as archive:
                found = archive.read_all()
            if "first" in found:
                np.testing.assert_array_equal(found["first"], first)
        except FacepartError as error:
            assert_one_line(error, path)


@pytest.mark.parametrize("change", ["compression", "encrypted", "name", "claim"])
def test_archives_that_are_made_to_do_harm(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.npz"
    member = header("(999999999999,)") if change == "claim" else npy(FEATURE)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("first.npy", member)
    data = bytearray(path.read_bytes())
    for magic, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.index(magic) + flags
        if change == "encrypted":
            data[at] |= 1
        elif change == "compression":
            data[at + 2] = 97
    if change == "name":
        data[data.index(b"first.npy")] ^= 0x80
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(FacepartError) as caught, open_arrays(path, "scores") as opened:
        opened.read("first")
    assert tracemalloc.get_traced_memory()[1] < 1 << 21
    tracemalloc.stop()
    assert_one_line(caught.value, path)


def test_json_is_read_and_a_byte_order_mark_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"é": [1, None]}, ensure_ascii=False).encode())
    assert read_object(path, "a record", "remove it") == {"é": [1, None]}
    assert read_object(tmp_path / "none", "a record", "remove it") is None
    assert read_object(path / "below a file", "a record", "remove it") is None
    assert parse_json(b"[1]") == [1]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[" * 100_000, b'{"a": ' * 100_000, b"\xff\xfe", b"[1]", b"null", b"1", b"1" * 5000, b"\0" * 100],
    ids=lambda data: repr(data[:12]),
)
def test_json_that_holds_no_object_gives_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(FacepartError, match=r"is not a record \(.*\); remove it") as caught:
        read_object(path, "a record", "remove it")
    assert_one_line(caught.value, path)
    with pytest.raises(ValueError, match=r"."):
        parse_object(data)


def test_json_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FacepartError, match=r"cannot be read \(Is a directory\); remove it"):
        read_object(tmp_path, "a record", "remove it")


def test_nothing_else_reads_arrays_or_json() -> None:
    """Another reader would need a net of its own."""
    strange = re.compile(r"np\.(load|fromfile|lib\.format\.read_\w+)\(|json\.loads?\((?!json\.dumps)")
    allowed = {"json_input.py", "threshold_panel.py"}  # the latter reads back what it has just written
    found = [
        f"{path}: {line.strip()}"
        for path in sorted((ROOT / "facepart").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if strange.search(line) and path.name not in allowed
    ]
    assert not found
