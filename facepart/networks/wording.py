"""Messages of OpenVINO as parts of one line."""

import re

from facepart.errors import one_line

# Where in OpenVINO's own sources an error was raised, and the lines that only announce the reason.
_OPENVINO_PLACES = re.compile(r"(Exception from|Check '.*' failed at) \S+:\d+:?|While validating node '.*' with .*")
_OPENVINO_HEADINGS = re.compile(
    r"FrontEnd API failed|Model wasn't fully converted|Summary:$|-- \S+ with a message:$|-- Conversion is failed"
)


def openvino_reason(error: Exception) -> str:
    """Return what an error of OpenVINO says, without the places in its sources, as part of one line."""
    lines = (_OPENVINO_PLACES.sub("", line).strip() for line in str(error).splitlines())
    kept = [line.removeprefix("-- ") for line in lines if line and not _OPENVINO_HEADINGS.match(line)]
    return one_line(" ".join(kept) or error)
