"""Photos through networks in batches, while threads beside them read the next photos and write the last ones."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError
from facepart.files.progress import NETWORK, WAITING, StepTimes
from facepart.networks.engine import Engine
from facepart.processors import processors

Item = TypeVar("Item")
Kept = TypeVar("Kept")
Result = TypeVar("Result")

# Items given to the networks at once; at most three times as many are in memory (read, in a network, written).
DEFAULT_BATCH = 16
_MOST_WORKERS = 2 * DEFAULT_BATCH


def default_workers() -> int:
    """Return how many threads read and write beside the networks.

    Two more than the processors that this process may use, for the disk, but no more than two batches occupy.
    """
    return min(processors() + 2, _MOST_WORKERS)


def io_threads(workers: int | None, threads: int | None) -> int:
    """Return how many threads read and write beside networks that may use `threads` processors.

    Args:
        workers: what was asked for; None for two more than there are processors.
        threads: processors; None for all.
    """
    return workers or (default_workers() if threads is None else threads + 2)


def run_batches(
    items: Iterable[Item],
    prepare: Callable[[Item], tuple[Kept, Sequence[NDArray[np.uint8]]]],
    engines: Sequence[Engine],
    finish: Callable[[Item, Kept, Sequence[NDArray[Any]]], Result],
    *,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    times: StepTimes | None = None,
) -> Iterator[tuple[Item, Result | PhotoError]]:
    """Work through `items` in order; memory stays bounded however many there are.

    Neither `batch` nor `workers` change the results.

    Args:
        items: what to work on; taken a batch ahead. May be the results of another call.
        prepare: called in a thread: an item -> what to keep for `finish`, and its inputs for each network, uint8
            (k, height, width, 3), k from 0 on. It may raise PhotoError, and the item's result is that error.
        engines: the networks, which take turns batch by batch; there may be none.
        finish: called in a thread: the item, what was kept, the outputs of each network, (k, ...) -> the result. It
            may raise PhotoError, too.
        batch: items given to the networks at once.
        workers: threads that read and write; None for :func:`default_workers`.
        times: collects the networks' time, and their waiting.

    Yields:
        Each item with its result, in the order of `items`.

    Raises:
        Exception: whatever else `prepare`, an engine or `finish` raise; work not begun by then is left undone.
    """
    times = times or StepTimes()
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
                    outputs = _run(engines, [ready for _, ready in prepared])
                for (item, ready), own in zip(prepared, outputs, strict=True):
                    if isinstance(ready, PhotoError):
                        writing.append((item, ready))
                    else:
                        writing.append((item, pool.submit(attempt, finish, item, ready[0], own)))
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


def _run(
    engines: Sequence[Engine], prepared: Sequence[tuple[Any, Sequence[NDArray[np.uint8]]] | PhotoError]
) -> list[list[NDArray[Any]]]:
    """Run each network once on the inputs of all items.

    Returns:
        For each item, the outputs of each network: an empty array where it had no input, as of a failed item.
    """
    outputs: list[list[NDArray[Any]]] = [[] for _ in prepared]
    for number, engine in enumerate(engines):
        inputs = [np.empty(0, np.uint8) if isinstance(each, PhotoError) else each[1][number] for each in prepared]
        some = [each for each in inputs if len(each)]
        answers = engine(np.concatenate(some)) if some else np.empty(0)
        ends = np.cumsum([len(each) for each in inputs])
        for own, answer in zip(outputs, np.split(answers, ends[:-1]), strict=True):
            own.append(answer)
    return outputs
