"""LSTMBlockCell, GRUBlockCell, BlockLSTM and BlockLSTMV2."""
import numpy as np
import tensorflow as tf

from op_cases import F16, F32, case, normal, raw, static, unknown


def lstm_weights(features, units, dtype=F32, scale=0.4):
    sizes = ((features + units, 4 * units), (units,), (units,), (units,), (4 * units,))
    return [(normal(f"lw{i}", s) * scale).astype(dtype) for i, s in enumerate(sizes)]


def lstm(op, name, steps, batch, features, units, shapes=None, only=None, weights_fed=False, seq=None, dtype=F32, **how):
    """seq: seq_len_max, default all steps."""
    attrs = how.pop("attrs", {})
    x = normal("lx", (batch, features) if steps is None else (steps, batch, features), dtype)
    cs, h = normal("lc", (batch, units), dtype), normal("lh", (batch, units), dtype)
    weights = lstm_weights(features, units, dtype)
    fed = [x, cs, h, *(weights if weights_fed else [])]

    def build(x, cs, h, *w):
        w, wci, wcf, wco, b = w or [tf.constant(a) for a in weights]
        operands = dict(x=x, cs_prev=cs, h_prev=h, w=w, wci=wci, wcf=wcf, wco=wco, b=b, **attrs)
        if steps is not None:
            n = tf.shape(x, out_type=tf.int64)[0] if seq == "shape" else tf.constant(steps if seq is None else seq, tf.int64)
            operands["seq_len_max"] = n
        made = getattr(raw, op)(**operands)
        return made if only is None else tf.identity(made[only])

    case(op, name, build, fed, shapes(*fed) if shapes else [list(a.shape) for a in fed], reference=dtype == F16, rtol=4e-3 if dtype == F16 else 1e-5, **how)


def cells():
    op = "LSTMBlockCell"
    for units, features, batch in ((8, 4, 2), (1, 1, 1), (19, 33, 3), (128, 64, 1), (16, 16, 40)):
        lstm(op, f"{units}_{features}_{batch}", None, batch, features, units)
    for i, name in enumerate(("i", "cs", "f", "o", "ci", "co", "h")):
        lstm(op, f"only_{name}", None, 2, 4, 8, only=i)
    for peephole in (False, True):
        for clip in (-1.0, 0.0, 0.2, 3.0):
            for forget in (0.0, 1.0, -0.5):
                lstm(op, f"{peephole:d}_{clip}_{forget}".replace("-", "m"), None, 2, 4, 8,
                     attrs=dict(use_peephole=peephole, cell_clip=clip, forget_bias=forget))
    lstm(op, "unknown_batch", None, 3, 4, 8, shapes=lambda x, c, h: [[None, 4], [None, 8], [None, 8]])
    lstm(op, "unknown_units", None, 3, 4, 8, shapes=unknown, refused="shape")
    lstm(op, "weights_fed", None, 3, 4, 8, weights_fed=True)
    lstm(op, "float16", None, 3, 4, 8, dtype=F16)

    op = "GRUBlockCell"

    def gru(name, batch, features, units, shapes=static, only=None, weights_fed=False, special=False, **how):
        x, h = normal("gx", (batch, features)), normal("gh", (batch, units))
        if special:
            x[0, 0], h[1, 1] = np.nan, np.inf
        weights = [normal(f"gw{i}", s) * F32(0.4) for i, s in enumerate(((features + units, 2 * units), (features + units, units), (2 * units,), (units,)))]
        fed = [x, h, *(weights if weights_fed else [])]

        def build(x, h, *w):
            w_ru, w_c, b_ru, b_c = w or [tf.constant(a) for a in weights]
            made = raw.GRUBlockCell(x=x, h_prev=h, w_ru=w_ru, w_c=w_c, b_ru=b_ru, b_c=b_c)
            return made if only is None else tf.identity(made[only])

        case(op, name, build, fed, shapes(*fed), **how)

    for units, features, batch in ((8, 4, 2), (1, 1, 1), (19, 33, 3), (128, 64, 1), (16, 16, 40), (3, 5, 7), (64, 32, 8), (33, 7, 2)):
        gru(f"{units}_{features}_{batch}", batch, features, units)
    for i, name in enumerate("ruch"):
        gru(f"only_{name}", 2, 4, 8, only=i)
    for batch in (1, 4, 9):
        gru(f"unknown_batch_{batch}", batch, 4, 8, shapes=lambda *a: [[None, 4], [None, 8]])
    gru("unknown", 2, 4, 8, shapes=unknown, refused="shape")
    gru("weights_fed", 2, 4, 8, weights_fed=True)
    gru("weights_fed_one", 1, 4, 8, weights_fed=True)
    gru("empty_batch", 0, 4, 8)
    gru("special", 3, 4, 8, special=True)


def blocks():
    for op in ("BlockLSTM", "BlockLSTMV2"):
        own = {"forget_bias": 1.0} if op == "BlockLSTM" else {}
        for steps, units, features, batch in ((5, 8, 4, 2), (1, 1, 1, 1), (7, 19, 33, 3), (20, 128, 64, 1), (3, 16, 16, 40)):
            lstm(op, f"{steps}_{units}_{features}_{batch}", steps, batch, features, units, attrs=own)
        for i, name in enumerate(("i", "cs", "f", "o", "ci", "co", "h")):
            lstm(op, f"only_{name}", 5, 2, 4, 8, only=i, attrs=own)
        for peephole in (False, True):
            for clip in (-1.0, 0.0, 0.2, 3.0):
                lstm(op, f"{peephole:d}_{clip}".replace("-", "m"), 5, 2, 4, 8, attrs=dict(own, use_peephole=peephole, cell_clip=clip))
        if own:
            for forget in (0.0, -0.5):
                lstm(op, f"forget_{forget}".replace("-", "m"), 5, 2, 4, 8, attrs={"forget_bias": forget})
        lstm(op, "default", 5, 2, 4, 8)
        for seq in (0, 1, 4, 5):
            # Of the steps after seq_len_max TensorFlow makes zeros in cs and h alone; the rest is not written.
            for only in (1, 6):
                lstm(op, f"seq_{seq}_{only}", 5, 2, 4, 8, seq=seq, only=only)
        lstm(op, "seq_of_shape", 5, 2, 4, 8, seq="shape", shapes=lambda x, c, h: [[None, None, 4], [None, 8], [None, 8]])
        lstm(op, "seq_unknown_steps", 5, 2, 4, 8, shapes=lambda x, c, h: [[None, None, 4], [None, 8], [None, 8]], refused="shape")
        for seq in (6, -1):  # TensorFlow aborts the process
            lstm(op, f"seq_{seq}".replace("-", "m"), 5, 2, 4, 8, seq=seq, refused="shape")
        lstm(op, "empty_batch", 5, 0, 4, 8)
        lstm(op, "no_steps", 0, 2, 4, 8)
        lstm(op, "unknown_batch", 5, 3, 4, 8, shapes=lambda x, c, h: [[5, None, 4], [None, 8], [None, 8]])
        lstm(op, "weights_fed", 5, 3, 4, 8, weights_fed=True)
        lstm(op, "float16", 5, 3, 4, 8, dtype=F16)
        lstm(op, "only_h_is_one_layer", 5, 3, 4, 8, only=6, attrs=dict(own, use_peephole=False), layers="matmul recurrent")


FAMILIES = (cells, blocks)


def cases():
    for family in FAMILIES:
        family()
