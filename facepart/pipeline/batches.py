"""Photos through a network in batches, while threads beside it read the next photos and write the last ones."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError
from facepart.files.progress import NETWORK, WAITING, StepTimes
from facepart.networks.engine import Engine
from facepart.processors import processors

Item = TypeVar("Item")
Kept = TypeVar("Kept")
Result = TypeVar("Result")
Inputs = TypeVar("Inputs", contravariant=True)
Outputs = TypeVar("Outputs", covariant=True)

# Items given to the network at once; at most three times as many are in memory (read, in the network, written).
DEFAULT_BATCH = 16
_MOST_WORKERS = 2 * DEFAULT_BATCH


def default_workers() -> int:
    """Return how many threads read and write beside the network.

    Two more than the processors that this process may use, for the disk, but no more than two batches occupy.
    """
    return min(processors() + 2, _MOST_WORKERS)


def run_batches(
    items: Iterable[Item],
    prepare: Callable[[Item], tuple[Kept, NDArray[np.uint8]]],
    engine: Engine,
    finish: Callable[[Item, Kept, NDArray[Any]], Result],
    *,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    times: StepTimes | None = None,
) -> Iterator[tuple[Item, Result | PhotoError]]:
    """Work through `items` in order; memory stays bounded however many there are.

    Neither `batch` nor `workers` change the results.

    Args:
        items: what to work on; taken a batch ahead. May be the results of another call.
        prepare: called in a thread: an item -> what to keep for `finish`, and the network's inputs for it, uint8
            (k, height, width, 3), k from 0 on. It may raise PhotoError, and the item's result is that error.
        engine: the network.
        finish: called in a thread: the item, what was kept, the network's outputs (k, ...) -> the result. It may
            raise PhotoError, too.
        batch: items given to the network at once.
        workers: threads that read and write; None for :func:`default_workers`.
        times: collects the network's time, and its waiting.

    Yields:
        Each item with its result, in the order of `items`.

    Raises:
        Exception: whatever else `prepare`, the engine or `finish` raise; work not begun by then is left undone.
    """
    return _stream(items, prepare, _OneNetwork(engine), finish, batch, workers, times or StepTimes())


def run_batches_of_several(
    items: Iterable[Item],
    prepare: Callable[[Item], tuple[Kept, Sequence[NDArray[np.uint8]]]],
    engines: Sequence[Engine],
    finish: Callable[[Item, Kept, Sequence[NDArray[Any]]], Result],
    *,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    times: StepTimes | None = None,
) -> Iterator[tuple[Item, Result | PhotoError]]:
    """Work through `items` with several networks, which take turns batch by batch.

    As :func:`run_batches`, but `prepare` gives the inputs of each network, and `finish` takes the outputs of each. No
    more items are in memory than with one network. There may be no network at all.
    """
    return _stream(items, prepare, _SeveralNetworks(engines), finish, batch, workers, times or StepTimes())


class _Runner(Protocol[Inputs, Outputs]):
    """Runs one or several networks."""

    def run(self, prepared: Sequence[tuple[Any, Inputs] | PhotoError]) -> Sequence[Outputs]:
        """Run once on the inputs of all items; return each item's outputs, empty arrays for failed ones."""
        ...


class _OneNetwork:
    """Runs one network."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, prepared: Sequence[tuple[Any, NDArray[np.uint8]] | PhotoError]) -> list[NDArray[Any]]:
        return _run(self._engine, [None if isinstance(ready, PhotoError) else ready[1] for ready in prepared])


class _SeveralNetworks:
    """Runs several networks, one after the other."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = engines

    def run(
        self, prepared: Sequence[tuple[Any, Sequence[NDArray[np.uint8]]] | PhotoError]
    ) -> list[tuple[NDArray[Any], ...]]:
        columns = [
            _run(engine, [None if isinstance(ready, PhotoError) else ready[1][number] for ready in prepared])
            for number, engine in enumerate(self._engines)
        ]
        return list(zip(*columns, strict=True)) if columns else [()] * len(prepared)


def _stream(
    items: Iterable[Item],
    prepare: Callable[[Item], tuple[Kept, Inputs]],
    runner: _Runner[Inputs, Outputs],
    finish: Callable[[Item, Kept, Outputs], Result],
    batch: int,
    workers: int | None,
    times: StepTimes,
) -> Iterator[tuple[Item, Result | PhotoError]]:
    """Work through items; see :func:`run_batches`."""
    remaining = iter(items)
    writing: deque[tuple[Item, Future[Result | PhotoError] | PhotoError]] = deque()
    with ThreadPoolExecutor(workers or default_workers()) as pool:
        try:
            reading = [(item, pool.submit(attempt, prepare, item)) for item in itertools.islice(remaining, batch)]
            while reading:
                with times.measure(WAITING):
                    prepared = [(item, future.result()) for item, future in reading]
                following = itertools.islice(remaining, batch)
                reading = [(item, pool.submit(attempt, prepare, item)) for item in following]
                with times.measure(NETWORK):
                    outputs = runner.run([ready for _, ready in prepared])
                for (item, ready), output in zip(prepared, outputs, strict=True):
                    if isinstance(ready, PhotoError):
                        writing.append((item, ready))
                    else:
                        writing.append((item, pool.submit(attempt, finish, item, ready[0], output)))
                # What the batch before this one left: its writing had the network's time to itself.
                while len(writing) > len(prepared):
                    yield _settle(*writing.popleft())
            while writing:
                yield _settle(*writing.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def attempt(work: Callable[..., Result], *arguments: Any) -> Result | PhotoError:
    """Work on a photo; return its error instead of raising it."""
    try:
        return work(*arguments)
    except PhotoError as error:
        return error
    except Exception as error:
        # Imported here: every command reads the default of `batch` for its help, and OpenCV is slow to load.
        import cv2

        if not isinstance(error, cv2.error):
            raise
        # Sizes that OpenCV does not take, such as a side of more than 32767 pixels.
        return PhotoError(f"cannot be worked on: {' '.join(str(error).split())}", stage="resize")


def _settle(item: Item, result: Future[Result | PhotoError] | PhotoError) -> tuple[Item, Result | PhotoError]:
    return item, (result if isinstance(result, PhotoError) else result.result())


def _run(engine: Engine, inputs: Sequence[NDArray[np.uint8] | None]) -> list[NDArray[Any]]:
    """Run a network once on the inputs of all items; return each item's outputs, an empty array where it has none."""
    some = [each for each in inputs if each is not None and len(each)]
    outputs = engine(np.concatenate(some)) if some else np.empty(0)
    ends = np.cumsum([0 if each is None else len(each) for each in inputs])
    return np.split(outputs, ends[:-1])
