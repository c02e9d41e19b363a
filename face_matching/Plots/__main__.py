"""Door 4: ``python3 ./face_matching/Plots/ ...`` is ``facepart plot ...``."""

import sys

from facepart.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("plot", sys.argv[1:], program="face_matching/Plots"))
