"""A run of `align`, `parse`, `blur` or `extract`: its records, the loop over its photos, and what it keeps of them.

The order in which it saves lets a run that was stopped or killed go on where it was: the record first, so that a
folder never holds outputs of unknown settings; the rows of tables before the list of finished photos, which vouches
for them; the record with the counts last.
"""

import errno
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.failures import Failure, Outcome, write_failures
from facepart.files.progress import Progress, StepTimes
from facepart.files.record import make_record, refuse_other_settings, remove_outdated, with_earlier, write_record
from facepart.pipeline.executor import Session
from facepart.pipeline.finished_photos import FinishedPhotos
from facepart.pipeline.worker import PhotoResult, PhotoTask

# The distributions whose versions matter: for pixels, and for networks.
PHOTO_PACKAGES = ("numpy", "opencv-python-headless", "pillow")
NETWORK_PACKAGES = (*PHOTO_PACKAGES, "openvino", "torch")

# Errors of paths at which no output can be: a file where a folder should be, a name that is too long.
_NOT_THERE = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


class RunTable(Protocol):
    """A table that a run keeps beside its outputs, such as :class:`facepart.pipeline.faces_table.FacesTable`."""

    def add(self, photo: Photo, result: PhotoResult | PhotoError, /) -> None:
        """Take what came of a photo: its result, or why it has none."""
        ...

    def write(self) -> None:
        """Write all that was taken.

        Raises:
            FacepartError: it cannot be written.
        """
        ...


class Outputs(Protocol):
    """Which files a run writes, and which earlier runs wrote."""

    def paths(self, photo: Photo) -> Iterable[Path]:
        """Return the files that are written of a photo."""
        ...

    def earlier_files(self, folder: Path) -> Iterable[Path]:
        """Return the outputs that earlier runs wrote into a folder."""
        ...


class PhotoRun:
    """A run over photos, whose outputs are in one or more folders that it holds.

    Attributes:
        finished: the photos that earlier runs, and this one, finished.
    """

    def __init__(
        self,
        stage: str,
        folders: Sequence[Path],
        outputs: Outputs,
        inputs: Mapping[str, Path],
        settings: Mapping[str, Any],
        *,
        device: str | None = None,
        overwrite: bool = False,
        adding: str = "",
    ) -> None:
        """Find out what earlier runs left in the folders.

        Args:
            stage: the stage's name, e.g. ``blur``.
            folders: each has a record; the last has the failures and the list of finished photos, too.
            outputs: the files that are written of each photo.
            inputs: the run's inputs and outputs, for the record.
            settings: what the outputs depend on.
            device: where the networks run; None for a run without.
            overwrite: all photos are done anew, whatever the folders hold.
            adding: one of the settings, to which runs may add; see :func:`facepart.files.record.with_earlier`.

        Raises:
            FacepartError: a folder holds outputs of another stage or of other settings.
        """
        self._stage, self._outputs, self._inputs = stage, outputs, inputs
        self._folders = list(dict.fromkeys(folders))
        self._adding, self._device, self._overwrite = adding, device, overwrite
        self.set_settings(settings)
        self.finished = FinishedPhotos(self._folders[-1], anew=overwrite)

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        """Take the settings, as they are known now; raises what making a run raises."""
        self._settings = dict(settings)
        if not self._overwrite:
            for folder in self._folders:
                if self._adding:
                    self._settings = with_earlier(folder, self._adding, self._settings)
                refuse_other_settings(folder, self._stage, self._settings, self._adding)

    def begin(self, photos: Sequence[Photo]) -> None:
        """Record the run; if all is done anew, remove outputs of other settings first.

        Networks must be open by now: one that cannot be used is to leave no record of itself.

        Args:
            photos: all photos of the run; none if its outputs were removed already.

        Raises:
            FacepartError: a folder holds outputs of other settings that this run would not make anew, or it cannot
                be written.
        """
        if self._overwrite and photos:
            outputs = {path for photo in photos for path in self._outputs.paths(photo)}
            for folder in self._folders:
                earlier = self._outputs.earlier_files(folder)
                remove_outdated(folder, self._stage, self._settings, outputs, earlier, adding=self._adding)
        self._write_records(None)
        self.finished.save()

    def work(
        self,
        session: Session | None,
        tasks: Sequence[PhotoTask],
        outcome: Outcome,
        progress: Progress,
        times: StepTimes,
        tables: Sequence[RunTable] = (),
    ) -> list[Failure]:
        """Work on photos, in any order; also if the run is stopped, what was finished is kept.

        Args:
            session: a worker whose networks are open; None if there is nothing to do.
            tasks: the photos that are not finished, and what to do with each.
            outcome: takes the number of photos done, and the failures.
            progress: is called after each photo.
            times: the time of each step, of which progress shows the bottleneck.
            tables: take what came of each photo.

        Returns:
            The photos that failed, in the order of the tasks.

        Raises:
            FacepartError: as the work raises it, or a file cannot be written or removed.
        """
        failures: dict[Photo, Failure] = {}
        progress(0, len(tasks))
        try:
            results = session.map(tasks) if session and tasks else ()
            for worked, (task, result) in enumerate(results, start=1):
                for table in tables:
                    table.add(task.photo, result)
                if isinstance(result, PhotoError):
                    failures[task.photo] = Failure(task.photo.path, result.stage, str(result))
                else:
                    self.finished.add(task.photo, task.signature, result.sizes)
                    outcome.done += 1
                if self.finished.is_due:
                    self._save(tables)
                progress(worked, len(tasks), times.bottleneck())
        finally:
            failed = [task.photo for task in tasks if task.photo in failures]
            outcome.failures += [failures[photo] for photo in failed]
            self._save(tables)
            for photo in failed:
                _remove(self._outputs.paths(photo))
            write_failures(self._folders[-1], outcome.failures)
        return [failures[photo] for photo in failed]

    def end(self, outcome: Outcome, **counts: Any) -> None:
        """Record the counts: of photos, of failures, and those given."""
        photos = {"photos": outcome.done + outcome.skipped, "failed": len(outcome.failures)}
        self._write_records(photos | counts)

    def _save(self, tables: Sequence[RunTable]) -> None:
        for table in tables:
            table.write()
        self.finished.save()

    def _write_records(self, counts: Mapping[str, Any] | None) -> None:
        packages = NETWORK_PACKAGES if self._device else PHOTO_PACKAGES
        record = make_record(self._stage, self._settings, self._inputs, packages, counts, self._device)
        for folder in self._folders:
            write_record(folder, record)


def _remove(outputs: Iterable[Path]) -> None:
    """Remove what earlier runs wrote of a photo that failed now: it is of a file that was replaced, or damaged.

    Raises:
        FacepartError: an output cannot be removed.
    """
    for path in outputs:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            if error.errno in _NOT_THERE or path.is_dir():
                continue
            raise FacepartError(f"{path}: cannot be removed: {error.strerror or error}") from error
