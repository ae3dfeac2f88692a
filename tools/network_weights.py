"""Seeded weights for the networks that tests and benchmarks convert.

Every tensor gets its own generator, seeded by (network, tensor name), so that adding a layer leaves the others as they
were. Kernels are Laplace-distributed, as trained ones nearly are, with the variance that keeps activations alive.
"""

import zlib

import numpy as np


def generator(network, tensor):
    """The random generator of one tensor of one network."""
    return np.random.default_rng([zlib.crc32(network.encode()), zlib.crc32(tensor.encode())])


def laplace(network, tensor, shape, fan_in, gain=2.0):
    """Laplace values of variance gain / fan_in (gain 2 suits ReLU, 1 suits linear layers)."""
    scale = np.sqrt(gain / fan_in / 2.0)
    return generator(network, tensor).laplace(0.0, scale, shape).astype(np.float32)


def uniform(network, tensor, shape, low, high):
    return generator(network, tensor).uniform(low, high, shape).astype(np.float32)


def fan_in_of(shape, depthwise=False):
    """Products added up per output element for a kernel [H, W, I, O], [H, W, C, M] (depthwise) or [I, O]."""
    return int(np.prod(shape[:2] if depthwise else shape[:-1]))


def images(shape, count, seed, low=-1.0, high=1.0):
    """`count` images [count, H, W, C] in [low, high).

    White noise would look the same to any network that ends in a global average. So each image sums octaves of smooth
    noise and has its own brightness, contrast and tint.
    """
    height, width, channels = shape
    rng = np.random.default_rng([zlib.crc32(b"images"), seed])
    result = np.empty((count, height, width, channels), np.float32)
    for image in result:
        total = np.zeros((height, width, channels))
        for octave in range(6):
            cells = 2 ** (octave + 1)
            total += _enlarge(rng.normal(size=(cells, cells, channels)), height, width) * rng.uniform(0.3, 1.0)
        total = total * rng.uniform(0.5, 1.5) + rng.normal(0.0, 0.4, channels)
        image[...] = np.tanh(0.6 * total)
    return ((result + 1.0) * np.float32((high - low) / 2 * (1 - 2**-20)) + np.float32(low)).astype(np.float32)


def _enlarge(grid, height, width):
    """Bilinear enlargement of [h, w, C] to [height, width, C]."""
    rows = np.linspace(0, grid.shape[0] - 1, height)
    cols = np.linspace(0, grid.shape[1] - 1, width)
    top, left = np.minimum(rows.astype(int), grid.shape[0] - 2), np.minimum(cols.astype(int), grid.shape[1] - 2)
    down, right = (rows - top)[:, None, None], (cols - left)[None, :, None]
    upper = grid[top][:, left] * (1 - right) + grid[top][:, left + 1] * right
    lower = grid[top + 1][:, left] * (1 - right) + grid[top + 1][:, left + 1] * right
    return upper * (1 - down) + lower * down


def tokens(vocabulary, batch, length, seed):
    """Token ids [batch, length], int32, drawn so that frequent tokens are frequent (as in text)."""
    rng = np.random.default_rng([zlib.crc32(b"tokens"), seed])
    return np.minimum(rng.zipf(1.3, (batch, length)) - 1, rng.integers(0, vocabulary, (batch, length))).astype(np.int32)
