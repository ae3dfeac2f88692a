"""Cases of ops on volumes: convolutions, transposed convolutions, pools, normalization and bias."""
import itertools

import numpy as np
import tensorflow as tf

from op_cases import BF16, EXACT, F16, F32, F64, I32, I64, ROUNDED, case, integers, normal, raw, static, unknown


def first(x):
    """NDHWC to NCDHW."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def list5(d, fmt):
    return [1, *d, 1] if fmt == "NDHWC" else [1, 1, *d]


def conv():
    def make(name, src, k, out, s=(1, 1, 1), padding="SAME", d=(1, 1, 1), shapes=None, dtype=F32, fmt="NDHWC", layers="", error=False, fed=False):
        x, filt = normal("c3" + name, src, dtype), normal("c3w" + name, (*k, src[-1], out), dtype)

        def build(a, w=filt):
            return raw.Conv3D(input=a, filter=w, strides=list5(s, fmt), padding=padding, data_format=fmt, dilations=list5(d, fmt))

        def oracle(a):  # TensorFlow's CPU kernel takes NDHWC and no dilations: zeros between the taps
            wide = np.zeros([*((k[i] - 1) * d[i] + 1 for i in range(3)), *filt.shape[3:]], dtype)
            wide[::d[0], ::d[1], ::d[2]] = filt
            a = tf.transpose(a, [0, 2, 3, 4, 1]) if fmt == "NCDHW" else a
            y = raw.Conv3D(input=a, filter=wide, strides=[1, *s, 1], padding=padding)
            return tf.transpose(y, [0, 4, 1, 2, 3]) if fmt == "NCDHW" else y
        inputs = [first(x) if fmt == "NCDHW" else x] + ([filt] if fed else [])
        plain = fmt == "NDHWC" and d == (1, 1, 1)
        case("Conv3D", name, build, inputs, shapes, ROUNDED[dtype], reference=dtype != F32 or fed, layers=layers, error=error, oracle=None if plain else oracle)

    everything = [[None, None, None, None, 3]]
    src = (2, 5, 7, 6, 3)
    for padding, s in itertools.product(("SAME", "VALID"), ((1, 1, 1), (2, 2, 2), (2, 1, 1), (1, 2, 3), (3, 1, 2))):
        name = f"{padding}_{s[0]}{s[1]}{s[2]}"
        make(name, src, (3, 3, 3), 4, s, padding)
        make(name + "_unknown", src, (3, 3, 3), 4, s, padding, shapes=everything)
    for depth, s in itertools.product((4, 5, 6, 7), (2, 3)):
        make(f"depth_{depth}_{s}_unknown", (1, depth, 4, 4, 3), (4, 3, 3), 2, (s, 1, 1), shapes=everything)
    make("static", src, (3, 3, 3), 4, shapes=[list(src)])
    for k in ((1, 1, 1), (1, 3, 3), (3, 1, 1), (2, 3, 1), (2, 2, 2), (5, 1, 3), (4, 2, 3)):
        for padding in ("SAME", "VALID"):
            make(f"k{k[0]}{k[1]}{k[2]}_{padding}", src, k, 4, padding=padding)
    make("one_depth_strided", src, (1, 1, 1), 4, (2, 2, 2))
    make("one_depth_strided_unknown", src, (1, 1, 1), 4, (3, 1, 1), shapes=everything)
    make("column_strided", src, (3, 1, 1), 4, (2, 1, 1))
    make("column_strided_unknown", src, (3, 1, 1), 4, (2, 1, 1), shapes=everything)
    make("column_of_strided_images", src, (3, 1, 1), 4, (1, 2, 2))
    make("column_layers", (2, 6, 5, 4, 8), (3, 1, 1), 8, layers="reshape conv reshape", shapes=[[2, 6, 5, 4, 8]])
    make("column_dilated", (1, 9, 4, 4, 3), (3, 1, 1), 4, d=(2, 1, 1))
    make("deeper_than_volume_same", (1, 2, 4, 4, 3), (5, 3, 3), 4)
    make("deeper_than_volume_valid_empty", (1, 3, 4, 4, 3), (4, 3, 3), 4, (2, 1, 1), "VALID", shapes=everything)
    make("deeper_than_volume_valid", (1, 2, 4, 4, 3), (4, 3, 3), 4, padding="VALID", shapes=everything, error=True)
    make("much_deeper_than_volume_valid", (1, 2, 4, 4, 3), (7, 3, 3), 4, padding="VALID", shapes=everything, error=True)
    make("column_deeper_than_volume_valid", (1, 2, 4, 4, 3), (4, 1, 1), 4, padding="VALID", shapes=everything, error=True)
    make("higher_than_volume_valid", (1, 4, 1, 4, 3), (2, 3, 3), 4, padding="VALID", shapes=everything, error=True)
    for d in ((2, 1, 1), (1, 2, 1), (1, 1, 3), (2, 3, 2)):
        for padding in ("SAME", "VALID"):
            make(f"dilated_{d[0]}{d[1]}{d[2]}_{padding}", (1, 7, 9, 8, 3), (3, 3, 3), 4, d=d, padding=padding)
    make("dilated_unknown", (1, 7, 9, 8, 3), (3, 3, 3), 4, d=(2, 2, 2), shapes=everything)
    for padding in ("SAME", "VALID"):
        make(f"ncdhw_{padding}", src, (3, 2, 3), 4, (2, 1, 2), padding, fmt="NCDHW")
    make("ncdhw_dilated", (1, 7, 9, 8, 3), (3, 3, 3), 4, d=(1, 2, 2), fmt="NCDHW")
    make("ncdhw_column", src, (3, 1, 1), 4, fmt="NCDHW")
    for dtype in (F64, F16, BF16):
        make(np.dtype(dtype).name, src, (3, 3, 3), 4, dtype=dtype)
    make("empty_batch", (0, 5, 7, 6, 3), (3, 3, 3), 4)
    make("empty_depth", (2, 0, 7, 6, 3), (3, 3, 3), 4, shapes=everything)
    make("fed_filter", src, (3, 2, 3), 4, shapes=[[None, 5, 7, 6, 3], [3, 2, 3, 3, 4]], fed=True)
    make("fed_filter_column", src, (3, 1, 1), 4, shapes=[[None, 5, 7, 6, 3], [3, 1, 1, 3, 4]], fed=True)
    make("many_channels", (1, 6, 8, 8, 32), (3, 3, 3), 48)
    x = normal("c3nan", (1, 4, 5, 5, 2))
    x[0, 2, 2, 2, 0], x[0, 1, 4, 4, 1] = np.nan, np.inf
    case("Conv3D", "nan_and_infinite", lambda a: raw.Conv3D(input=a, filter=np.ones((3, 3, 3, 2, 3), F32), strides=[1] * 5, padding="SAME"), [x])
    x = integers("c3i", (2, 4, 5, 5, 3), F32, -4, 5)
    case("Conv3D", "exact", lambda a: raw.Conv3D(input=a, filter=integers("c3iw", (3, 3, 3, 3, 5), F32, -4, 5), strides=[1, 2, 1, 2, 1], padding="SAME"), [x],
         rtol=EXACT)
    x, w = normal("c3n", (2, 5, 7, 6, 3)), normal("c3nw", (3, 3, 3, 3, 4))

    def net(a):
        y = tf.nn.relu(tf.nn.bias_add(raw.Conv3D(input=a, filter=w, strides=[1] * 5, padding="SAME"), tf.constant([0.5, -1, 2, 3], F32)))
        z = raw.Conv3D(input=y, filter=normal("c3nv", (1, 1, 1, 4, 4)), strides=[1] * 5, padding="SAME")
        return tf.nn.relu(y + z * tf.constant([1, 2, -1, 0.5], F32))
    case("Conv3D", "network", net, [x])
    case("Conv3D", "network_unknown", net, [x], everything)
    ones = [1, 1, 1, 1, 1]
    case("Conv3D", "grouped", lambda a: raw.Conv3D(input=a, filter=normal("c3g", (3, 3, 3, 1, 6)), strides=ones, padding="SAME"), [x], static(x), refused="unsupported_value")
    case("Conv3D", "too_deep", lambda a: raw.Conv3D(input=a, filter=normal("c3d", (33, 2, 1, 3, 2)), strides=ones, padding="SAME"), [x], refused="unsupported_value")
    case("Conv3D", "deep_column", lambda a: raw.Conv3D(input=a, filter=normal("c3d", (33, 1, 1, 3, 2)), strides=ones, padding="SAME"), [x])
    case("Conv3D", "unknown_channels", lambda a: raw.Conv3D(input=a, filter=w, strides=ones, padding="SAME"), [x], unknown(x), refused="shape")
    case("Conv3D", "unknown_filter", lambda a, f: raw.Conv3D(input=a, filter=f, strides=ones, padding="SAME"), [x, w], [[None, 5, 7, 6, 3], [None] * 5],
         refused="shape")


def transposed():
    op = "Conv3DBackpropInputV2"

    def make(name, k, s, padding, src, channels, shapes=None, dtype=F32, fmt="NDHWC", extra=(0, 0, 0), dynamic=False, sizes=I32, refused=""):
        """src [N, D, H, W, C] is out_backprop; the result has `extra` more rows than the least."""
        same = padding == "SAME"
        size = [src[i + 1] * s[i] + extra[i] if same else (src[i + 1] - 1) * s[i] + k[i] + extra[i] for i in range(3)]
        x, filt = normal(name, src, dtype), normal(name + "w", (*k, channels, src[-1]), dtype)
        full = [src[0], *size, channels] if fmt == "NDHWC" else [src[0], channels, *size]

        def build(dy):
            to = np.array(full, sizes)
            if dynamic:  # as Keras writes it: extents from Shape, times the stride
                shape = tf.shape(dy)
                to = tf.stack([shape[0], *(shape[i + 1] * s[i] + size[i] - src[i + 1] * s[i] for i in range(3)), channels])
            return raw.Conv3DBackpropInputV2(input_sizes=to, filter=tf.constant(filt), out_backprop=dy, strides=list5(s, fmt), padding=padding, data_format=fmt)

        def oracle(dy):  # TensorFlow's CPU kernel is NDHWC only
            y = raw.Conv3DBackpropInputV2(input_sizes=[src[0], *size, channels], filter=tf.constant(filt), out_backprop=tf.transpose(dy, [0, 2, 3, 4, 1]),
                                          strides=[1, *s, 1], padding=padding)
            return tf.transpose(y, [0, 4, 1, 2, 3])
        case(op, name, build, [first(x) if fmt == "NCDHW" else x], shapes, ROUNDED[dtype], refused=refused, reference=dtype != F32,
             oracle=oracle if fmt == "NCDHW" else None)

    src = (2, 3, 5, 4, 3)
    for k, s in ((2, 2), (3, 2), (4, 2), (3, 1), (5, 3), (1, 2), (1, 1)):
        for padding in ("SAME", "VALID"):
            make(f"k{k}_s{s}_{padding}", (k, k, k), (s, s, s), padding, src, 4)
    make("unequal", (3, 4, 2), (2, 1, 3), "SAME", src, 4)
    make("unequal_valid", (2, 3, 4), (3, 2, 1), "VALID", src, 4)
    make("depth_only", (3, 1, 1), (2, 1, 1), "SAME", src, 4)
    make("images_only", (1, 3, 3), (1, 2, 2), "SAME", src, 4)
    make("odd_same", (3, 3, 3), (2, 2, 2), "SAME", src, 4, extra=(-1, 0, -1))
    make("valid_more", (3, 3, 3), (2, 2, 2), "VALID", src, 4, extra=(1, 0, 1))
    make("dynamic_batch", (3, 3, 3), (2, 2, 2), "SAME", src, 4, dynamic=True)
    make("dynamic_all", (3, 3, 3), (2, 2, 2), "SAME", src, 4, shapes=[[None, None, None, None, 3]], dynamic=True)
    make("dynamic_valid", (3, 2, 3), (2, 2, 1), "VALID", src, 4, shapes=[[None, None, None, None, 3]], dynamic=True)
    make("static", (3, 3, 3), (2, 2, 2), "SAME", src, 4, shapes=[list(src)])
    make("int64_sizes", (3, 3, 3), (2, 2, 2), "SAME", src, 4, sizes=I64)
    for dtype in (F64, F16, BF16):
        make(np.dtype(dtype).name, (3, 3, 3), (2, 2, 2), "SAME", src, 4, dtype=dtype)
    make("empty_batch", (3, 3, 3), (2, 2, 2), "SAME", (0, 3, 5, 4, 3), 4)
    make("ncdhw", (3, 3, 3), (2, 2, 2), "SAME", src, 4, fmt="NCDHW")
    make("ncdhw_valid", (2, 3, 4), (3, 2, 1), "VALID", src, 4, fmt="NCDHW")
    make("phase_by_phase", (3, 3, 3), (2, 2, 2), "SAME", (1, 3, 4, 4, 32), 32)
    make("unknown_depth", (3, 3, 3), (2, 2, 2), "SAME", src, 4, shapes=[[None, None, 5, 4, 3]], refused="shape")
    x, filt = normal("t3d", (1, 3, 3, 3, 3)), normal("t3dw", (3, 3, 3, 4, 3))
    case(op, "dilated", lambda dy: raw.Conv3DBackpropInputV2(
        input_sizes=[1, 7, 5, 5, 4], filter=filt, out_backprop=dy, strides=[1] * 5, padding="VALID", dilations=[1, 2, 1, 1, 1]), [x], refused="unsupported_attr")


def pools():
    for op in ("MaxPool3D", "AvgPool3D"):
        f = getattr(raw, op)

        def make(name, x, k, s, padding, shapes=None, fmt="NDHWC", error=False, op=op, f=f):
            dtype = x.dtype.type

            def build(a):
                return f(input=a, ksize=list5(k, fmt), strides=list5(s, fmt), padding=padding, data_format=fmt)

            def oracle(a):
                return tf.transpose(f(input=tf.transpose(a, [0, 2, 3, 4, 1]), ksize=[1, *k, 1], strides=[1, *s, 1], padding=padding), [0, 4, 1, 2, 3])
            case(op, name, build, [first(x) if fmt == "NCDHW" else x], shapes, EXACT if op == "MaxPool3D" else ROUNDED[dtype], reference=dtype != F32, error=error,
                 oracle=oracle if fmt == "NCDHW" else None)
        x = normal(op, (2, 5, 7, 6, 3))
        for (k, s), padding in itertools.product((((2, 2, 2), (2, 2, 2)), ((3, 3, 3), (2, 2, 2)), ((3, 3, 3), (1, 1, 1)), ((2, 3, 1), (1, 2, 1)), ((1, 2, 2), (1, 2, 2)),
                                                  ((2, 1, 1), (2, 1, 1)), ((1, 1, 1), (2, 3, 2))), ("SAME", "VALID")):
            name = f"k{''.join(map(str, k))}_s{''.join(map(str, s))}_{padding}"
            make(name, x, k, s, padding)
            make(name + "_unknown", x, k, s, padding, unknown(x))
        make("identity", x, (1, 1, 1), (1, 1, 1), "VALID")
        make("static", x, (2, 2, 2), (2, 2, 2), "VALID", static(x))
        make("wider_than_volume_same", x, (7, 9, 8), (1, 2, 3), "SAME")
        make("deeper_than_volume_empty", x, (6, 1, 1), (1, 1, 1), "VALID", unknown(x))
        make("deeper_than_volume", x, (7, 1, 1), (1, 1, 1), "VALID", unknown(x), error=True)
        make("higher_than_volume", x, (1, 9, 1), (1, 1, 1), "VALID", unknown(x), error=True)
        make("bfloat16", x.astype(BF16), (2, 2, 2), (2, 2, 2), "SAME")
        make("empty_batch", x[:0], (2, 2, 2), (2, 2, 2), "SAME")
        make("ncdhw", x, (2, 3, 1), (1, 2, 1), "SAME", fmt="NCDHW")
        make("ncdhw_valid", x, (2, 2, 2), (2, 2, 2), "VALID", fmt="NCDHW")
        make("negative", -np.abs(x), (3, 3, 3), (2, 2, 2), "SAME")
        make("large", normal(op + "l", (1, 16, 24, 24, 16)), (2, 2, 2), (2, 2, 2), "VALID")
        special = x.copy()
        special[0, 1, 2, 3, 0], special[1, 4, 6, 5, 1], special[1, 0, 0, 0, 2] = np.inf, np.inf, -np.inf
        if op == "AvgPool3D":
            special[0, 4, 4, 4, 1] = np.nan
        make("special", special, (3, 3, 3), (2, 2, 2), "SAME")
        case(op, "channels", lambda a, f=f: f(input=a, ksize=[1, 1, 1, 1, 3], strides=[1, 1, 1, 1, 3], padding="VALID"), [x], refused="unsupported_attr")


def norm_and_bias():
    x = normal("bn3", (2, 3, 4, 5, 6))
    c = [np.abs(normal(f"bn3{i}", (6,))) + F32(0.1) for i in range(4)]

    def bn(a, p=c, fmt="NDHWC", **k):
        return raw.FusedBatchNormV3(x=a, scale=p[0], offset=p[1], mean=p[2], variance=p[3], is_training=False, data_format=fmt, **k)[0]
    op = "FusedBatchNormV3"
    for fmt in ("NDHWC", "NCDHW"):
        a = x if fmt[-1] == "C" else first(x)
        case(op, "volume_" + fmt, lambda t, f=fmt: bn(t, fmt=f), [a])
        case(op, "volume_static_" + fmt, lambda t, f=fmt: bn(t, fmt=f), [a], static(a))
    case(op, "volume_unknown", bn, [x], [[None, None, None, None, 6]])
    case(op, "volume_epsilon", lambda t: bn(t, epsilon=0.3), [x])
    case(op, "volume_fed_statistics", lambda t, m, v: bn(t, [c[0], c[1], m, v]), [x, c[2], c[3]], [[None, 3, 4, 5, 6], [6], [6]])
    case(op, "volume_empty", bn, [x[:0]])
    case(op, "volume_training", lambda t: raw.FusedBatchNormV3(x=t, scale=c[0], offset=c[1], mean=c[2], variance=c[3], is_training=True, data_format="NDHWC")[0],
         [x], refused="unsupported_attr")
    b = normal("b3", (6,))
    for dtype in (F32, F64, F16):
        name = np.dtype(dtype).name
        case("BiasAdd", "volume_" + name, lambda t, d=dtype: raw.BiasAdd(value=t, bias=b.astype(d)), [x.astype(dtype)], rtol=ROUNDED[dtype], reference=dtype != F32)
        case("BiasAdd", "volume_nchw_" + name, lambda t, d=dtype: raw.BiasAdd(value=t, bias=b.astype(d), data_format="NCHW"), [first(x).astype(dtype)],
             rtol=ROUNDED[dtype], reference=dtype != F32)
    case("BiasAdd", "volume_unknown", lambda t: raw.BiasAdd(value=t, bias=b), [x], unknown(x))
    case("BiasAdd", "volume_nchw_unknown", lambda t: raw.BiasAdd(value=t, bias=b, data_format="NCHW"), [first(x)], unknown(x))


FAMILIES = (conv, transposed, pools, norm_and_bias)


def cases():
    for family in FAMILIES:
        family()
