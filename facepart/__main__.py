"""``python -m facepart`` is ``facepart``."""

from facepart.cli import run

if __name__ == "__main__":
    run()
