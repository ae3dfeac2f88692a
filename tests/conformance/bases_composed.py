"""Base calls of ops that become several: volumes, segments, sequences, patches, layouts."""
import numpy as np
import tensorflow as tf

from variation import K, Oracle, apply, base, integers, normal


def _through_ndhwc(op, inputs, attrs):
    """The NCDHW form by the NDHWC kernel, the only one on the CPU."""
    def last(v):
        return tf.transpose(v, [0, 2, 3, 4, 1])

    def reorder(values):
        return [values[i] for i in (0, 2, 3, 4, 1)]
    moved = ("input", "x", "out_backprop")
    inputs = {k: last(v) if k in moved else tf.gather(v, [0, 2, 3, 4, 1]) if k == "input_sizes" else v for k, v in inputs.items()}
    attrs = {k: reorder(v) if isinstance(v, list) else v for k, v in attrs.items()} | {"data_format": "NDHWC"}
    return [tf.transpose(apply(op, inputs, attrs)[0], [0, 4, 1, 2, 3])]


THROUGH_NDHWC = Oracle(lambda attrs: attrs.get("data_format") == "NCDHW", _through_ndhwc)


def _dilated(op, inputs, attrs):
    """Dilation by zeros between the taps: TensorFlow's kernel takes none."""
    w = inputs["filter"]
    for axis, step in enumerate(attrs["dilations"][1:4]):
        taps = w.shape[axis]
        w = tf.pad(tf.expand_dims(w, axis + 1), [[0, step - 1] if i == axis + 1 else [0, 0] for i in range(6)])
        shape = w.shape.as_list()
        w = tf.reshape(w, shape[:axis] + [taps * step] + shape[axis + 2:])
        w = tf.gather(w, np.arange((taps - 1) * step + 1), axis=axis)
    return apply(op, {"input": inputs["input"], "filter": w}, attrs | {"dilations": [1] * 5})


DILATED = Oracle(lambda attrs: attrs.get("data_format", "NDHWC") == "NDHWC", _dilated)


def volumes():
    x, w = normal("vol", 2, 5, 6, 4, 3), normal("volw", 3, 2, 3, 3, 4)
    base("Conv3D", {"input": x, "filter": K(w, w[::-1].copy())}, {"strides": [[1, 2, 2, 2, 1], [1, 1, 2, 1, 1]], "padding": ["VALID"], "data_format": [],
         "dilations": [[1, 2, 1, 1, 1], [1, 1, 2, 3, 1]]}, strides=[1] * 5, padding="SAME", oracle=DILATED,
         alternatives=[{"input": x[:0]}, {"filter": K(w[:1])}])
    square = normal("volsq", 2, 3, 3, 3, 3)
    layout = {"strides": [], "dilations": [], "padding": [], "data_format": ["NCDHW"]}
    base("Conv3D", {"input": square, "filter": K(normal("w3", 2, 2, 2, 3, 4))}, layout, name="layout", strides=[1] * 5, padding="SAME", oracle=THROUGH_NDHWC)
    for op in ("MaxPool3D", "AvgPool3D"):
        base(op, {"input": x}, {"ksize": [[1, 3, 2, 2, 1], [1, 1, 3, 3, 1]], "strides": [[1, 2, 2, 2, 1]], "padding": ["VALID"], "data_format": []},
             ksize=[1, 2, 2, 2, 1], strides=[1] * 5, padding="SAME", alternatives=[{"input": x[:0]}])
        base(op, {"input": square}, {"ksize": [], "strides": [], "padding": [], "data_format": ["NCDHW"]}, name="layout", ksize=[1, 2, 2, 2, 1],
             strides=[1] * 5, padding="VALID", oracle=THROUGH_NDHWC)
    dy, w = normal("vdy", 2, 3, 3, 3, 3), normal("vdyw", 3, 3, 3, 3, 3)
    sizes = {"input_sizes": K([2, 3, 3, 3, 3]), "filter": K(w, w[::-1].copy()), "out_backprop": dy}
    base("Conv3DBackpropInputV2", sizes, {"strides": [], "dilations": [], "padding": [], "data_format": ["NCDHW"]}, strides=[1] * 5, padding="SAME",
         oracle=THROUGH_NDHWC)
    base("Conv3DBackpropInputV2", sizes | {"input_sizes": K([2, 6, 6, 6, 3], [2, 5, 6, 5, 3])}, {"strides": [], "dilations": [], "data_format": []}, name="strided",
         strides=[1, 2, 2, 2, 1], padding="SAME")
    sizes = {"input_sizes": K([2, 5, 5, 5, 3]), "filter": K(w), "out_backprop": normal("vdy2", 2, 2, 2, 2, 3)}
    base("Conv3DBackpropInputV2", sizes, {"strides": [[1, 4, 4, 4, 1]], "dilations": [], "padding": [], "data_format": []}, name="steps",
         strides=[1, 3, 3, 3, 1], padding="SAME")
    moments = {name: K(np.abs(normal(name, 3)) + np.float32(0.5), dtype=np.float32) for name in ("scale", "offset", "mean", "variance")}
    base("FusedBatchNormV3", {"x": square} | moments, {"data_format": ["NCDHW"], "is_training": []}, name="volumes", outputs=(0,), data_format="NDHWC",
         is_training=False, oracle=THROUGH_NDHWC)


def segments():
    x, ids = normal("seg", 6, 3), integers("segids", 6, low=0, high=3)
    for op in ("UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentMin"):
        base(op, {"data": x, "segment_ids": ids, "num_segments": K(4, 3)}, alternatives=[{"segment_ids": ids - 1}, {"data": x[:0], "segment_ids": ids[:0]}])
    rising, others = np.array([0, 0, 1, 3, 3, 3], np.int32), np.array([0, 1, 1, 2, 3, 3], np.int32)
    for op in ("SegmentSum", "SegmentMean", "SegmentMax", "SegmentMin"):
        base(op, {"data": x, "segment_ids": K(rising, others)})
    indices = {"indices": K([0, 2, 2, 5], [1, 2, 3, 4]), "segment_ids": K([0, 0, 1, 2], [0, 1, 1, 3])}
    for op in ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN"):
        base(op, {"data": x} | indices)
        base(op + "WithNumSegments", {"data": x} | indices | {"num_segments": K(5, 4)})


def sequences():
    x = normal("seqs", 3, 5, 2)
    base("ReverseSequence", {"input": x, "seq_lengths": np.array([5, 2, 0], np.int64)}, {"seq_dim": [], "batch_dim": []}, seq_dim=1, batch_dim=0)
    square = {"input": normal("seqsq", 3, 3, 3), "seq_lengths": np.array([3, 2, 1], np.int64)}
    base("ReverseSequence", square, {"seq_dim": [2], "batch_dim": []}, name="axes", seq_dim=1, batch_dim=0)
    base("ReverseSequence", square, {"seq_dim": [], "batch_dim": [1]}, name="batches", seq_dim=2, batch_dim=0)
    x = normal("patches", 2, 7, 8, 3)
    base("ExtractImagePatches", {"images": x}, {"ksizes": [[1, 2, 3, 1]], "strides": [[1, 2, 1, 1]], "rates": [[1, 2, 2, 1]], "padding": ["VALID"]},
         ksizes=[1, 3, 3, 1], strides=[1, 2, 2, 1], rates=[1, 1, 1, 1], padding="SAME", alternatives=[{"images": x[:0]}])


def layouts():
    for op, values in (("DataFormatVecPermute", np.array([1, 7, 8, 3], np.int32)), ("DataFormatDimMap", np.array([0, 1, 3, -1], np.int32))):
        base(op, {"x": values}, {"src_format": ["NCHW"], "dst_format": ["NHWC", "HWNC"]}, src_format="NHWC", dst_format="NCHW")


def others():
    x, y = normal("near", 3, 4), normal("near", 3, 4) + np.float32(0.01)
    base("ApproximateEqual", {"x": x, "y": y}, {"tolerance": [1e-5]}, tolerance=0.02)
    base("AccumulateNV2", {"inputs": [x, y]}, {"shape": []}, shape=[3, 4])
    base("EnsureShape", {"input": x}, {"shape": []}, shape=[None, 4])
    base("GuaranteeConst", {"input": x})
    base("EuclideanNorm", {"input": x, "reduction_indices": K([1], [0], [0, 1], 1)}, keep_dims=False)
    base("ShapeN", {"input": [x, normal("other", 2, 5)]}, out_type=tf.int32)


def bases():
    for family in (volumes, segments, sequences, layouts, others):
        family()
