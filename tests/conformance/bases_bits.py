"""Base calls of bitwise ops, reinterpretation, counting, Bessel functions and quantized dtypes."""
import numpy as np
import tensorflow as tf

from variation import K, base, integers, normal


def bases():
    x, y = integers("bits", 3, 5, low=0, high=100), integers("bitsy", 3, 5, low=0, high=100)
    more = [{"y": y[:1]}, {"x": x[:, :1]}, {"y": y[0]}, {"x": x[:0], "y": y[:0]}]
    for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        base(op, {"x": x, "y": y}, alternatives=more)
    for op in ("LeftShift", "RightShift"):
        base(op, {"x": x, "y": integers("by", 3, 5, low=0, high=40)}, alternatives=[{"y": np.array([[-1, 0, 7, 31, 64]], np.int32)}])
    base("PopulationCount", {"x": x}, alternatives=[{"x": x[:0]}, {"x": x[0, 0]}])
    base("Bitcast", {"input": normal("cast", 2, 3, 8)}, {"type": [tf.as_dtype(t) for t in (
        np.float64, np.float16, tf.bfloat16.as_numpy_dtype, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)]},
        type=tf.float32)
    base("Bitcast", {"input": normal("wide", 2, 3, 2)}, {"type": [tf.int64, tf.uint64]}, name="wider", type=tf.float64)
    for op in ("BesselI0", "BesselI0e", "BesselI1", "BesselI1e"):
        base(op, {"x": normal(op, 3, 5) * 3}, alternatives=[{"x": normal(op, 0, 2)}, {"x": np.array([np.nan, 0, -0.0, 50, -50], np.float32)}])
    counted = integers("counted", 9, low=0, high=5)
    weights = normal("weights", 9)
    base("Bincount", {"arr": counted, "size": K(6, 3), "weights": K(np.zeros(0, np.float32))})
    base("Bincount", {"arr": counted, "size": K(6), "weights": weights}, name="weighted")
    base("DenseBincount", {"input": counted, "size": K(6, 3), "weights": K(np.zeros(0, np.float32))}, binary_output=False)
    base("DenseBincount", {"input": counted.reshape(3, 3), "size": K(6, 3), "weights": weights.reshape(3, 3)}, name="rows", binary_output=False)
