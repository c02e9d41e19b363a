"""Photos through a network, with reading before it and writing after it going on in threads beside it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from facepart.engines.base import Engine
from facepart.images import PhotoError

Item = TypeVar("Item")
Kept = TypeVar("Kept")
Result = TypeVar("Result")

# Photos given to the network at once; three times as many are in memory at most (read, in the network, written).
_BATCH = 16
_THREADS = 4


def stream(
    items: Sequence[Item],
    prepare: Callable[[Item], tuple[Kept, NDArray[np.uint8]]],
    engine: Engine,
    finish: Callable[[Item, Kept, NDArray[Any]], Result],
) -> Iterator[tuple[Item, Result | PhotoError]]:
    """Work through `items` in order; memory stays bounded however many there are.

    Args:
        items: what to work on.
        prepare: called in a thread: an item -> what to keep for `finish`, and the network's inputs for it, uint8
            (k, height, width, 3), k at least 1. It may raise PhotoError, and the item's result is that error.
        engine: the network.
        finish: called in a thread: the item, what was kept, the network's outputs (k, ...) -> the result. It may
            raise PhotoError too.

    Yields:
        Each item with its result, in the order of `items`.

    Raises:
        Whatever else `prepare`, the engine or `finish` raise; work not begun by then is left undone.
    """
    batches = [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]
    with ThreadPoolExecutor(_THREADS) as pool:

        def submit(batch: Sequence[Item]) -> list[Future[tuple[Kept, NDArray[np.uint8]] | PhotoError]]:
            return [pool.submit(_attempt, prepare, item) for item in batch]

        def settle(item: Item, result: Future[Result | PhotoError] | PhotoError) -> tuple[Item, Result | PhotoError]:
            return item, (result if isinstance(result, PhotoError) else result.result())

        try:
            reading = submit(batches[0]) if batches else []
            writing: deque[tuple[Item, Future[Result | PhotoError] | PhotoError]] = deque()
            for number, batch in enumerate(batches):
                prepared = [future.result() for future in reading]
                reading = submit(batches[number + 1]) if number + 1 < len(batches) else []
                for item, ready, outputs in zip(batch, prepared, _run(engine, prepared), strict=True):
                    if isinstance(ready, PhotoError):
                        writing.append((item, ready))
                    else:
                        writing.append((item, pool.submit(_attempt, finish, item, ready[0], outputs)))
                # What the batch before this one left: its writing had the network's time to itself.
                while len(writing) > len(batch):
                    yield settle(*writing.popleft())
            while writing:
                yield settle(*writing.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _attempt(work: Callable[..., Result], *arguments: Any) -> Result | PhotoError:
    try:
        return work(*arguments)
    except PhotoError as error:
        return error


def _run(engine: Engine, prepared: Sequence[tuple[Any, NDArray[np.uint8]] | PhotoError]) -> Iterator[NDArray[Any]]:
    """Run the network once on the inputs of all items; give each item its outputs, an empty array to failed ones."""
    inputs = [ready[1] for ready in prepared if not isinstance(ready, PhotoError)]
    outputs = engine(np.concatenate(inputs)) if inputs else np.empty(0)
    start = 0
    for ready in prepared:
        count = 0 if isinstance(ready, PhotoError) else len(ready[1])
        yield outputs[start : start + count]
        start += count
