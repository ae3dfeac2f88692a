"""Base calls of the recurrent cells and layers of TensorFlow 1."""
import numpy as np

from variation import K, base, normal


def weights(features, units):
    shapes = {"w": (features + units, 4 * units), "wci": (units,), "wcf": (units,), "wco": (units,), "b": (4 * units,)}
    return {name: K((normal(name, *shape) * 0.5).astype(np.float32), normal(f"{name} other", *shape)) for name, shape in shapes.items()}


def states(batch, features, units, *steps):
    return {"x": normal("lx", *steps, batch, features), "cs_prev": normal("lc", batch, units), "h_prev": normal("lh", batch, units)}


def bases():
    wide = states(5, 9, 19) | weights(9, 19)
    base("LSTMBlockCell", states(3, 4, 6) | weights(4, 6), {"forget_bias": [0.0, -0.75], "cell_clip": [0.0, -1.0, 0.3]},
         alternatives=[wide, states(1, 4, 6)], use_peephole=True, forget_bias=1.0, cell_clip=0.5)
    fed = {name: k.value for name, k in weights(4, 6).items()}
    base("LSTMBlockCell", states(3, 4, 6) | fed, {"forget_bias": [0.0], "cell_clip": [0.25]}, name="fed", use_peephole=True, forget_bias=1.0, cell_clip=0.5)

    gru = {"x": normal("gx", 3, 4), "h_prev": normal("gh", 3, 6)}
    parts = {"w_ru": (10, 12), "w_c": (10, 6), "b_ru": (12,), "b_c": (6,)}
    constant = {name: K(normal(name, *shape), normal(f"{name} other", *shape)) for name, shape in parts.items()}
    base("GRUBlockCell", gru | constant, alternatives=[{"x": gru["x"][:1], "h_prev": gru["h_prev"][:1]}, {"x": gru["x"][:0], "h_prev": gru["h_prev"][:0]}])
    base("GRUBlockCell", gru | {name: k.value for name, k in constant.items()}, name="fed")

    for op, extra in (("BlockLSTM", {"forget_bias": 1.0}), ("BlockLSTMV2", {})):
        vary = {"forget_bias": [0.0, -0.75], "cell_clip": [0.0, -1.0, 0.3]} if extra else {"cell_clip": [0.0, -1.0, 0.3]}
        inputs = states(3, 4, 6, 5) | weights(4, 6)
        more = [{"seq_len_max": K(np.int64(7)), **states(5, 9, 19, 7), **weights(9, 19)}, states(1, 4, 6, 5), states(0, 4, 6, 5)]
        base(op, {"seq_len_max": K(np.int64(5))} | inputs, vary, alternatives=more, use_peephole=True, cell_clip=0.5, **extra)
        # Of the steps after seq_len_max TensorFlow makes zeros in cs and h alone; the rest is not written.
        base(op, {"seq_len_max": K(np.int64(5), np.int64(3), np.int64(0))} | inputs, name="shorter", outputs=(1, 6), use_peephole=False, cell_clip=0.5, **extra)
