"""The nearest of some known names, for a message about a name that is unknown."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a suggestion in brackets, with a blank before it; empty if nothing known is near.

    Upper and lower case are the same. Near is what ``difflib.get_close_matches`` calls so: two texts of which at
    least 60 % match.

    Example:
        >>> did_you_mean("noes", ["eyes", "nose"]), did_you_mean("xyz", ["eyes", "nose"])
        (' (did you mean nose?)', '')
    """
    by_folded = {each.casefold(): each for each in reversed(list(known))}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return f" (did you mean {by_folded[near[0]]}?)" if near else ""
