"""The networks of a run: their weights, and the engines that run them."""

from dataclasses import dataclass
from pathlib import Path

from facepart.data.resize import Size
from facepart.networks.catalogue import Weights, obtain_on_worker
from facepart.networks.engine import Engine
from facepart.networks.face_parser import open_parser
from facepart.networks.recogniser import open_recogniser


@dataclass(frozen=True)
class Networks:
    """Open networks.

    Attributes:
        parser: an engine of :func:`facepart.networks.face_parser.open_parser`; None if nothing is parsed.
        recognisers: engines of :func:`facepart.networks.recogniser.open_recogniser`; none if nothing is embedded.
        detector: the face detector's weights; None for aligned crops whose landmarks are not needed.
        flip: whether the embedding of the mirrored face is added.
        align: whether faces are aligned if there is a detector; else it only finds landmarks.
    """

    parser: Engine | None
    recognisers: tuple[Engine, ...]
    detector: Path | None
    flip: bool = False
    align: bool = True

    @property
    def aligns(self) -> bool:
        """Whether faces are aligned."""
        return self.detector is not None and self.align


@dataclass(frozen=True)
class NetworkFiles:
    """The networks of a run before they are opened; can be pickled.

    Attributes:
        parser: its weights; None if nothing is parsed.
        recognisers: their weights; none if nothing is embedded.
        detector: its weights; None for aligned crops whose landmarks are not needed.
        device: where the networks run.
        precision: of their arithmetic.
        flip: whether the embedding of the mirrored face is added.
        size: rows and columns of the faces that the recognisers get; None for the own size of each.
        align: whether faces are aligned if there is a detector; else it only finds landmarks.
    """

    parser: Weights | None
    recognisers: tuple[Weights, ...]
    detector: Weights | None
    device: str
    precision: str
    flip: bool = False
    size: Size | None = None
    align: bool = True

    def open(self, threads: int | None = None) -> Networks:
        """Put the networks on their device.

        Args:
            threads: see :func:`facepart.networks.engine_choice.open_engine`. A number means a worker, which may be on
                another machine: the weights are then found again there.

        Raises:
            FacepartError: a network cannot be found or opened.
        """
        parser, recognisers, detector = self.parser, self.recognisers, self.detector
        if threads is not None:
            parser = parser and obtain_on_worker(parser, "parser")
            recognisers = tuple(obtain_on_worker(each, "recogniser") for each in recognisers)
            detector = detector and obtain_on_worker(detector, "detector")
        where = (self.device, self.precision)
        fits = [each.model.preprocessing if each.model else None for each in recognisers]
        return Networks(
            parser=open_parser(parser.path, *where, parser.compiled, threads) if parser else None,
            recognisers=tuple(
                open_recogniser(each.path, fit, *where, each.compiled, threads, self.size)
                for each, fit in zip(recognisers, fits, strict=True)
            ),
            detector=detector.path if detector else None,
            flip=self.flip,
            align=self.align,
        )
