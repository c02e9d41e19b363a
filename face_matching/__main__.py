"""Doors 2 and 3: ``python3 ./face_matching/ -s ...`` is ``facepart extract``, ``-p ...`` is ``facepart match``."""

import sys

from facepart.cli import run_face_matching

if __name__ == "__main__":
    sys.exit(run_face_matching(sys.argv[1:]))
