"""The nearest of some known names, for a message about a name that is unknown."""

import difflib
from collections.abc import Iterable


_NEAR = 0.65


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a suggestion in brackets, with a blank before it; empty if nothing known is near.

    Upper and lower case are the same. Near are two texts of which 65 % match, as ``difflib.get_close_matches`` counts:
    MORPH for MORF, but not neck for cheeks.

    Example:
        >>> did_you_mean("noes", ["eyes", "nose"]), did_you_mean("xyz", ["eyes", "nose"])
        (' (did you mean nose?)', '')
    """
    by_folded = {each.casefold(): each for each in reversed(list(known))}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=_NEAR)
    return f" (did you mean {by_folded[near[0]]}?)" if near else ""
