#!/usr/bin/env python3
"""Converts cached frozen networks to ONNX (tf2onnx, in the peers' virtual environment): convert_onnx.py NAME..."""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))

import networks  # noqa: E402
import tf2onnx  # noqa: E402

OPSET = 18


def convert(name):
    network = networks.cached(name)
    target = network.path.with_suffix(".onnx")
    if target.exists() and target.stat().st_mtime >= network.path.stat().st_mtime:
        return
    model, _ = tf2onnx.convert.from_graph_def(
        network.graph_def(), input_names=[n + ":0" for n in network.meta["inputs"]],
        output_names=[network.logits, network.output], opset=OPSET)
    temporary = target.with_suffix(".tmp")
    temporary.write_bytes(model.SerializeToString())
    temporary.rename(target)


for argument in sys.argv[1:]:
    convert(argument)
