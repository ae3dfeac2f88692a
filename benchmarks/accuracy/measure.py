#!/usr/bin/env python3
"""Top-1 of INT8 against FP32 for every accuracy network and calibrator, and the negative controls.

    benchmarks/accuracy/measure.py                                 every network and calibrator, then the controls
    benchmarks/accuracy/measure.py --networks cnn --cases auto minmax
    benchmarks/accuracy/measure.py --simulate                      the model of INT8 in TensorFlow, without the engine
    benchmarks/accuracy/measure.py --out accuracy.json
    benchmarks/accuracy/measure.py --networks cnn --record         each row into benchmarks/results and docs/accuracy.md, beside the others

FP32 is TensorFlow's. Ends with 1 where a calibrator misses a bar or a control meets all of them.
"""

import argparse
import json
import pathlib
import sys

import controls
import evaluate
import graphs
import hard_digits
import numpy as np
import record
import simulate
import small_networks

CALIBRATORS = ("auto", "entropy", "percentile", "minmax", "mse")
CONTROLS = ("per-tensor weights", "thresholds halved", "one scale doubled", "min-max with outlier")
CALIBRATION_IMAGES, CALIBRATION_BATCH, SEED = 500, 50, 1


def calibration_feeds():
    images, _ = hard_digits.images("calibration", CALIBRATION_IMAGES, SEED)
    return [{graphs.INPUT: images[i:i + CALIBRATION_BATCH]} for i in range(0, len(images), CALIBRATION_BATCH)]


def per_tensor_weights():
    """Scope in which conversions give each weight tensor one scale: a private option, for the control alone."""
    import graftrt

    return graftrt.options(int8_per_tensor_weights=True)


def convert(graph, feeds, **options):
    import graftrt

    return graftrt.convert(graph, [graphs.LOGITS], precision="int8", calibration=feeds, profitable_only=False,
                           progress=False, **options)


def conversion_of(case, graph):
    """The Conversion of one calibrator or control."""
    feeds = calibration_feeds()
    if case in CALIBRATORS:
        return convert(graph, feeds, calibrator=case)
    if case == "per-tensor weights":
        with per_tensor_weights():
            return convert(graph, feeds)
    if case == "thresholds halved":
        table = convert(graph, feeds, calibrator="minmax").calibration_table
        return convert(graph, controls.halved_thresholds(_json(table)))
    if case == "one scale doubled":
        return convert(controls.doubled_scale(graph), feeds)
    return convert(graph, controls.planted_outlier(feeds), calibrator="minmax")


def _json(table):
    """JSON text of a calibration table, whatever holds it."""
    return table if isinstance(table, str) else json.dumps(table) if isinstance(table, dict) else table.to_json()


def int8_macs(conversion):
    """Share of the multiply-adds that run in INT8, as the report says."""
    engines = conversion.report.data["engines"]
    return min((engine["int8_macs_share"] for engine in engines), default=0.0)


def engine_answer(case, graph):
    conversion = conversion_of(case, graph)
    session = conversion.session()
    return lambda images: session.run(graphs.LOGITS, {graphs.INPUT: images}), int8_macs(conversion)


def simulated_answer(case, graph):
    """The same case in the model of INT8; calibrators other than percentile are min-max there."""
    feeds, source = calibration_feeds(), graph
    if case == "min-max with outlier":
        feeds = controls.planted_outlier(feeds)
    if case == "one scale doubled":
        source = controls.doubled_scale(graph)
    images = np.concatenate([feed[graphs.INPUT] for feed in feeds])
    ranges = simulate.thresholds(source, images, 99.99 if case == "percentile" else 100.0)
    if case == "thresholds halved":
        ranges = {name: value / 2 for name, value in ranges.items()}
    rounded = simulate.quantized(source, ranges, per_tensor_weights=case == "per-tensor weights")
    return lambda images: graphs.run(rounded, images), None


def cases_of(network, simulated):
    calibrators = ("minmax", "percentile") if simulated else CALIBRATORS
    return (*calibrators, *(c for c in CONTROLS if network == "mobilenet" or c != "per-tensor weights"))


def measure(network, cases, count, answer_of):
    """One row a case."""
    graph = graphs.frozen(network)
    images, labels = hard_digits.images("heldout", count, SEED)
    reference = graphs.run(graph, images)
    for case in cases:
        answer, macs = answer_of(case, graph)
        logits = np.concatenate([answer(images[i:i + 500]) for i in range(0, count, 500)])
        row = {"network": network, "case": case, **evaluate.figures(reference, logits, labels), "int8_macs": macs}
        row["misses"] = evaluate.misses(network, row)
        yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=small_networks.NAMES, default=small_networks.NAMES)
    parser.add_argument("--cases", nargs="+", choices=CALIBRATORS + CONTROLS)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    if options.record and (options.simulate or options.images != 10_000):
        parser.error("--record takes the engine's answers to all images")
    rows = []
    for network in options.networks:
        cases = options.cases or cases_of(network, options.simulate)
        answer_of = simulated_answer if options.simulate else engine_answer
        for row in measure(network, cases, options.images, answer_of):
            rows.append(row)
            print("\n".join(evaluate.table([row]).splitlines()[len(rows) > 1:]), flush=True)
            if options.record:
                record.record([row])
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(bool(row["misses"]) != (row["case"] in CONTROLS) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
