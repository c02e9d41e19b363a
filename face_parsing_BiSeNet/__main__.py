"""Door 1: ``python3 ./face_parsing_BiSeNet/ -s IMAGES -m MASKS -d BLURRED`` is ``facepart blur``."""

import sys

from facepart.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("blur", sys.argv[1:], program="face_parsing_BiSeNet"))
