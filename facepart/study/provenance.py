"""What the report and the methods text say of how a study was made."""

from collections.abc import Collection, Mapping

from facepart import __version__
from facepart.analysis.ranking import SEED
from facepart.counts import are, count_of
from facepart.data.naming_conventions import DATASETS
from facepart.data.subject_table import small_groups_text
from facepart.files.record import Record
from facepart.networks.catalogue import Weights
from facepart.networks.face_parser import MIN_SIDE
from facepart.networks.label_folder import LabelFolder
from facepart.occlusion.patch import PIXELS
from facepart.occlusion.recipe import SIGMA
from facepart.pipeline.calibration import CALIBRATING, JUDGING, read_agreements
from facepart.report.method_names import method_phrase
from facepart.report.methods import MethodFacts, NetworkFacts
from facepart.study.alignment import aligned_before
from facepart.study.request import Request
from facepart.study.setup import Setup


def describe_provenance(
    setup: Setup, record: Record, names: Collection[str], small_groups: Mapping[str, int]
) -> dict[str, str]:
    """Describe how a study was made.

    Args:
        setup: of the study.
        record: its ``run.json``.
        names: the photos that were compared.
        small_groups: the groups that were left out because they are too small -> how many subjects they show.

    Returns:
        Name -> value, in the order in which the report shows them.
    """
    request, used = setup.request, setup.design.methods
    provenance = {
        # Without its folders: a report is passed on, and a path tells of the machine.
        "Photos": request.source.name or str(request.source),
        "Groups": _group_source(request, small_groups),
        **_label_source(setup),
        "Recognisers" if len(setup.recognisers) > 1 else "Recogniser": "; ".join(
            _described(each.weights) for each in setup.recognisers
        )
        + (", summed with the embedding of the mirrored face" if request.flip else ""),
        "Alignment": _alignment(setup),
        "Arithmetic": f"{setup.precision} on {setup.device}",
        "Occlusion": f"{method_phrase(used[0].name)}; mask smoothed with a Gaussian of sigma {SIGMA:g} pixels "
        "(all sizes for photos of 224x224)",
        "Subject identity": f"regular expression {request.subject_pattern}"
        if request.subject_pattern
        else f"parsed from photo names (naming convention {_naming(setup)})",
    }
    if setup.exclusion:
        provenance["Excluded pairs"] = f"authentic pairs {setup.exclusion.words}"
    if setup.landmarks and not setup.detector:
        provenance["Landmarks"] = f"found by {_described(setup.landmarks)}"
    if len(used) > 1:
        provenance["Other occlusion methods"] = "; ".join(method_phrase(method.name) for method in used[1:])
    several = len(setup.with_several_faces(names))
    if several:
        provenance["Several faces"] = f"in {count_of(several, 'photo')}; the largest near the centre was aligned"
    small = setup.count_small(names)
    if small:
        provenance["Small faces"] = (
            f"{count_of(small, 'photo')} {are(small)} smaller than {MIN_SIDE} pixels on a side; part masks of such "
            "faces are unreliable"
        )
    if setup.design.has_controls:
        where = f"at {request.control} positions, with the same nominal displacements in all photos"
        provenance["Control"] = f"each part's shape {where}"
    if request.equal_area:
        provenance["Equal area"] = f"patches of {PIXELS} pixels of the label map (512x512) inside each part"
    if request.keep_only:
        provenance["Keep only"] = "everything except the part (background and hair included) occluded in the same way"
    provenance["Photos compared"] = (
        "those in which the part is detected" if request.undetected == "exclude" else "all, also without the part"
    ) + ("; for importance, those in which the control also fits" if setup.design.has_controls else "")
    versions = ", ".join(f"{package} {version}" for package, version in record["versions"].items() if version)
    return {**provenance, "Versions": versions}


def _naming(setup: Setup) -> str:
    """Return the naming convention that gives the subjects, and what it reads: ``MORPH: name up to the first _``."""
    name = setup.dataset.upper()
    return f"{name}: {DATASETS[name].reads}" if name in DATASETS else name


def method_facts(setup: Setup, names: Collection[str]) -> MethodFacts:
    """Put together what the methods text says of the networks and of subject identity.

    Args:
        setup: of the study.
        names: the photos that were compared.
    """
    request = setup.request
    before = None if setup.detector else aligned_before(request.source)
    return MethodFacts(
        software=f"facepart {__version__}",
        parser=NetworkFacts(setup.parser.name, setup.parser.record(setup.photos)["sha256"]),
        label_maps=setup.parser.folder is not None,
        label_set=setup.parser.label_set.name,
        recognisers=[_network_facts(each.weights) for each in setup.recognisers],
        detector=_network_facts(setup.detector) if setup.detector else before and before.detector,
        given=before.given if before else 0,
        several=before.several if before else len(setup.with_several_faces(names)),
        precision=setup.files.precision_of(setup.first.weights),
        calibrating=CALIBRATING,
        judging=JUDGING,
        int8={name: agreement.text for name, agreement in read_agreements(setup.files).items()},
        flip=request.flip,
        naming_rule=_naming(setup),
        subject_in_folder=not request.subject_pattern and DATASETS[setup.dataset.upper()].by_folder,
        subject_pattern=request.subject_pattern or "",
        seed=SEED,
        excluded=setup.exclusion.words if setup.exclusion else "",
    )


def _network_facts(weights: Weights) -> NetworkFacts:
    return NetworkFacts(weights.name, weights.sha256)


def _group_source(request: Request, small: Mapping[str, int]) -> str:
    if request.people is None:
        return "one group of all photos"
    left_out = f"; {small_groups_text(small, request.smallest_group)}" if small else ""
    return f"{request.people.name}, column {request.group_column}{left_out}"


def _label_source(setup: Setup) -> dict[str, str]:
    """Describe where the label maps come from: name -> value."""
    parser = setup.parser
    if isinstance(parser.source, LabelFolder):
        sha256 = parser.record(setup.photos)["sha256"]
        order = f"classes in the order of {parser.label_set.name}"
        return {"Label maps": f"{parser.source.folder.name}, {order} (sha256 {sha256})"}
    other = "" if parser.label_set.is_own else f", classes in the order of {parser.label_set.name}"
    return {"Face parser": f"{_described(parser.source)}{other}"}


def _alignment(setup: Setup) -> str:
    """Describe how the photos were aligned, in this study or before it."""
    if setup.detector:
        return f"faces detected by {_described(setup.detector)}"
    before = aligned_before(setup.request.source)
    if before:
        detector = f"{before.detector.name} (sha256 {before.detector.sha256})"
        given = f", landmarks of {count_of(before.given, 'photo')} given" if before.given else ""
        return f"by facepart align before this study, faces detected by {detector}{given}"
    return "none"


def _described(weights: Weights) -> str:
    licence = f", licence {weights.model.licence}" if weights.model else ""
    return f"{weights.name} (sha256 {weights.sha256}{licence})"
