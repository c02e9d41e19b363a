"""The program, whose demo takes two photos of each subject in place of twelve."""

from unittest.mock import patch

from facepart import cli
from facepart.cli import demo

with patch.object(demo, "_CAPTURES", 2):
    cli.run()
