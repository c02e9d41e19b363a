"""The nearest of some known names, for a message about a name that is unknown."""

import difflib
from collections.abc import Iterable

# Of two texts, the share that matches: MORPH is near to MORF, but neck is not near to cheeks.
_NEAR = 0.65
# A known name that begins with so many characters that were given is near as well: arcface-r100 to arcface.
_BEGINNING = 3


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a suggestion in brackets, with a blank before it; empty if nothing known is near.

    Upper and lower case are the same. A known name that begins with what was given comes first, then the nearest by
    ``difflib.get_close_matches``.

    Example:
        >>> did_you_mean("noes", ["eyes", "nose"]), did_you_mean("xyz", ["eyes", "nose"])
        (' (did you mean nose?)', '')
    """
    by_folded = {each.casefold(): each for each in reversed(list(known))}
    folded = name.casefold()
    near = [each for each in by_folded if len(folded) >= _BEGINNING and each.startswith(folded)]
    near = sorted(near, key=len) or difflib.get_close_matches(folded, by_folded, n=1, cutoff=_NEAR)
    return f" (did you mean {by_folded[near[0]]}?)" if near else ""
