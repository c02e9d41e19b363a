"""A study's figures as files, its table as Parquet, and the scores that its results are about, read back."""

from pathlib import Path
from typing import Any

import pytest

from facepart.analysis.metrics import d_prime
from facepart.errors import UsageError
from facepart.study import Request, read_study, run_study
from tests.small_faces import save_two_photos_each
from tests.small_network import save_small_network, save_small_parser

pytestmark = pytest.mark.slow

pandas = pytest.importorskip("pandas", reason="needs pandas: pip install -r requirements-dev.txt")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path]) -> dict[str, Any]:
    """Twelve subjects in two groups with two photos each; one photo is too dark for its eyes to be found."""
    folder = tmp_path_factory.mktemp("photos")
    people = save_two_photos_each(folder, face_paths, ("C/M", "CF"))
    networks = tmp_path_factory.mktemp("networks")
    return {
        "source": folder,
        "people": people,
        "dataset": "MORPH",
        "parts": ["eyes", "nose"],
        "models": [str(save_small_network(networks / "first.onnx"))],
        "parser": str(save_small_parser(networks / "drawn.onnx")),
        "device": "cpu",
        "precision": "fp32",
    }


def test_figures_are_written_and_those_of_an_earlier_run_removed(tmp_path: Path, options: dict[str, Any]) -> None:
    run_study(Request(output=tmp_path, formats=["pdf", "png"], **options))
    figures = tmp_path / "figures"
    found = sorted(path.name for path in figures.iterdir())
    names = [f"{part}_{kind}" for part in ("eyes", "nose") for kind in ("scores", "roc")]
    kinds = {f"{name}.{form}" for name in names for form in ("pdf", "png")}
    rankings = {name for name in found if name.startswith("ranking.")}
    # Few subjects have no CI, but parts have a rank all the same.
    assert rankings == {"ranking.pdf", "ranking.png"}
    assert {name.removeprefix("CF_") for name in found if name.startswith("CF_")} == kinds
    assert {name.split("_", 2)[2] for name in found if name.startswith("C_M-")} == kinds
    assert len(found) == 2 * len(kinds) + len(rankings)
    assert all((figures / name).stat().st_size > 1000 for name in found)

    own = {"own.png", "nose_roc.png"}
    for name in own:
        (figures / name).write_bytes(b"the user's")
    run_study(Request(output=tmp_path, **options))
    assert {path.name for path in figures.iterdir()} == own

    # The scores that are drawn are those of the results: of the photos on which the part was found.
    tables = read_study(tmp_path)
    compared = tables.results.set_index(["group", "part"])
    assert compared.loc[("C/M", "eyes"), "photos_compared"] == 11
    for (group, part), row in compared.iterrows():
        baseline, occluded = tables.where.sets([part], group, None)
        assert d_prime(baseline.authentic, baseline.impostor) == pytest.approx(row["d_prime_baseline"], rel=1e-6)
        assert d_prime(occluded.authentic, occluded.impostor) == pytest.approx(row["d_prime"], rel=1e-6)
        assert tables.scores(part, group).query("kind == 'impostor'")["count"].sum() == row["impostor_n"]

    parquet = tmp_path / "results.parquet"
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        assert not parquet.exists()
    else:
        read = pandas.read_parquet(parquet)
        assert list(read.columns) == list(tables.results.columns)
        assert read["impostor_shift"].tolist() == tables.results["impostor_shift"].tolist()


def test_an_unknown_format_is_refused_before_any_work(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--formats 'jpg': unknown"):
        run_study(Request(output=tmp_path / "out", formats=["jpg"], **options))
    assert not (tmp_path / "out").exists()
