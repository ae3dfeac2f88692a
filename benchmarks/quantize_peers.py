#!/usr/bin/env python3
"""INT8 models of the peers, by their own tools, in the peers' virtual environment: quantize_peers.py {onnxruntime|openvino} NAME...

Beside a cached NAME.pb: NAME.int8.onnx (ONNX Runtime's static quantization of NAME.onnx: Q/DQ, uint8 activations, int8
weights per channel, min-max) and NAME.int8.xml (NNCF's post-training quantization of the frozen graph, its defaults). Each
calibrates on the CALIBRATION batches of one example that Graft's side calibrates on (peers.py).
"""

import os
import pathlib
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent.parent / "tools")]

import networks  # noqa: E402
import peers  # noqa: E402


def _fresh(target, source):
    return target.exists() and target.stat().st_mtime >= source.stat().st_mtime


def _feeds(network):
    return [network.feeds(batch=1, seed=seed) for seed in range(peers.CALIBRATION)]


def onnxruntime(network):
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source, target = network.path.with_suffix(".onnx"), network.path.with_suffix(".int8.onnx")
    if _fresh(target, source):
        return

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.rest = iter([{name + ":0": array for name, array in feed.items()} for feed in _feeds(network)])

        def get_next(self):
            return next(self.rest, None)

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        prepared, quantized = f"{folder}/prepared.onnx", f"{folder}/quantized.onnx"
        quant_pre_process(str(source), prepared, skip_symbolic_shape=True)
        quantization.quantize_static(prepared, quantized, Reader(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
                                     activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8)
        os.replace(quantized, target)


def openvino(network):
    import nncf
    import openvino as ov

    target = network.path.with_suffix(".int8.xml")
    if _fresh(target, network.path):
        return
    model = ov.Core().read_model(network.path)
    model.add_outputs([network.logits])
    kind = {"model_type": nncf.ModelType.TRANSFORMER} if "bert" in network.name else {}
    quantized = nncf.quantize(model, nncf.Dataset([{name + ":0": array for name, array in feed.items()} for feed in _feeds(network)]), **kind)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        ov.save_model(quantized, f"{folder}/model.xml", compress_to_fp16=False)
        os.replace(f"{folder}/model.bin", target.with_suffix(".bin"))
        os.replace(f"{folder}/model.xml", target)


for argument in sys.argv[2:]:
    {"onnxruntime": onnxruntime, "openvino": openvino}[sys.argv[1]](networks.cached(argument))
