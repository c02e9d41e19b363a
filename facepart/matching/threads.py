"""The threads that compare tiles: PyTorch computes in each of them alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from facepart.full_float32 import full_float32


@contextmanager
def one_thread_each(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool in whose threads PyTorch is single-threaded and keeps all bits of float32.

    Work that has not begun when the block ends is left undone.
    """
    # The setting is the calling thread's own: that of the program around us stays as it is.
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        with full_float32():
            yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
