"""Damages: bytes -> other bytes, drawn at random from a seed.

Any file may lose bits, blocks or its end. Files of a known form are damaged in ways of their own, too: headers of
``.npy``, directories of ``.zip``, JSON of another shape, text in another encoding.
"""

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

Damage = Callable[[bytes, random.Random], bytes]

# What stands in the place of numbers and of values of any kind.
_NUMBERS = (
    *("-1", "0", "1", "00", "7.5", "1e999", "-1e999", "NaN", "Infinity", "nan", "inf", "1e-320"),
    *("9" * 20, "9" * 400, "9" * 5000, "-" + "9" * 30, "0x10", "1_000", "\u0663", "1e5", "2147483648", "1;2"),
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    [],
    {},
    "",
    "text",
    -1,
    0,
    1e308,
    10**30,
    [[]],
    {"a": 1},
    float("nan"),
    "\ud800",
    "x" * 100_000,
)
_WORDS = (
    *(
        "",
        "\0",
        "\n",
        "\r",
        "\t",
        ",",
        '"',
        "'",
        "\\",
        "/",
        "../..",
        "%s",
        "{}",
        "\ufeff",
        "\u2028",
        "\ud7ff",
        "\x1b[31m",
    ),
    *(
        "=1+1",
        "#",
        "NaN",
        "x" * 10_000,
        "x" * 200_000,
        ",,,,",
        '"""',
        "[" * 2000,
        "\u200d",
        "e\u0301",
        "s3://",
        "file:///",
    ),
)
_REST = "'fortran_order': False, 'shape'"
_HEADERS = (
    *("{", "{'descr': '<f4'}", "[" * 3000, "(" * 60_000, "__import__('os').getcwd()", "\0" * 100),
    *(f"{{'descr': '|O', {_REST}: (3,), }}", f"{{'descr': [('a', '<f4')], {_REST}: (3,), }}"),
    *(f"{{'descr': '<f4', {_REST}: (9999999999999,), }}", f"{{'descr': '<f4', {_REST}: (-1,), }}"),
    *(f"{{'descr': '<f4', {_REST}: 5, }}", f"{{'descr': '<f4', {_REST}: (0, {'9' * 23}), }}"),
    *(f"{{'descr': '<f999', {_REST}: (3,), }}", f"{{'descr': '<U999999999', {_REST}: (3,), }}"),
    *(
        "{'descr': '<f4', 'fortran_order': 3, 'shape': (), }",
        "{'descr': 'S0', 'fortran_order': True, 'shape': 9}",
    ),
)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e-?\d+)?")
# Of zip: signatures of a file's head, an entry of the directory, and the end of the directory.
_ZIP_PARTS = (b"PK\3\4", b"PK\1\2", b"PK\5\6")
# Bytes from which on a file is not damaged further, as it may grow.
_LARGEST = 4_000_000
_ENCODINGS = ("utf-16", "utf-16-be", "utf-32", "latin-1", "utf-8-sig", "cp037", "utf-7", "cp1252", "shift_jis")


def _span(data: bytes, dice: random.Random) -> tuple[int, int]:
    """Choose a block: short or long, anywhere."""
    first = dice.randrange(len(data) + 1)
    return first, min(len(data), first + dice.choice((1, 2, 4, 16, 64, 512, 4096)))


def flip_bits(data: bytes, dice: random.Random) -> bytes:
    """Flip one bit, or some."""
    found = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 8, 64)) if data else 0):
        found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
    return bytes(found)


def flip_early(data: bytes, dice: random.Random) -> bytes:
    """Flip a bit of the beginning, where headers are."""
    head = min(len(data), 200)
    return flip_bits(data[:head], dice) + data[head:]


def cut(data: bytes, dice: random.Random) -> bytes:
    """Cut the end off."""
    return data[: dice.choice((dice.randrange(len(data) + 1), max(0, len(data) - dice.randrange(1, 9))))]


def cut_start(data: bytes, dice: random.Random) -> bytes:
    """Cut the beginning off."""
    return data[dice.randrange(1, 65) :]


def zero(data: bytes, dice: random.Random) -> bytes:
    """Set a block to zero."""
    first, end = _span(data, dice)
    return data[:first] + bytes(end - first) + data[end:]


def fill(data: bytes, dice: random.Random) -> bytes:
    """Set a block to its highest values: lengths and counts become huge."""
    first, end = _span(data, dice)
    return data[:first] + b"\xff" * (end - first) + data[end:]


def lose(data: bytes, dice: random.Random) -> bytes:
    """Take a block out."""
    first, end = _span(data, dice)
    return data[:first] + data[end:]


def repeat(data: bytes, dice: random.Random) -> bytes:
    """Repeat a block."""
    first, end = _span(data, dice)
    return data[:end] + data[first:end] * dice.choice((1, 1, 3)) + data[end:]


def swap(data: bytes, dice: random.Random) -> bytes:
    """Swap two blocks of one length."""
    size = dice.choice((1, 4, 16, 64, 512))
    if len(data) < 2 * size:
        return data[::-1]
    first = dice.randrange(len(data) - 2 * size + 1)
    second = dice.randrange(first + size, len(data) - size + 1)
    middle = data[first + size : second]
    return data[:first] + data[second : second + size] + middle + data[first : first + size] + data[second + size :]


def append(data: bytes, dice: random.Random) -> bytes:
    """Append bytes: some, a line, or the file itself."""
    return data + dice.choice((b"\0", b"\n", b"x\n", dice.randbytes(100), bytes(5000), data))


def insert(data: bytes, dice: random.Random) -> bytes:
    """Insert random bytes."""
    place = dice.randrange(len(data) + 1)
    return data[:place] + dice.randbytes(dice.choice((1, 2, 16, 300))) + data[place:]


def replace_all(data: bytes, dice: random.Random) -> bytes:
    """Put something else in the file's place: nothing, noise, zeros, a web page."""
    page = b"<!DOCTYPE html><html><body>404</body></html>"
    return dice.choice((b"", dice.randbytes(500), bytes(len(data)), page, b"\n" * 50, b"[" * 100_000))


ANY: tuple[Damage, ...] = (
    *(flip_bits, flip_bits, flip_bits, flip_early, cut, cut_start, zero, fill),
    *(lose, repeat, swap, append, insert, replace_all),
)


def npy_header(data: bytes, dice: random.Random) -> bytes:
    """Replace the header of a ``.npy``, or a number in it."""
    if len(data) < 11:
        return insert(data, dice)
    width = 2 if data[6] == 1 else 4
    first = 8 + width
    length = min(len(data), first + int.from_bytes(data[8:first], "little"))
    text = dice.choice(
        (dice.choice(_HEADERS).encode(), number(data[first:length], dice), flip_bits(data[first:length], dice))
    )
    if dice.random() < 0.5:  # without the padding, or the right length
        text = text.ljust(length - first)[: length - first]
    version = dice.choice((1, 1, 1, 2, 3, 0, 255))
    size = min(len(text), 256**width - 1)
    return b"\x93NUMPY" + bytes([version, 0]) + size.to_bytes(width, "little") + text + data[length:]


def zip_directory(data: bytes, dice: random.Random) -> bytes:
    """Damage what a zip says of its members: names, sizes, checksums, methods, places."""
    part = dice.choice(_ZIP_PARTS)
    places = [found.start() for found in re.finditer(re.escape(part), data)]
    if not places:
        return flip_bits(data, dice)
    place = dice.choice(places) + dice.randrange(4, 70)
    patch = dice.choice((b"\xff\xff\xff\xff", bytes(4), dice.randbytes(1), dice.randbytes(2), b"\1", b"/../"))
    return data[:place] + patch + data[place + len(patch) :]


def zip_members(data: bytes, dice: random.Random) -> bytes:
    """Rewrite a zip archive with a member lost, doubled, renamed, emptied or damaged, and with correct checksums."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # damaged before
        members = []
    if not members:
        return flip_bits(data, dice)
    at = dice.randrange(len(members))
    name, content = members[at]
    others: list[list[tuple[str, bytes]]] = [
        [],
        [(f"{name}x", content)],
        [(name, b"")],
        [(name, npy_header(content, dice))],
        [(name, cut(content, dice))],
        [(name, content), ("../../outside", b"x")],
    ]
    members[at : at + 1] = dice.choice(others)
    buffer = io.BytesIO()
    with zipfile.ZipFile(
        buffer, "w", dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    ) as archive:
        for each, inside in members:
            archive.writestr(each, inside)
    return buffer.getvalue()


def number(data: bytes, dice: random.Random) -> bytes:
    """Replace a number in a text by one that nobody expects."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return word(data, dice)
    place = dice.choice(found)
    return data[: place.start()] + dice.choice(_NUMBERS).encode() + data[place.end() :]


def word(data: bytes, dice: random.Random) -> bytes:
    """Insert a text that nobody expects: quotes, controls, a very long word."""
    place = dice.randrange(len(data) + 1)
    return data[:place] + dice.choice(_WORDS).encode("utf-8", "surrogatepass") + data[place:]


def encode(data: bytes, dice: random.Random) -> bytes:
    """Write a text in another encoding, or with other ends of lines."""
    text = data.decode("utf-8", "replace")
    if dice.random() < 0.3:
        return text.replace("\n", dice.choice(("\r\n", "\r", "\n\n", " \n", "\0\n", "\x0b", "\u2028", ""))).encode()
    return (text + "\u00e9").encode(dice.choice(_ENCODINGS), "replace")


def lines(data: bytes, dice: random.Random) -> bytes:
    """Lose, repeat, swap, shorten or join lines of a text."""
    rows = data.split(b"\n")
    at = dice.randrange(len(rows))
    what = dice.randrange(6)
    if what == 0:
        del rows[at]
    elif what == 1:
        rows.insert(at, rows[at])
    elif what == 2:
        rows.reverse()
    elif what == 3:
        rows[at] = rows[at][: len(rows[at]) // 2]
    elif what == 4:
        rows[at] = rows[at] * min(1000, 10**6 // max(1, len(rows[at])))
    else:
        return b" ".join(rows)
    return b"\n".join(rows)


def json_shape(data: bytes, dice: random.Random) -> bytes:
    """Put a value of another kind anywhere into JSON, rename a key, or bury it deep."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):  # damaged before
        return number(data, dice)
    if dice.random() < 0.1:
        depth = dice.choice((10, 1000, 100_000))
        return b'{"a":' * depth + data + b"}" * depth if dice.random() < 0.5 else b"[" * depth + data + b"]" * depth
    holders: list[Any] = [box := [root]]
    for holder in holders:
        holders += [
            each
            for each in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(each, dict | list) and each
        ]
    holder = dice.choice(holders)
    key = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    if isinstance(holder, dict) and dice.random() < 0.3:
        value = holder.pop(key)
        if dice.random() < 0.5:
            holder[f"{key}x"] = value
    else:
        value = dice.choice((dice.choice(_VALUES), [holder[key]], {"0": holder[key]}, str(holder[key])))
        holder[key] = value
    return json.dumps(box[0]).encode("utf-8", "surrogatepass")


NPY: tuple[Damage, ...] = (*ANY, *(npy_header,) * 6)
ZIP: tuple[Damage, ...] = (*ANY, *(zip_directory, zip_members) * 4)
TEXT: tuple[Damage, ...] = (*ANY, *(number, word, encode, lines) * 3)
JSON: tuple[Damage, ...] = (*ANY, *(number, word, encode) * 2, *(json_shape,) * 8)


def damage(data: bytes, damages: tuple[Damage, ...], dice: random.Random) -> tuple[str, bytes]:
    """Damage a file once or, seldom, several times, so that it differs.

    Returns:
        What was done, in words, and the bytes.
    """
    said, found = [], data
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        if len(found) > max(_LARGEST, 2 * len(data)):
            break
        one = dice.choice(damages)
        found = one(found, dice)
        said.append(one.__name__)
    if found == data:
        said.append(append.__name__)
        found = data + b"\0"
    return " ".join(said), found
