"""Cases of ops that are few other ops: data formats, sequences, patches, shapes."""
import itertools

import numpy as np
import tensorflow as tf

from op_cases import BF16, EXACT, F16, F32, F64, I32, I64, ROUNDED, SPECIAL, case, integers, normal, raw, static, unknown


def shapes_of():
    x = normal("es", (2, 3, 4))
    for dtype in (F32, I32, np.bool_, F16):
        case("GuaranteeConst", np.dtype(dtype).name, lambda t: tf.negative(tf.cast(raw.GuaranteeConst(input=t), tf.float32)), [x.astype(dtype)],
             reference=dtype == F16)
        case("GuaranteeConst", np.dtype(dtype).name + "_unknown", lambda t: tf.negative(tf.cast(raw.GuaranteeConst(input=t), tf.float32)), [x.astype(dtype)],
             unknown(x), reference=dtype == F16)
    for i, (shape, told) in enumerate(itertools.product(([2, 3, 4], [None, 3, 4], [2, None, None], [None] * 3), (static(x), unknown(x), None))):
        case("EnsureShape", f"{i}", lambda t, s=shape: tf.negative(raw.EnsureShape(input=t, shape=s)), [x], told, EXACT)
    e = x[:0]
    for i, (a, shape) in enumerate(((e, [0, 3, 4]), (e, [None, 3, 4]), (x, [2, 3, 4]))):
        case("EnsureShape", f"empty_{i}", lambda t, s=shape: tf.negative(raw.EnsureShape(input=t, shape=s)), [a], [[None, 3, 4]], EXACT)
    case("EnsureShape", "not_empty", lambda t: tf.negative(raw.EnsureShape(input=t, shape=[0, 3, 4])), [x], [[None, 3, 4]], error=True)
    case("EnsureShape", "wrong_batch", lambda t: tf.negative(raw.EnsureShape(input=t, shape=[3, 3, 4])), [x], [[None, 3, 4]], error=True)
    for dtype in (I32, I64, np.bool_, F64, np.uint8, BF16):
        case("EnsureShape", np.dtype(dtype).name, lambda t: tf.reshape(raw.EnsureShape(input=t, shape=[None, 3, 4]), [-1]), [x.astype(dtype)], unknown(x), EXACT,
             reference=True)
    for shape in ([3, 3, 4], [2, 4, 4], [2, 3, 3]):
        case("EnsureShape", f"wrong_{shape[0]}{shape[1]}{shape[2]}", lambda t, s=shape: tf.negative(raw.EnsureShape(input=t, shape=s)), [x], unknown(x), error=True)
    y = normal("sn", (3, 1))
    for to, told in itertools.product((tf.int32, tf.int64), (None, static(x, y), unknown(x, y))):
        name = f"{to.name}_{'batch' if told is None else 'unknown' if told[1][1] is None else 'static'}"
        case("ShapeN", name, lambda a, b, to=to: [s + 1 for s in raw.ShapeN(input=[a, b], out_type=to)], [x, y], told, EXACT)
        case("ShapeN", name + "_reshape", lambda a, b, to=to: tf.reshape(a, raw.ShapeN(input=[a, b], out_type=to)[0]), [x, y], told, EXACT)
    z = normal("an", (4, 5))
    for k, dtype in itertools.product((1, 2, 3, 5), (F32, I32)):
        case("AccumulateNV2", f"{k}_{np.dtype(dtype).name}", lambda *a: raw.AccumulateNV2(inputs=list(a), shape=[4, 5]), [(z * (i + 1)).astype(dtype) for i in range(k)],
             [[4, 5]] * k, 2e-6, oracle=lambda *a: tf.add_n(list(a)))


def data_formats():
    for fmts in (("NHWC", "NCHW"), ("NCHW", "NHWC"), ("NHWC", "HWNC"), ("NDHWC", "NCDHW"), ("NCDHW", "NDHWC")):
        n = len(fmts[0])
        src, dst = fmts
        for dtype in (I32, I64):
            tag = f"{src}_{dst}_{np.dtype(dtype).name}"
            for rows in (n, n - 2):
                case("DataFormatVecPermute", f"{tag}_{rows}", lambda t, f=fmts: raw.DataFormatVecPermute(x=t, src_format=f[0], dst_format=f[1]),
                     [np.arange(rows, dtype=dtype)], [[rows]], EXACT)
                case("DataFormatVecPermute", f"{tag}_{rows}_pairs", lambda t, f=fmts: raw.DataFormatVecPermute(x=t, src_format=f[0], dst_format=f[1]),
                     [np.arange(2 * rows, dtype=dtype).reshape(rows, 2)], [[rows, 2]], EXACT)
            case("DataFormatDimMap", tag, lambda t, f=fmts: raw.DataFormatDimMap(x=t, src_format=f[0], dst_format=f[1]), [np.arange(-n, n, dtype=dtype)], rtol=EXACT)
            case("DataFormatDimMap", tag + "_scalar", lambda t, f=fmts: raw.DataFormatDimMap(x=t, src_format=f[0], dst_format=f[1]), [dtype(-1)], rtol=EXACT)
            case("DataFormatDimMap", tag + "_matrix", lambda t, f=fmts: raw.DataFormatDimMap(x=t, src_format=f[0], dst_format=f[1]),
                 [np.array([[0, 1], [-1, 2]], dtype)], [[None, None]], EXACT)
    x = normal("dfr", (2, 3, 4, 5))
    case("DataFormatVecPermute", "of_a_shape", lambda t: tf.reshape(t, raw.DataFormatVecPermute(x=tf.shape(t))), [x], rtol=EXACT)
    case("DataFormatVecPermute", "of_a_constant", lambda t: tf.reshape(t, raw.DataFormatVecPermute(x=[2, 5, 3, 4])), [x], rtol=EXACT)
    case("DataFormatVecPermute", "unknown", lambda t: raw.DataFormatVecPermute(x=t), [I32([1, 2, 3, 4])], [[None]], refused="shape")
    case("DataFormatVecPermute", "no_permutation", lambda t: raw.DataFormatVecPermute(x=t, src_format="NHWC", dst_format="NCHX"), [I32([1, 2, 3, 4])], [[4]],
         refused="unsupported_attr")
    for op in ("DepthToSpace", "SpaceToDepth"):
        f = getattr(raw, op)
        for block, told in itertools.product((2, 3), (None, "static", "unknown")):
            a = normal(op, (2, 2 * block, 3 * block, 2 * block * block))
            nchw = np.ascontiguousarray(a.transpose(0, 3, 1, 2))
            case(op, f"nchw_{block}_{told}", lambda t, f=f, k=block: f(input=t, block_size=k, data_format="NCHW"), [nchw],
                 {None: None, "static": static(nchw), "unknown": [[None, nchw.shape[1], None, None]]}[told], EXACT,
                 oracle=lambda t, f=f, k=block: tf.transpose(f(input=tf.transpose(t, [0, 2, 3, 1]), block_size=k), [0, 3, 1, 2]))
            case(op, f"nhwc_{block}_{told}", lambda t, f=f, k=block: f(input=t, block_size=k), [a],
                 {None: None, "static": static(a), "unknown": [[None, None, None, a.shape[3]]]}[told], EXACT)


def sequences():
    x = normal("rs", (3, 4, 5, 2))
    for seq, batch in itertools.permutations(range(4), 2):
        lengths = rng_lengths(x.shape[seq], x.shape[batch])
        for dtype in (I32, I64):
            case("ReverseSequence", f"{seq}_{batch}_{np.dtype(dtype).name}", lambda t, n, s=seq, b=batch: raw.ReverseSequence(input=t, seq_lengths=n, seq_dim=s, batch_dim=b),
                 [x, lengths.astype(dtype)], None if dtype == I32 else unknown(x, lengths), EXACT, reference=True)
    for dtype in (np.bool_, I32, F16, F64, np.uint8, I64):
        case("ReverseSequence", np.dtype(dtype).name, lambda t, n: raw.ReverseSequence(input=t, seq_lengths=n, seq_dim=1), [x.astype(dtype), I32([4, 0, 2])], rtol=EXACT,
             reference=True)
    case("ReverseSequence", "static", lambda t, n: raw.ReverseSequence(input=t, seq_lengths=n, seq_dim=1), [x, I32([4, 0, 2])], static(x, np.zeros(3)), EXACT, reference=True)
    case("ReverseSequence", "constant_lengths", lambda t: raw.ReverseSequence(input=t, seq_lengths=[4, 0, 2], seq_dim=1), [x], static(x), EXACT, reference=True)
    case("ReverseSequence", "empty", lambda t, n: raw.ReverseSequence(input=t, seq_lengths=n, seq_dim=1), [x[:0], I32([])], rtol=EXACT, reference=True)
    case("ReverseSequence", "large", lambda t, n: raw.ReverseSequence(input=t, seq_lengths=n, seq_dim=1), [normal("rsl", (32, 100, 64)), integers("rsn", (32,), I32, 0, 101)],
         rtol=EXACT, reference=True)
    for name, lengths in (("too_long", [4, 5, 1]), ("negative", [4, -1, 1]), ("lowest", [4, -2**31, 1])):
        case("ReverseSequence", name, lambda t, n: raw.ReverseSequence(input=t, seq_lengths=n, seq_dim=1), [x, I32(lengths)], error=True)


def rng_lengths(extent, batch):
    return np.array([(7 * i + 2) % (extent + 1) for i in range(batch)])


def patches():
    op = "ExtractImagePatches"

    def make(name, x, k, s, r, padding, shapes=None, refused=""):
        case(op, name, lambda t: raw.ExtractImagePatches(images=t, ksizes=[1, *k, 1], strides=[1, *s, 1], rates=[1, *r, 1], padding=padding), [x], shapes, EXACT,
             refused=refused, reference=x.dtype not in (F32, I32, I64))
    x = normal("pa", (2, 7, 6, 3))
    for (k, s, r), padding in itertools.product((((1, 1), (1, 1), (1, 1)), ((2, 2), (1, 1), (1, 1)), ((3, 3), (2, 2), (1, 1)), ((3, 2), (1, 3), (1, 2)), ((2, 3), (4, 1), (2, 2)),
                                                 ((1, 1), (2, 3), (1, 1)), ((2, 2), (2, 2), (1, 1))), ("SAME", "VALID")):
        make(f"k{k[0]}{k[1]}_s{s[0]}{s[1]}_r{r[0]}{r[1]}_{padding}", x, k, s, r, padding)
    make("static", x, (3, 3), (1, 1), (1, 1), "SAME", static(x))
    make("unknown_channels", x, (3, 3), (1, 1), (1, 1), "SAME", [[None, 7, 6, None]])
    make("empty_batch", x[:0], (3, 3), (1, 1), (1, 1), "SAME")
    for padding in ("SAME", "VALID"):
        make(f"tiles_{padding}", x, (3, 2), (3, 2), (1, 1), padding)
        make(f"tiles_unknown_channels_{padding}", x, (2, 4), (2, 4), (1, 1), padding, [[None, 7, 6, None]])
        make(f"tiles_int_{padding}", integers("pti", (2, 8, 6, 3)), (4, 3), (4, 3), (1, 1), padding)
    make("tiles_beyond", x[:, :1], (2, 2), (2, 2), (1, 1), "VALID", [[None, None, None, 3]], refused="shape")
    make("large", normal("pal", (2, 40, 40, 8)), (4, 4), (4, 4), (1, 1), "VALID")
    for dtype in (F64, F16, BF16, I32, I64, np.uint8):
        make(np.dtype(dtype).name, integers("pat", (2, 7, 6, 3), dtype), (3, 2), (2, 2), (1, 1), "SAME")
    make("unknown", x, (3, 3), (1, 1), (1, 1), "SAME", unknown(x), refused="shape")
    make("huge", x, (17, 16), (1, 1), (1, 1), "SAME", refused="unsupported_attr")


def comparing():
    a = normal("ae", (4, 5))
    for i, (tolerance, dtype) in enumerate(itertools.product((1e-5, 0.1, 0.0, 2.0, -1.0), (F32, F64))):
        b = a + normal("ad", (4, 5)) * F32(0.1)
        b[0] = a[0]
        case("ApproximateEqual", f"{i}_{np.dtype(dtype).name}", lambda x, y, t=tolerance: raw.ApproximateEqual(x=x, y=y, tolerance=t), [a.astype(dtype), b.astype(dtype)],
             static(a, b), EXACT, reference=dtype != F32)
    u, v = np.meshgrid(SPECIAL, SPECIAL)
    for tolerance in (1.0, 0.5, 0.1):  # true at the tolerance itself
        for dtype in (F32, F64):
            p, q = np.array([1, 1, 1, -2], dtype), np.array([2, 1.5, 1.1, -2 - tolerance], dtype)
            case("ApproximateEqual", f"at_{tolerance}_{np.dtype(dtype).name}", lambda x, y, t=tolerance: raw.ApproximateEqual(x=x, y=y, tolerance=t), [p, q], static(p, q),
                 EXACT, reference=dtype != F32)
    case("ApproximateEqual", "special", lambda x, y: raw.ApproximateEqual(x=x, y=y), [u, v], static(u, v), EXACT)
    case("ApproximateEqual", "of_itself", lambda x: raw.ApproximateEqual(x=x, y=x), [u], unknown(u), EXACT)
    case("ApproximateEqual", "half_known", lambda x, y: raw.ApproximateEqual(x=x, y=y), [u, v], refused="shape")


def arithmetic():
    x = normal("en", (3, 4, 5))
    for axes, keep in itertools.product(([0], [1], [-1], [0, 2], [0, 1, 2], []), (False, True)):
        name = f"{'_'.join(map(str, axes)) or 'none'}_{keep:d}".replace("-", "m")
        case("EuclideanNorm", name, lambda t, a=axes, k=keep: raw.EuclideanNorm(input=t, axis=np.array(a, I32), keep_dims=k), [x])
    for dtype in (F64, F16, BF16):
        case("EuclideanNorm", np.dtype(dtype).name, lambda t: raw.EuclideanNorm(input=t, axis=np.int64(1)), [x.astype(dtype)], rtol=ROUNDED[dtype], reference=True)
    for name, a in (("special", SPECIAL), ("large_numbers", F32([1e30, 1e30])), ("empty", x[:0, 0, 0]), ("wide", normal("enw", (40000,)))):
        case("EuclideanNorm", name, lambda t: raw.EuclideanNorm(input=t, axis=[0]), [a])
    case("EuclideanNorm", "unknown", lambda t: raw.EuclideanNorm(input=t, axis=[1]), [x], unknown(x))
    case("EuclideanNorm", "fed_axis", lambda t, a: raw.EuclideanNorm(input=t, axis=a), [x, I32([1])], refused="shape")
    case("EuclideanNorm", "int32", lambda t: raw.EuclideanNorm(input=t, axis=[1]), [x.astype(I32)], refused="dtype")


FAMILIES = (shapes_of, data_formats, sequences, patches, comparing, arithmetic)


def cases():
    for family in FAMILIES:
        family()
