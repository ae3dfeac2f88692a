"""Statistics of paired slices (pure functions over lists of seconds)."""

import numpy as np

BOOTSTRAP = 10_000


def ratio_interval(a, b, seed=0):
    """Median of a[i] / b[i] over pairs and its 95 % interval by bootstrap over pairs: (median, low, high)."""
    ratios = np.asarray(a, float) / np.asarray(b, float)
    rng = np.random.default_rng(seed)
    medians = np.median(ratios[rng.integers(0, len(ratios), (BOOTSTRAP, len(ratios)))], axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    return float(np.median(ratios)), float(low), float(high)


def latency(seconds):
    """Milliseconds: min, p50, p90, p99 of single inferences."""
    ms = np.asarray(seconds, float) * 1e3
    p50, p90, p99 = np.percentile(ms, [50, 90, 99])
    return {"min_ms": float(ms.min()), "p50_ms": float(p50), "p90_ms": float(p90), "p99_ms": float(p99)}


def verdict(low, high):
    """What the interval of t_peer / t_graft says; 2 % is the smallest difference that counts."""
    if low > 1.02:
        return "faster"
    if low >= 0.98:
        return "at least even"
    return "slower" if high < 0.98 else "open"
