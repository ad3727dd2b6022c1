"""Features of images without learning: where edges point, and which colours there are."""

import numpy as np

BINS = 9  # directions of an edge, over half a turn
CELLS = 6  # cells along a side, about
MAX_SIDE = 32  # larger images are first averaged down to less than twice this side
COLOUR_LEVELS = 4  # of each channel


def edges_and_colours(images: np.ndarray) -> np.ndarray:
    """Features of images `[n, H, W, C]` uint8: `[n, d]`, a HOG of norm 1, and with C = 3 colours.

    The colours are the root of a coarse histogram (Hellinger), of norm 1 too.
    """
    edges = _unit(histogram_of_gradients(images))
    if images.shape[-1] == 1:
        return edges
    return np.concatenate([edges, _unit(np.sqrt(_colour_histogram(images)))], axis=1)


def histogram_of_gradients(images: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients, `[n, d]` float32.

    Reference: Dalal and Triggs 2005, "Histograms of Oriented Gradients for Human Detection":
    unsigned directions, votes shared by neighbouring bins, blocks of 2 x 2 cells (L2-Hys).
    """
    pixels = _shrink(images.astype(np.float32) / 255.0)
    down, right = np.gradient(pixels, axis=(1, 2))
    # Of the channel where the edge is strongest.
    strongest = (down**2 + right**2).argmax(axis=-1)[..., np.newaxis]
    down = np.take_along_axis(down, strongest, -1)[..., 0]
    right = np.take_along_axis(right, strongest, -1)[..., 0]
    place = np.mod(np.arctan2(down, right) * np.float32(BINS / np.pi), np.float32(BINS))
    size = np.hypot(down, right)
    lower = place.astype(np.int32)
    upper_share = size * (place - lower)
    cells = _cell_sums(lower % BINS, size - upper_share) + _cell_sums(
        (lower + 1) % BINS, upper_share
    )
    corners = [cells[:, y : cells.shape[1] - 1 + y, x : cells.shape[2] - 1 + x] for y, x in _PAIRS]
    blocks = np.concatenate(corners, axis=-1)
    blocks = np.minimum(_unit(blocks), 0.2)
    return _unit(blocks).reshape(len(images), -1)


_PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))


def _shrink(pixels: np.ndarray) -> np.ndarray:
    """Averages squares of pixels, so that a side is below 2 MAX_SIDE."""
    n, height, width, channels = pixels.shape
    factor = max(1, min(height, width) // MAX_SIDE)
    rows, columns = height // factor, width // factor
    whole = pixels[:, : rows * factor, : columns * factor]
    return whole.reshape(n, rows, factor, columns, factor, channels).mean(axis=(2, 4))


def _cell_sums(bins: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """Sums the votes `[n, H, W]` for each bin in each cell: `[n, rows, columns, BINS]`."""
    n, height, width = votes.shape
    side = max(2, min(height, width) // CELLS)
    rows, columns = height // side, width // side
    row, column = np.arange(rows * side) // side, np.arange(columns * side) // side
    cell = (np.arange(n)[:, None, None] * rows + row[:, None]) * columns + column
    inside = np.s_[:, : rows * side, : columns * side]
    sums = np.bincount(
        (cell * BINS + bins[inside]).ravel(), votes[inside].ravel(), n * rows * columns * BINS
    )
    return sums.reshape(n, rows, columns, BINS)


def _colour_histogram(images: np.ndarray) -> np.ndarray:
    """The share of pixels of each of 4 x 4 x 4 colours, `[n, 64]` float32."""
    levels = images.astype(np.int64) * COLOUR_LEVELS // 256
    colours = (levels * COLOUR_LEVELS ** np.arange(images.shape[-1])).sum(axis=-1)
    number = COLOUR_LEVELS ** images.shape[-1]
    flat = colours.reshape(len(images), -1) + number * np.arange(len(images))[:, np.newaxis]
    counts = np.bincount(flat.ravel(), minlength=number * len(images))
    return counts.reshape(len(images), number).astype(np.float32) / flat.shape[1]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
