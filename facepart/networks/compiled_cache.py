"""Which file in the cache holds a compiled network."""

from pathlib import Path
from typing import NamedTuple


class CompiledCache(NamedTuple):
    """The compiled forms of one network.

    Attributes:
        folder: where they are.
        sha256: of the network's weights, all files; see :func:`facepart.networks.catalogue.files.network_sha256`.
        variant: what else sets one apart, such as the size of its input; empty for the usual one.
        calibration: a digest of what calibrates it in INT8; empty for other precisions.
    """

    folder: Path
    sha256: str
    variant: str = ""
    calibration: str = ""

    def path(self, precision: str) -> Path:
        """Return the file for a precision."""
        return self.folder / self._name(f"-{self.variant}" if self.variant else "", precision)

    def is_there(self, precision: str) -> bool:
        """Return whether there is a file for a precision, of any variant."""
        return any(self.folder.glob(self._name("*", precision)))

    def _name(self, variant: str, precision: str) -> str:
        calibration = f"-{self.calibration}" if self.calibration else ""
        return f"{self.sha256[:32]}{variant}-{precision}{calibration}.openvino"
