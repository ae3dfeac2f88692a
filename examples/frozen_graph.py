#!/usr/bin/env python3
"""Converts a frozen graph by the calls that TF-TRT had and runs it in TensorFlow: the classic example, for today.

    examples/frozen_graph.py                              digits_cnn.pb: native, FP32, FP16
    examples/frozen_graph.py --mode INT8
    examples/frozen_graph.py --graph resnet50.pb --input input --output output --batch-size 8 --data images.npy

Prints time per mode, top-1 agreement with native, and which nodes ran where.
"""

import argparse
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

import graftrt as trt

HERE = pathlib.Path(__file__).resolve().parent
MODES = ("native", "FP32", "FP16", "INT8")
ITERATIONS = 5  # of calibration: slices of unequal length

# On a GPU, engines allocate outside TensorFlow's own memory; so it must not claim all. Does nothing without a GPU.
config = tf.compat.v1.ConfigProto(
    gpu_options=tf.compat.v1.GPUOptions(per_process_gpu_memory_fraction=0.5, allow_growth=True))


def load(path):
    with open(path, "rb") as file:
        return tf.compat.v1.GraphDef.FromString(file.read())


def data_for(graph_def, name, count, file=None):
    """From a .npy file; else digits for the digits CNN, seeded noise of the right shape for any other graph."""
    if file:
        return np.load(file)[:count]
    placeholder = next((n for n in graph_def.node if n.name == name and n.op == "Placeholder"), None)
    if placeholder is None:
        sys.exit(f"no Placeholder named {name!r}; see --input")
    shape = [d.size for d in placeholder.attr["shape"].shape.dim][1:]
    if shape == [8, 8, 1]:
        import digits

        return digits.load()[2][:count]
    if any(size < 0 for size in shape):
        sys.exit(f"input {name!r} has open dims {shape} behind the batch: give a graph with fixed ones")
    dtype = tf.dtypes.as_dtype(placeholder.attr["dtype"].type).as_numpy_dtype
    rng = np.random.default_rng(1)
    if np.issubdtype(dtype, np.integer):
        return rng.integers(0, 100, (count, *shape)).astype(dtype)
    return rng.uniform(-1, 1, (count, *shape)).astype(dtype)


def run(graph_def, data, options, repeat):
    """(answers, seconds a batch) of the graph in a TensorFlow session."""
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph, config=config) as session:
        inp, out = tf.import_graph_def(graph_def=graph_def, return_elements=[options.input, options.output])
        inp, out = inp.outputs[0], out.outputs[0]
        batches = [data[i:i + options.batch_size] for i in range(0, len(data), options.batch_size)]
        answers = np.concatenate([session.run(out, {inp: batch}) for batch in batches])
        best = float("inf")
        for _ in range(repeat):
            start = time.perf_counter()
            session.run(out, {inp: batches[0]})
            best = min(best, time.perf_counter() - start)
    return answers, best


def decibels(native, answers):
    """Signal to noise of the answers."""
    noise = np.sum((answers.astype(np.float64) - native) ** 2)
    return 10 * np.log10(np.sum(native.astype(np.float64) ** 2) / noise) if noise else float("inf")


def convert(graph_def, mode, options):
    """The mixed graph for FP32 or FP16."""
    return trt.create_inference_graph(
        input_graph_def=graph_def, outputs=[options.output], max_batch_size=options.batch_size,
        max_workspace_size_bytes=1 << 25, precision_mode=mode, minimum_segment_size=2)


def convert_int8(graph_def, data, options):
    """Calibration graph, iterative runs over shards of the data, then the mixed graph."""
    calibration = trt.create_inference_graph(graph_def, [options.output], options.batch_size, precision_mode="INT8")
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph, config=config) as session:
        inp, out = tf.import_graph_def(graph_def=calibration, return_elements=[options.input, options.output])
        inp, out = inp.outputs[0], out.outputs[0]
        for i in range(ITERATIONS):
            session.run(out, {inp: data[i::ITERATIONS]})
    return trt.calib_graph_to_infer_graph(calibration)


def where(graph_def):
    """Says which nodes are engines, which ran natively, and who answered at run time."""
    kinds = {}
    for node in graph_def.node:
        kinds.setdefault(node.op, []).append(node.name)
    engines = kinds.pop("TRTEngineOp", []) + kinds.pop("GraftEngineOp", [])
    native = [f"{op} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" for op, names in sorted(kinds.items())]
    print(f"    engines: {', '.join(engines) or 'none'}")
    print(f"    native:  {'; '.join(native)}")
    for name, count in sorted(trt.counters().items()):
        if name in engines:
            print(f"    {name}: {count['engine']} runs in the engine, {count['native']} in its native segment")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", action="append", choices=MODES, help="may be repeated (default: native, FP32, FP16)")
    parser.add_argument("--graph", default=str(HERE / "digits_cnn.pb"))
    parser.add_argument("--input", default="input")
    parser.add_argument("--output", default="output")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--examples", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--data", help=".npy file with the examples along its first axis")
    options = parser.parse_args()

    orig_graph = load(options.graph)
    data = data_for(orig_graph, options.input, options.examples, options.data)
    native, native_s = run(orig_graph, data, options, options.repeat)
    print(f"native: {native_s * 1e3:.2f} ms a batch of {min(options.batch_size, len(data))}")
    for mode in options.mode or MODES[:3]:
        if mode == "native":
            continue
        trt.reset_counters()
        start = time.perf_counter()
        try:
            mixed = convert_int8(orig_graph, data, options) if mode == "INT8" else convert(orig_graph, mode, options)
        except (trt.Unsupported, trt.CalibrationError) as error:
            print(f"{mode}: this version of Graft cannot do it: {error}")
            return 1
        built = time.perf_counter() - start
        answers, seconds = run(mixed, data, options, options.repeat)
        agreement = np.mean(answers.argmax(-1) == native.argmax(-1))
        print(f"{mode}: {seconds * 1e3:.2f} ms a batch, {native_s / seconds:.2f} x native, converted in {built:.2f} s, "
              f"top-1 agreement {agreement:.2%}, largest difference {np.abs(answers - native).max():.1e}, "
              f"{decibels(native, answers):.1f} dB")
        where(mixed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
