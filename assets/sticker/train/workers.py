"""Painting with all cores, where there are more than the training itself needs."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator


def every(function: Callable, arguments: Iterable) -> Iterator:
    """`function` of each argument, in order; in several processes on machines with many cores."""
    spare = (os.cpu_count() or 1) - 2
    if spare < 2:
        yield from map(function, arguments)
        return
    # Fresh processes: forking one that has used CUDA or OpenMP can hang.
    with multiprocessing.get_context("spawn").Pool(spare) as pool:
        yield from pool.imap(function, arguments, chunksize=4)
