"""The bar for whole networks: logits over four inputs, against TensorFlow in double.

FP32 passes if its largest and its RMS error are at most twice those of TensorFlow FP32 on the same inputs, plus 4 ulp
of the largest logit; FP16 and BF16 if RMS error / std of the logits is at most 1e-2 and 5e-2. The network itself must discriminate: the
two closest outputs lie at least 20 times the allowed error apart, and each layer's activation std is in [1e-2, 1e2].
"""

import dataclasses

import numpy as np

EXAMPLES = 4
SEED = 1
RMS_OVER_STD = {"FP16": 1e-2, "BF16": 5e-2}
DISCRIMINATION = 20
ULP = 2.0**-23


@dataclasses.dataclass(frozen=True)
class Oracle:
    """Feeds, double logits and TensorFlow's FP32 logits of a network."""

    feeds: dict
    exact: np.ndarray
    tensorflow: np.ndarray

    @property
    def slack(self):
        return 4 * ULP * np.abs(self.exact).max()

    @property
    def allowed(self):
        """Largest error of an FP32 engine."""
        return 2 * np.abs(self.tensorflow - self.exact).max() + self.slack

    @property
    def allowed_rms(self):
        return 2 * _rms(self.tensorflow - self.exact) + self.slack

    @property
    def distance(self):
        """Between the two closest outputs, max norm."""
        y = self.exact
        return min(np.abs(y[i] - y[j]).max() for i in range(len(y)) for j in range(i))


@dataclasses.dataclass(frozen=True)
class Verdict:
    passed: bool
    text: str
    ratio: float  # observed / allowed: a rise is a regression before it fails


def _rms(x):
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def oracle(network):
    """The Oracle of a `networks.Network`, cached beside it."""
    path = network.path.with_suffix(".oracle.npz")
    feeds = network.feeds(EXAMPLES, SEED)
    if path.exists():
        with np.load(path) as saved:
            if str(saved["sha256"]) == network.meta["sha256"]:
                return Oracle(feeds, saved["exact"], saved["tensorflow"])
    import network_check
    import to_float64

    graph = network.graph_def()
    plain = network_check.run(graph, [network.logits], feeds)[0]
    exact = network_check.run(to_float64.rewrite(graph), [network.logits], to_float64.widen(feeds))[0]
    np.savez(path, sha256=network.meta["sha256"], exact=exact, tensorflow=plain)
    return Oracle(feeds, exact, plain)


def judge(reference, logits, precision="FP32"):
    """Verdict on an engine's logits for the feeds of the `Oracle` `reference`."""
    logits = np.asarray(logits, np.float64)
    if logits.shape != reference.exact.shape:
        return Verdict(False, f"shape {logits.shape}, expected {reference.exact.shape}", np.inf)
    if not np.isfinite(logits).all():
        return Verdict(False, "not finite", np.inf)
    error = logits - reference.exact
    if precision == "FP32":
        largest, rms = np.abs(error).max() / reference.allowed, _rms(error) / reference.allowed_rms
        ratio, allowed = float(max(largest, rms)), reference.allowed
        text = f"max error {largest:.2f}, RMS error {rms:.2f} of the bar"
    elif precision in RMS_OVER_STD:
        bar = RMS_OVER_STD[precision]
        allowed = bar * reference.exact.std()
        ratio = _rms(error) / allowed
        text = f"RMS error / std {ratio * bar:.2e}, bar {bar}"
    else:
        raise ValueError(f"no bar for precision {precision}")
    if precision == "FP32" and reference.distance < DISCRIMINATION * allowed:
        return Verdict(False, f"not discriminating: closest outputs {reference.distance:.2e} apart", ratio)
    return Verdict(ratio <= 1, text, ratio)
