"""Photos on disk -> the rows of a study's store: each photo as it is and in each version."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo
from facepart.files.progress import StepTimes
from facepart.networks.engine import Engine
from facepart.networks.face_parser import fit_photo
from facepart.occlusion.versions import Made, Version, make_versions
from facepart.pipeline.batches import stream
from facepart.pipeline.embed import Embedded, embed_versions
from facepart.pipeline.embedding_store import ORIGINAL, Entry, Store, signature
from facepart.pipeline.saved_images import KeptPictures
from facepart.study.report_images import Album, Picture, take_picture


@dataclass(frozen=True)
class Networks:
    """What turns photos into embeddings.

    Attributes:
        parser: an engine of :func:`facepart.networks.face_parser.open_parser`.
        recogniser: an engine of :func:`facepart.networks.recogniser.open_recogniser`.
        read: photo -> face, see :func:`facepart.pipeline.face_reader.face_reader`.
        flip: whether the mirrored face is added.
    """

    parser: Engine
    recogniser: Engine
    read: Callable[[Photo], NDArray[np.uint8]]
    flip: bool


@dataclass(frozen=True)
class Keeping:
    """What is kept of the photos while they are embedded, besides their embeddings.

    Attributes:
        files: written while a photo is worked on.
        pictured: names of the photos whose pictures are taken.
        shown: the versions that pictures are of.
    """

    files: KeptPictures
    pictured: frozenset[str]
    shown: tuple[Version, ...]


class Wanted(NamedTuple):
    """A photo that is to be embedded.

    Attributes:
        photo: the photo.
        signature: of its file, before it is read: one that is replaced meanwhile is found to be another next time.
        versions: what is made of it; None if nothing is to be embedded, and only its picture is to be taken.
    """

    photo: Photo
    signature: str
    versions: tuple[Version, ...] | None


class Found(NamedTuple):
    """What a photo gave: a row for the store, if it was embedded, and its picture, if that was taken."""

    entry: Entry | None
    picture: Picture | None


def find_work(
    photos: Sequence[Photo], store: Store, versions: Sequence[Version], kept: KeptPictures
) -> dict[tuple[Version, ...], list[Photo]]:
    """Find what is still to be embedded.

    Returns:
        The versions to make -> the photos of which they are to be made; the original is always embedded along.
    """
    named = {version.name: version for version in versions}
    work: dict[tuple[Version, ...], list[Photo]] = {}
    unpictured = kept.lacking(photos)
    for photo in photos:
        lacking = store.lacking(photo, (ORIGINAL, *named))
        row = store.rows.get(photo.name)
        if ORIGINAL in lacking or (not (row and row.failure) and photo.name in unpictured):
            lacking = [ORIGINAL, *named]
        if lacking:
            work.setdefault(tuple(named[name] for name in lacking if name != ORIGINAL), []).append(photo)
    return work


def list_wanted(work: Mapping[tuple[Version, ...], Sequence[Photo]], album: Album | None = None) -> list[Wanted]:
    """List the photos that are to be embedded (:func:`find_work`), and those of which only the picture is missing."""
    wanted = [Wanted(photo, signature(photo), versions) for versions, photos in work.items() for photo in photos]
    if album is None:
        return wanted
    pictured = {each.photo.name for each in wanted if set(each.versions or ()) >= set(album.shown)}
    return wanted + [Wanted(photo, "", None) for name, photo in album.missing.items() if name not in pictured]


def embed_photos(
    wanted: Iterable[Wanted],
    networks: Networks,
    keeping: Keeping | None,
    *,
    batch: int,
    workers: int | None,
    times: StepTimes,
) -> Iterator[tuple[Wanted, Found | PhotoError]]:
    """Embed photos.

    Args:
        wanted: the photos.
        networks: what makes the embeddings.
        keeping: what else is kept.
        batch: see :func:`facepart.pipeline.embed.embed_versions`; likewise `workers` and `times`.
        workers: see there.
        times: see there.

    Yields:
        Each photo, in order, with what it gave.

    Raises:
        FacepartError: a file cannot be written.
    """
    pictures: dict[str, Picture] = {}

    def keep(each: Wanted, face: NDArray[np.uint8], made: Mapping[Version, Made]) -> None:
        if keeping:
            keeping.files.write(each.photo, face, made)
            if each.photo.name in keeping.pictured and made.keys() >= set(keeping.shown):
                pictures[each.photo.name] = take_picture(face, made, keeping.shown)

    for versions, alike in groupby(wanted, key=lambda each: each.versions):
        if versions is None:
            shown = keeping.shown if keeping else ()
            yield from _take_pictures(alike, networks, shown, batch=batch, workers=workers, times=times)
            continue
        results = embed_versions(
            alike,
            lambda each: networks.read(each.photo),
            networks.parser,
            networks.recogniser,
            versions,
            name=lambda each: each.photo.name,
            flip=networks.flip,
            keep=keep,
            batch=batch,
            workers=workers,
            times=times,
        )
        for each, result in results:
            if isinstance(result, PhotoError):
                yield each, result
            else:
                yield each, Found(_entry(each, versions, result), pictures.pop(each.photo.name, None))


def _take_pictures(
    wanted: Iterable[Wanted],
    networks: Networks,
    shown: Sequence[Version],
    *,
    batch: int,
    workers: int | None,
    times: StepTimes,
) -> Iterator[tuple[Wanted, Found | PhotoError]]:
    def prepare(each: Wanted) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        face = networks.read(each.photo)
        return face, fit_photo(face)[None]

    def finish(each: Wanted, face: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Found:
        made = make_versions(face, labels[0], shown, each.photo.name)
        return Found(None, take_picture(face, made, shown))

    return stream(wanted, prepare, networks.parser, finish, batch=batch, workers=workers, times=times)


def put_away(
    results: Iterable[tuple[Wanted, Found | PhotoError]],
    store: Store,
    album: Album | None = None,
    told: Callable[[int], None] = lambda done: None,
) -> None:
    """Put photos into the store, in any order; what is done is on disk also when the run is stopped.

    Args:
        results: of :func:`embed_photos`.
        store: where the embeddings go, and why there are none.
        album: where the pictures go.
        told: told how many photos are done, after each.

    Raises:
        FacepartError: a file cannot be written.
    """
    done = 0
    try:
        for each, result in results:
            if isinstance(result, PhotoError):
                failure = (result.stage, str(result))
                found = Found(Entry(each.photo.name, each.signature, failure=failure), None)
            else:
                found = result
            if each.versions is not None and found.entry:
                store.add(found.entry)
                done += 1
                told(done)
            if album and found.picture:
                album.take(each.photo.name, found.picture)
    finally:
        store.flush()


def _entry(each: Wanted, versions: Sequence[Version], found: Embedded) -> Entry:
    names = [version.name for version in versions]
    controls = dict(zip(names, found.controls, strict=True))
    return Entry(
        name=each.photo.name,
        signature=each.signature,
        embeddings=dict(zip((ORIGINAL, *names), found.embeddings, strict=True)),
        pixels=found.pixels,
        shares=dict(zip(names, found.shares, strict=True)),
        controls={version: kind for version, kind in controls.items() if kind},
        head=found.head,
    )
