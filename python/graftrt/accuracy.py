"""Accuracy control of INT8: which layers go back to floating point so that a metric drops no more than allowed."""

import math
import statistics
import time

from .errors import InvalidArgument, NotConverted

_SAMPLES = 8  # feeds that rank the layers


class AccuracyControl:
    """What `convert(evaluate=, max_drop=)` found.

    reference: metric of FP32. int8: metric with every layer in INT8. final: of the result. kept: layers that went back to
    floating point, worst first. time_ratio: run time of the result / of all INT8 (medians on the first feed). evaluations:
    calls of `evaluate`.
    """

    def __init__(self, reference, int8, final, kept, time_ratio, evaluations):
        self.reference, self.int8, self.final = reference, int8, final
        self.kept, self.time_ratio, self.evaluations = kept, time_ratio, evaluations

    def __str__(self):
        lines = [f"metric: FP32 {self.reference:.6g}, all INT8 {self.int8:.6g}, result {self.final:.6g} after {self.evaluations} evaluations"]
        if self.kept:
            lines.append(f"{len(self.kept)} layers stay in floating point, run time x {self.time_ratio:.2f}: " + ", ".join(self.kept))
        return "\n".join(lines)


    def annotate(self, report):
        """Puts it into a report: JSON field `accuracy`, a paragraph of the text."""
        report.extend({"accuracy": {"fp32": self.reference, "int8": self.int8, "result": self.final, "floating_layers": self.kept,
                                    "time_ratio": self.time_ratio, "evaluations": self.evaluations}}, str(self), "Accuracy control")


def check(evaluate, max_drop):
    if evaluate is None and max_drop is None:
        return
    if not callable(evaluate):
        raise InvalidArgument(f"evaluate: got {evaluate!r}, expected a function of a graftrt.Session that returns a number")
    if isinstance(max_drop, bool) or not isinstance(max_drop, (int, float)) or not max_drop >= 0:
        raise InvalidArgument(f"max_drop: got {max_drop!r}, expected a number of at least 0")


def int8_layers(report):
    """Names of the layers that run in INT8, in network order."""
    return [layer["name"] for engine in report.data["engines"] for layer in engine["layers"]
            if layer["op"] in ("conv", "matmul", "attention") and layer["dtype"] == "int8"]


def _metric(evaluate, conversion):
    value = float(evaluate(conversion.session()))
    if math.isnan(value):
        raise InvalidArgument("evaluate: returned NaN")
    return value


def _noise(conversion, fetches, feeds, wanted):
    """Squared error of the outputs over the feeds, relative to the outputs."""
    import numpy as np
    session = conversion.session()
    total = 0.0
    for feed, want in zip(feeds, wanted):
        for g, w in zip(session.run(fetches, feed), want):
            if np.issubdtype(w.dtype, np.floating):
                total += float(np.sum((g.astype(np.float64) - w) ** 2) / max(float(np.sum(w.astype(np.float64) ** 2)), 1e-30))
    return total


def rank_layers(reference, convert_keeping, layers, fetches, feeds):
    """Layers, worst first: those whose return to floating point removes most of the error at the outputs."""
    feeds = feeds[:_SAMPLES]
    session = reference.session()
    wanted = [session.run(fetches, feed) for feed in feeds]
    left = {name: _noise(convert_keeping([name]), fetches, feeds, wanted) for name in layers}
    return sorted(layers, key=lambda name: left[name])


def _run_time(conversion, fetches, feed):
    session = conversion.session()
    times = []
    for _ in range(7):
        start = time.perf_counter()
        session.run(fetches, feed)
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def control(reference, convert_keeping, evaluate, max_drop, fetches, feeds):
    """-> (Conversion, AccuracyControl). NotConverted when the metric can't be met with any layer in INT8.

    convert_keeping(names) converts to INT8 with these layers in floating point; `reference` is the FP32 conversion.
    """
    goal_metric = _metric(evaluate, reference)
    whole = convert_keeping([])
    whole_metric = _metric(evaluate, whole)
    evaluations = 2
    if goal_metric - whole_metric <= max_drop:
        return whole, AccuracyControl(goal_metric, whole_metric, whole_metric, [], 1.0, evaluations)
    layers = int8_layers(whole.report)
    ranked = rank_layers(reference, convert_keeping, layers, fetches, feeds)
    found = None
    low, high = 0, 1  # low layers are too few; `found` holds the least that is known to be enough
    while found is None or high - low > 1:
        count = high if found is None else (low + high) // 2
        count = min(count, len(ranked))
        candidate = convert_keeping(ranked[:count])
        metric = _metric(evaluate, candidate)
        evaluations += 1
        if goal_metric - metric <= max_drop:
            found, high = (candidate, metric, count), count
        else:
            if count == len(ranked):
                raise NotConverted(f"accuracy control: the metric is {goal_metric:.6g} in FP32 and {metric:.6g} with every layer in "
                                   f"floating point at precision 'int8'; max_drop={max_drop} can't be met")
            low = count
            high = high if found is not None else 2 * count
    conversion, metric, count = found
    ratio = _run_time(conversion, fetches, feeds[0]) / _run_time(whole, fetches, feeds[0])
    return conversion, AccuracyControl(goal_metric, whole_metric, metric, ranked[:count], ratio, evaluations)
