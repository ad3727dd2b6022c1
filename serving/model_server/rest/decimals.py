"""Float32 as decimals that are as short as can be: 0.1, not 0.10000000149011612."""

import numpy as np

_MIN_VECTORISED = 500  # below, one by one is faster


def shortest_decimals(floats: np.ndarray) -> np.ndarray:
    """Gives float64 whose text is the shortest that reads back as the float32: 0.1 for 0.1."""
    if floats.size < _MIN_VECTORISED:
        return _one_by_one(floats)
    with np.errstate(all="ignore"):  # zeros have no place, signalling NaN no quiet cast
        exact = floats.astype(np.float64)
        place = np.floor(np.log10(np.abs(exact)))  # of the first digit
    shortest = exact.copy()
    # Powers of ten up to 22 are exact, so that a quotient is the decimal's nearest double.
    usual = (place >= -14) & (place <= 27)
    left = np.flatnonzero(usual)
    for digits in (6, 7, 8, 9):
        if not left.size:
            break
        value, power = exact[left], digits - 1 - place[left]
        scale = 10.0 ** np.abs(power)
        rounded = np.where(
            power < 0, np.rint(value / scale) * scale, np.rint(value * scale) / scale
        )
        found = rounded.astype(np.float32) == floats[left]
        shortest[left[found]] = rounded[found]
        left = left[~found]
    rest = np.union1d(left, np.flatnonzero(~usual & np.isfinite(exact) & (exact != 0)))
    shortest[rest] = _one_by_one(floats[rest])
    return shortest


def _one_by_one(floats: np.ndarray) -> np.ndarray:
    return floats.astype("U").astype(np.float64)
