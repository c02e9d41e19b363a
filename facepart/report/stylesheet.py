"""The style of the page: ``report.css``, with the colours of :mod:`facepart.plots.palette` as custom properties."""

from importlib import resources

from facepart.plots import palette

# Pixels.
_LINE_WIDTH = 1.7


def stylesheet() -> str:
    """Return the page's CSS: dark windows get the dark shades, paper and light windows the light ones."""
    shades = {f"s{number}": shade for number, shade in enumerate(palette.SETS)}
    shades |= {f"g{number}": shade for number, shade in enumerate(palette.GROUPS)}
    shades |= palette.PAGE
    light = {name: shade.light for name, shade in shades.items()}
    light |= {"rise": palette.RISE, "no-change": palette.NO_CHANGE, "fall": palette.FALL}
    light |= {"line-width": f"{_LINE_WIDTH}px"}
    light |= {"dashes": " ".join(f"{length * _LINE_WIDTH:.1f}" for length in palette.IMPOSTOR_DASHES)}
    dark = {name: shade.dark for name, shade in shades.items()}
    rules = resources.files("facepart.report").joinpath("report.css").read_text("utf-8")
    return (
        f":root {{ {_properties(light)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_properties(dark)} }} }}\n"
        f"{rules}"
    )


def _properties(values: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in values.items())
