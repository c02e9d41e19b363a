"""Photos on disk -> the rows of a study's store: each photo as it is and in each version."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facepart.engines import Engine
from facepart.files.progress import Progress, StepTimes
from facepart.images import Photo, PhotoError
from facepart.study.embed import Embedded, Keep, embed_versions
from facepart.study.kept import KeptPictures
from facepart.study.store import ORIGINAL, Entry, Store, signature
from facepart.study.versions import Version


@dataclass(frozen=True)
class Networks:
    """What turns photos into embeddings.

    Attributes:
        parser: an engine of :func:`facepart.parsing.parser.open_parser`.
        recogniser: an engine of :func:`facepart.recognition.load.open_recogniser`.
        read: photo -> face, see :func:`facepart.recognition.read.face_reader`.
        flip: whether the mirrored face is added.
    """

    parser: Engine
    recogniser: Engine
    read: Callable[[Photo], NDArray[np.uint8]]
    flip: bool


def find_work(
    photos: Sequence[Photo], store: Store, versions: Sequence[Version], kept: KeptPictures
) -> dict[tuple[Version, ...], list[Photo]]:
    """Find what is still to be embedded.

    Returns:
        The versions to make -> the photos of which they are to be made; the original is always embedded along.
    """
    named = {version.name: version for version in versions}
    work: dict[tuple[Version, ...], list[Photo]] = {}
    for photo in photos:
        lacking = store.lacking(photo, (ORIGINAL, *named))
        row = store.rows.get(photo.name)
        if ORIGINAL in lacking or (not (row and row.failure) and kept.lacking(photo)):
            lacking = [ORIGINAL, *named]
        if lacking:
            work.setdefault(tuple(named[name] for name in lacking if name != ORIGINAL), []).append(photo)
    return work


def embed_photos(
    work: dict[tuple[Version, ...], list[Photo]],
    store: Store,
    networks: Networks,
    keep: Keep[Photo],
    *,
    batch: int,
    workers: int | None,
    progress: Progress,
    times: StepTimes,
) -> None:
    """Embed photos and put them into the store; what is done is on disk also when the run is stopped.

    Args:
        work: see :func:`find_work`.
        store: where the embeddings go.
        networks: what makes them.
        keep: see :data:`facepart.study.embed.Keep`.
        batch: see :func:`facepart.study.embed.embed_versions`; likewise `workers` and `times`.
        workers: see there.
        progress: told (photos done, photos in all).
        times: see there.

    Raises:
        FacepartError: a file cannot be written.
    """
    done, total = 0, sum(map(len, work.values()))
    progress(0, total)
    try:
        for versions, photos in work.items():
            # Taken before the photo is read: one that is replaced meanwhile is found to be another next time.
            signatures = {photo.name: signature(photo) for photo in photos}
            results = embed_versions(
                photos,
                networks.read,
                networks.parser,
                networks.recogniser,
                versions,
                name=lambda photo: photo.name,
                flip=networks.flip,
                keep=keep,
                batch=batch,
                workers=workers,
                times=times,
            )
            for photo, result in results:
                if isinstance(result, PhotoError):
                    failure = (result.stage, str(result))
                    store.add(Entry(photo.name, signatures[photo.name], failure=failure))
                else:
                    store.add(_entry(photo.name, signatures[photo.name], versions, result))
                done += 1
                progress(done, total, times.bottleneck())
    finally:
        store.flush()


def _entry(name: str, signed: str, versions: Sequence[Version], found: Embedded) -> Entry:
    names = [version.name for version in versions]
    controls = dict(zip(names, found.controls, strict=True))
    return Entry(
        name=name,
        signature=signed,
        embeddings=dict(zip((ORIGINAL, *names), found.embeddings, strict=True)),
        pixels=found.pixels,
        shares=dict(zip(names, found.shares, strict=True)),
        controls={version: kind for version, kind in controls.items() if kind},
        head=found.head,
    )
