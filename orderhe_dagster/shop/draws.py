"""Random numbers without state: each is a hash of what it is for. Nothing of the shop is here.

A draw is a function of (seed, what is drawn for, stream) alone, so no order of calls can change it.
Row by row only integer arithmetic, exact floating point operations and table look-ups are used: the
same row comes out of a call for one row and of a call for a million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(values: Keys) -> Keys:
    """Finalize as SplitMix64 does: every input bit moves about half of the output bits."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


@lru_cache(maxsize=256)
def _stream(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def keys(seed: int, kind: str, *parts: Ints) -> Keys:
    """One key for each row of `parts` (integer arrays of one shape): who or what is drawn for."""
    start = ((seed & _MASK) * _GOLDEN + _stream(kind)) & _MASK
    result = np.full(parts[0].shape, start, dtype=np.uint64)
    for part in parts:
        result = _mix(result ^ (part.astype(np.uint64) * np.uint64(_GOLDEN)))
    return result


def uniform(keys: Keys, stream: str) -> Floats:
    """Numbers in [0, 1), one a key. Streams are independent of each other."""
    bits = _mix(keys ^ np.uint64(_stream(stream)))
    result: Floats = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return result


def whole(keys: Keys, stream: str, low: int, high: int) -> Ints:
    """Whole numbers from `low` to `high`, both included, all equally likely."""
    return low + (uniform(keys, stream) * (high - low + 1)).astype(np.int64)


def bell(keys: Keys, stream: str) -> Floats:
    """Numbers of mean 0 and standard deviation 1, never beyond 3.5: a sum of four uniforms."""
    total = sum(uniform(keys, f"{stream} {part}") for part in range(4))
    result: Floats = (np.asarray(total, dtype=np.float64) - 2.0) * (3.0**0.5)
    return result


def distinct(*parts: Ints) -> Ints:
    """Each number of the parts once, sorted.

    Not `np.unique`: the hashing of NumPy 2.4 takes ten times longer than sorting ids that mostly rise.
    """
    ordered = np.sort(np.concatenate(parts), kind="stable")
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


class Table:
    """A distribution over 0, 1, 2, …, given by weights; drawn by looking up a uniform number."""

    def __init__(self, weights: Sequence[float] | Floats) -> None:
        heights = np.asarray(weights, dtype=np.float64)
        self._tops: Floats = np.cumsum(heights / heights.sum())
        self._tops[-1] = 1.0

    def pick(self, uniforms: Floats) -> Ints:
        """Find the index that each number in [0, 1) falls on."""
        return np.searchsorted(self._tops, uniforms, side="right").astype(np.int64)

    def position(self, uniforms: Floats) -> Floats:
        """As `pick`, with the place inside the step as a fraction: a piecewise even density."""
        index = self.pick(uniforms)
        bottoms = np.concatenate([np.zeros(1), self._tops[:-1]])
        width = self._tops[index] - bottoms[index]
        inside = (uniforms - bottoms[index]) / width
        result: Floats = index + np.clip(inside, 0.0, 1.0 - 2.0**-40)
        return result


def choose(options: Sequence[Any], keys: Keys, stream: str) -> list[Any]:
    """One of `options` for each key, all equally likely."""
    return [options[index] for index in whole(keys, stream, 0, len(options) - 1).tolist()]
