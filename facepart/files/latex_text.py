"""Text as LaTeX shows it."""

import re

# What LaTeX reads as a command, as itself. The prime of d' is one of mathematics.
_ESCAPED = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\u2032": "$'$",
}
_RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_LEVEL = str.maketrans(_RAISED, "-0123456789")


def escape_latex(text: str) -> str:
    r"""Return a text as LaTeX shows it, on one line.

    Example:
        >>> print(escape_latex("50 % of_a {b} & c, 10⁻³"))
        50 \% of\_a \{b\} \& c, 10$^{-3}$
    """
    # Also a bracket: at the beginning of a row it would be an option of the line break before it.
    escaped = (_ESCAPED.get(sign, f"{{{sign}}}" if sign in "[]*" else sign) for sign in " ".join(text.split()))
    return re.sub(f"[{_RAISED}]+", _raise, "".join(escaped))


def _raise(digits: re.Match[str]) -> str:
    return f"$^{{{digits[0].translate(_LEVEL)}}}$"
