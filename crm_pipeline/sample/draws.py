"""Random choices that depend on the seed and the row's id alone, never on the order of work.

So rows can be made in chunks of any size, again, or later, and are always the same.
"""

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


class Draws:
    """Choices for rows: by the seed, the row's id and what is being chosen."""

    def __init__(self, seed: int) -> None:
        self._seed = np.uint64(seed)

    def share(self, ids: Ids, purpose: str) -> npt.NDArray[np.float64]:
        """A number from 0 up to, not including, 1 for each id."""
        return (self._bits(ids, purpose) >> np.uint64(11)).astype(np.float64) / 2**53

    def below(self, ids: Ids, purpose: str, limit: int | Ids) -> Ids:
        """A whole number from 0 up to, not including, the limit (one for all, or one each)."""
        return (self.share(ids, purpose) * limit).astype(np.int64)

    def happens(self, ids: Ids, purpose: str, probability: float) -> npt.NDArray[np.bool_]:
        """Returns whether it happens to each id, with this probability."""
        return self.share(ids, purpose) < probability

    def pick(self, ids: Ids, purpose: str, options: Sequence[object] | Texts) -> Texts:
        """One of the options for each id, all equally likely."""
        return np.array(options, dtype=object)[self.below(ids, purpose, len(options))]

    def _bits(self, ids: Ids, purpose: str) -> npt.NDArray[np.uint64]:
        """SplitMix64 (Steele, Lea, Flood 2014) of seed, purpose and id."""
        start = self._seed + np.uint64(zlib.crc32(purpose.encode()) << 32)
        bits = ids.astype(np.uint64)
        with np.errstate(over="ignore"):
            for salt in (start, np.uint64(0)):
                bits = (bits + salt + np.uint64(1)) * _GOLDEN
                bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
                bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
                bits ^= bits >> np.uint64(31)
        return bits
