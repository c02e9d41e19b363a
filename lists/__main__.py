"""The door to lists: ``python3 ./lists/ ...`` is ``facepart lists ...``."""

import sys

from facepart.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("lists", sys.argv[1:], program="lists"))
