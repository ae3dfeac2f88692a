"""The peers: each builds a function of no arguments that runs one inference and returns {"logits": ..., "output": ...}.

Runs inside a side process (side.py) of the peer's own virtual environment. Every peer computes the same two tensors
from the same pre-allocated input, with `threads` compute threads, at its best documented setting; `settings` says which.
"""

import os

CALIBRATION = 8  # batches of one example that every INT8 side calibrates on


class Job:
    """What to run: the frozen graph, tensor names, feeds by input name, thread count, where converted files are, and the
    feeds that INT8 calibrates on.
    """

    def __init__(self, graph_path, meta, feeds, threads, cache, calibration=()):
        self.graph_path, self.meta, self.feeds, self.threads, self.cache = graph_path, meta, feeds, threads, cache
        self.calibration = list(calibration)
        self.fetches = [meta["logits"], meta["outputs"][0]]

    @property
    def stem(self):
        return os.path.splitext(os.path.basename(self.graph_path))[0]


def _named(values):
    return dict(zip(("logits", "output"), values))


def _tf_config(threads):
    import tensorflow as tf

    return tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)


def _graph_def(path):
    from tensorflow.core.framework import graph_pb2

    with open(path, "rb") as file:
        return graph_pb2.GraphDef.FromString(file.read())


def _session(job, graph_def):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
    session = tf.compat.v1.Session(graph=graph, config=_tf_config(job.threads))
    names = list(job.feeds)
    call = session.make_callable([graph.get_tensor_by_name(t) for t in job.fetches],
                                 [graph.get_tensor_by_name(n + ":0") for n in names])
    arrays = [job.feeds[n] for n in names]
    return lambda: _named(call(*arrays))


def tensorflow(job):
    import tensorflow as tf

    onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default")
    return _session(job, _graph_def(job.graph_path)), f"TensorFlow {tf.__version__}, oneDNN {onednn}, Session"


def xla(job):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    graph_def = _graph_def(job.graph_path)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph_def, name=""), [])
    element = wrapped.graph.as_graph_element
    names = list(job.feeds)
    pruned = wrapped.prune([element(n + ":0") for n in names], [element(t) for t in job.fetches])
    compiled = tf.function(pruned, jit_compile=True)
    arrays = [tf.constant(job.feeds[n]) for n in names]
    return lambda: _named([t.numpy() for t in compiled(*arrays)]), f"TensorFlow {tf.__version__}, jit_compile"


def onnxruntime(job, suffix="", precision="f32"):
    import onnxruntime as ort

    path = os.path.join(job.cache, job.stem + suffix + ".onnx")
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = job.threads, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    probe = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for given in probe.get_inputs():  # a fixed shape lets it plan memory
        for name, size in zip(given.shape, job.feeds[given.name.split(":")[0]].shape):
            if isinstance(name, str):
                options.add_free_dimension_override_by_name(name, size)
    del probe
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = {i.name: job.feeds[i.name.split(":")[0]] for i in session.get_inputs()}
    return lambda: _named(session.run(job.fetches, feeds)), f"ONNX Runtime {ort.__version__}, {precision}, all optimizations"


def onnxruntime_int8(job):
    return onnxruntime(job, ".int8", "int8 by its static quantization")


def openvino_int8(job):
    return openvino(job, suffix=".int8.xml", described="int8 by NNCF")


def openvino(job, precision="f32", suffix=".pb", described=None):
    import openvino as ov

    core = ov.Core()
    model = core.read_model(os.path.join(job.cache, job.stem + suffix))
    if suffix == ".pb":
        model.add_outputs(job.fetches[:1])
    model.reshape({n + ":0": list(a.shape) for n, a in job.feeds.items()})
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": job.threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision})
    request = compiled.create_infer_request()
    feeds = [job.feeds[i.any_name.split(":")[0]] for i in compiled.inputs]
    # By name: compiling may reorder the outputs.
    outputs = [next(o for o in compiled.outputs if {fetch, fetch.split(":")[0]} & set(o.get_names())) for fetch in job.fetches]

    def run():
        results = request.infer(feeds, share_inputs=True)
        return _named([results[output] for output in outputs])

    return run, f"OpenVINO {ov.__version__.split('-')[0]}, {described or precision}, latency hint"


def openvino_bf16(job):
    return openvino(job, "bf16")


def _convert(job, precision):
    """The frozen graph, converted for the feeds' batch."""
    import graftrt

    batch = len(next(iter(job.feeds.values())))
    calibration = {"calibration": job.calibration} if precision == "int8" else {}
    return graftrt.convert(job.graph_path, job.fetches, precision=precision, max_batch_size=batch,
                           profitable_only=False, progress=False, **calibration)


def graft(job, precision="fp32"):
    """The mixed graph in graftrt.Session: no TensorFlow in the process."""
    import graftrt

    conversion = _convert(job, precision)
    if precision == "int8":
        precision += f", {conversion.report.data['engines'][0]['int8_macs_share']:.0%} of the multiply-adds"
    session = conversion.session(threads=job.threads)
    feeds = {n + ":0": a for n, a in job.feeds.items()}
    return lambda: _named(session.run(job.fetches, feeds)), f"Graft {graftrt.__version__} bare, {precision}"


def graft_op(job, precision="fp32"):
    """The mixed graph in a TensorFlow session."""
    import graftrt
    import tensorflow as tf

    settings = f"Graft {graftrt.__version__} as op in TensorFlow {tf.__version__}, {precision}"
    return _session(job, _convert(job, precision).graph_def), settings


# name -> (function, virtual environment, environment variables)
PEERS = {
    "tf": (tensorflow, "py", {"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "tf-onednn": (tensorflow, "py", {"TF_ENABLE_ONEDNN_OPTS": "1"}),
    "xla": (xla, "py", {}),
    "onnxruntime": (onnxruntime, "peers", {}),
    "openvino": (openvino, "peers", {}),
    "openvino-bf16": (openvino_bf16, "peers", {}),
    "onnxruntime-int8": (onnxruntime_int8, "peers", {}),
    "openvino-int8": (openvino_int8, "peers", {}),
    "graft": (graft, "py", {}),
    "graft-op": (graft_op, "py", {}),
    "graft-int8": (lambda job: graft(job, "int8"), "py", {}),
    "graft-fp16": (lambda job: graft(job, "fp16"), "py", {}),
}
