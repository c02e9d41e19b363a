"""One rule for every option and argument that takes a list.

Values are separated by spaces or commas (``--parts eyes nose``, ``--parts eyes,nose``), and an option that is given
several times adds to its list. Spaces within quotes belong to a value: ``--groups "African American"`` is one group.
An empty list is an error.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from facepart.errors import UsageError


class ListAction(argparse.Action):
    """Collects the values of a list option; use it as ``action=ListAction``."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        *,
        item_type: Callable[[str], Any] = str,
        nargs: str = "+",
        **options: Any,
    ) -> None:
        """Make the action.

        Args:
            option_strings: as of any :class:`argparse.Action`, like `dest`, `nargs` and `options`.
            dest: see there.
            item_type: parses one value; raises ValueError or ArgumentTypeError for one that is wrong.
            nargs: see there.
            options: see there; the `default` is replaced, not added to, when the option is given.
        """
        super().__init__(option_strings, dest, nargs, **options)
        self.item_type = item_type

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add `values`, the command-line arguments that belong to the option, to its list.

        Raises:
            UsageError: there are arguments, but no value in them.
        """
        texts = [text.strip() for value in values for text in self.split(value) if text.strip()]
        if values and not texts:
            raise UsageError(f"{option_string or self.metavar}: the list is empty (see `{parser.prog} -h`)")
        earlier = getattr(namespace, self.dest)
        items = [] if earlier is self.default else list(earlier)
        setattr(namespace, self.dest, items + [self._parse(text) for text in texts])

    def split(self, value: str) -> list[str]:
        """Split one command-line argument into values."""
        return value.split(",")

    def _parse(self, text: str) -> Any:
        try:
            return self.item_type(text)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise argparse.ArgumentError(self, f"invalid value {text!r}") from error


class ColumnsAction(ListAction):
    """A list of the columns of a table, kept as one text with commas, since the name of a column may have commas."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add the columns to those that were named before."""
        earlier, own = getattr(namespace, self.dest), argparse.Namespace(**{self.dest: self.default})
        super().__call__(parser, own, values, option_string)
        columns = getattr(own, self.dest)
        setattr(namespace, self.dest, ",".join(columns if earlier is self.default else [earlier, *columns]))


class NetworkListAction(ListAction):
    """A list of networks, by name or path.

    The comma in an MXNet checkpoint (``prefix,epoch``), or in a path that exists, separates nothing.
    """

    def split(self, value: str) -> list[str]:
        """Split one command-line argument into names and paths."""
        if Path(value).exists():
            return [value]
        networks: list[str] = []
        for piece in value.split(","):
            if piece.strip().isdecimal() and networks:
                networks[-1] += f",{piece.strip()}"  # an epoch belongs to the prefix before it
            else:
                networks.append(piece)
        return networks
