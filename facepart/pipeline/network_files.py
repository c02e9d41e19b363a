"""The networks of a run: their weights, and the engines that run them."""

from dataclasses import dataclass
from pathlib import Path

from facepart.data.resize import Size
from facepart.networks.catalogue import Weights, obtain_on_worker
from facepart.networks.compiled_cache import CompiledCache
from facepart.networks.engine import INT8_PARSER, Engine
from facepart.networks.engine_choice import choose_precision
from facepart.networks.face_parser import open_parser
from facepart.networks.label_folder import GivenLabels, LabelFolder
from facepart.networks.label_sets import OWN_SET, LabelSet
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
        labels: where label maps are read; None if the parser makes them.
    """

    parser: Engine | None
    recognisers: tuple[Engine, ...]
    detector: Path | None
    flip: bool = False
    align: bool = True
    labels: LabelFolder | None = None

    @property
    def aligns(self) -> bool:
        """Whether faces are aligned."""
        return self.detector is not None and self.align


@dataclass(frozen=True)
class NetworkFiles:
    """The networks of a run before they are opened; can be pickled.

    Attributes:
        parser: its weights, or a folder of label maps instead; None if nothing is parsed.
        recognisers: their weights; none if nothing is embedded.
        detector: its weights; None for aligned crops whose landmarks are not needed.
        device: where the networks run.
        precision: of their arithmetic; one of :data:`facepart.networks.engine.PRECISIONS`, or
            :data:`facepart.networks.engine.INT8_PARSER`.
        flip: whether the embedding of the mirrored face is added.
        size: rows and columns of the faces that the recognisers get; None for the own size of each.
        align: whether faces are aligned if there is a detector; else it only finds landmarks.
        label_set: the classes that the parser scores, in their order.
        calibration: a digest of what calibrates the networks in INT8 (:mod:`facepart.pipeline.calibration`);
            empty for other precisions.
    """

    parser: Weights | LabelFolder | None
    recognisers: tuple[Weights, ...]
    detector: Weights | None
    device: str
    precision: str
    flip: bool = False
    size: Size | None = None
    align: bool = True
    label_set: LabelSet = OWN_SET
    calibration: str = ""

    @property
    def calibration_setting(self) -> dict[str, str]:
        """What a record says of the calibration; nothing for precisions other than INT8."""
        return {"calibration": self.calibration} if self.calibration else {}

    def precision_of(self, weights: Weights) -> str:
        """Return the precision of one of the networks."""
        if self.precision != INT8_PARSER:
            return self.precision
        is_parser = isinstance(self.parser, Weights) and weights.sha256 == self.parser.sha256
        return "int8" if is_parser else choose_precision(self.device, "auto")

    def compiled(self, weights: Weights) -> CompiledCache:
        """Return where the compiled form of one of the networks is cached."""
        compiled = weights.compiled
        return compiled._replace(calibration=self.calibration) if self.precision_of(weights) == "int8" else compiled

    def open(self, threads: int | None = None) -> Networks:
        """Put the networks on their device.

        Args:
            threads: see :func:`facepart.networks.engine_choice.open_engine`. A number means a worker, which may be on
                another machine: the weights are then found again there.

        Raises:
            FacepartError: a network cannot be found or opened.
        """
        recognisers, detector = self.recognisers, self.detector
        labels = self.parser if isinstance(self.parser, LabelFolder) else None
        parser = None if isinstance(self.parser, LabelFolder) else self.parser
        if threads is not None:
            parser = parser and obtain_on_worker(parser, "parser")
            recognisers = tuple(obtain_on_worker(each, "recogniser") for each in recognisers)
            detector = detector and obtain_on_worker(detector, "detector")
        fits = [each.model.preprocessing if each.model else None for each in recognisers]
        opened: Engine | None = GivenLabels() if labels else None
        if parser:
            opened = open_parser(
                *(parser.path, self.device, self.precision_of(parser)), self.compiled(parser), threads, self.label_set
            )
        return Networks(
            parser=opened,
            recognisers=tuple(
                open_recogniser(
                    *(each.path, fit, self.device, self.precision_of(each)), self.compiled(each), threads, self.size
                )
                for each, fit in zip(recognisers, fits, strict=True)
            ),
            detector=detector.path if detector else None,
            flip=self.flip,
            align=self.align,
            labels=labels,
        )
