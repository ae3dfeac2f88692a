"""Cases of segment ops: sums, means and extremes of rows by their ids."""
import numpy as np
import tensorflow as tf

from op_cases import BF16, EXACT, F16, F32, F64, I32, I64, ROUNDED, case, integers, normal, raw, static, unknown


def unsorted():
    x = normal("us", (7, 3, 2))
    ids = I32([2, 0, -1, 2, 4, 0, -5])
    for op in ("UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentMin"):
        f = getattr(raw, op)

        def build(d, i, f=f, k=5):
            return f(data=d, segment_ids=i, num_segments=k)
        for dtype in (F32, F64, F16, BF16, I32, np.int8, np.uint8, np.int16):
            case(op, np.dtype(dtype).name, build, [integers(op, (7, 3), dtype), ids], rtol=EXACT, reference=dtype not in (F32, F64, I32, I64))
        case(op, "int64_ids", lambda d, i, f=f: f(data=d, segment_ids=i, num_segments=np.int64(5)), [x, ids.astype(I64)], rtol=2e-6)
        case(op, "unknown", build, [x, ids], unknown(x, ids), rtol=2e-6)
        case(op, "static", build, [x, ids], static(x, ids), rtol=2e-6)
        case(op, "vector", build, [x[:, 0, 0], ids], rtol=2e-6)
        case(op, "constant_ids", lambda d, f=f: f(data=d, segment_ids=ids, num_segments=6), [x], static(x), rtol=2e-6)
        case(op, "matrix_of_ids", build, [x, I32([[0, 1, -1], [2, 2, 4]] * 3 + [[3, 3, 3]])], static(x, np.zeros((7, 3))), rtol=2e-6)
        case(op, "ids_of_every_element", lambda d, i, f=f: f(data=d, segment_ids=i, num_segments=9), [x, integers(op + "e", x.shape, I32, -1, 9)], rtol=2e-6)
        case(op, "scalar_id", lambda d, i, f=f: f(data=d, segment_ids=i, num_segments=3), [x, I32(1)], rtol=EXACT)
        case(op, "all_negative", build, [x, -np.ones(7, I32)], rtol=EXACT)
        case(op, "empty", build, [x[:0], ids[:0]], rtol=EXACT)
        case(op, "no_segments", lambda d, i, f=f: f(data=d, segment_ids=i, num_segments=0), [x, -np.ones(7, I32)], rtol=EXACT)
        case(op, "segments_from_shape", lambda d, i, t, f=f: f(data=d, segment_ids=i, num_segments=tf.shape(t)[0]), [x, ids, normal("t", (5, 2))], rtol=2e-6)
        case(op, "infinite", build, [np.where(x > 0.5, np.inf, np.where(x < -0.5, -np.inf, x)).astype(F32), I32([0, 1, 2, 3, 4, 0, 1])], rtol=2e-6)
        case(op, "all_infinite", build, [np.full((7, 2), -np.inf, F32), I32([0, 1, 2, 3, 4, 0, 1])], rtol=EXACT)
        case(op, "large", lambda d, i, f=f: f(data=d, segment_ids=i, num_segments=300), [normal("usl", (2000, 60)), integers("usi", (2000,), I32, -1, 300)])
        case(op, "id_too_large", build, [x, I32([0, 1, 2, 3, 5, 0, 0])], error=True)
        case(op, "id_largest", build, [x, I32([0, 1, 2, 3, 2**31 - 1, 0, 0])], error=True)
        case(op, "fed_segments", lambda d, i, k, f=f: f(data=d, segment_ids=i, num_segments=k), [x, ids, I32(5)], refused="shape")
    for op in ("UnsortedSegmentMax", "UnsortedSegmentMin"):
        case(op, "int64", lambda d, i, f=getattr(raw, op): f(data=d, segment_ids=i, num_segments=5), [integers(op, (7,), I64), ids], refused="dtype")
    case("UnsortedSegmentSum", "int64", lambda d, i: raw.UnsortedSegmentSum(data=d, segment_ids=i, num_segments=5), [integers("u64", (7, 2), I64), ids], rtol=EXACT)
    case("UnsortedSegmentSum", "nan", lambda d, i: raw.UnsortedSegmentSum(data=d, segment_ids=i, num_segments=5), [np.where(x > 1, np.nan, x).astype(F32), ids])


def rising():
    x = normal("ss", (6, 3, 2))
    for op in ("SegmentSum", "SegmentMean", "SegmentMax", "SegmentMin"):
        f = getattr(raw, op)

        def make(name, a, ids, shapes=None, rtol=2e-6, refused="", op=op, f=f):
            case(op, name, lambda d: f(data=d, segment_ids=ids), [a], shapes, rtol, refused=refused, reference=a.dtype != F32)
        every = I32([0, 0, 1, 1, 1, 2])
        for name, ids in (("each", every), ("gaps", I32([0, 0, 2, 2, 5, 5])), ("gap_in_front", I32([3, 3, 3, 4, 4, 6])), ("one", I32([0] * 6)),
                          ("own", np.arange(6, dtype=I32)), ("int64", every.astype(I64))):
            make(name, x, ids, static(x))
            make(name + "_unknown", x, ids, unknown(x))
        for dtype in (F64, F16, BF16):
            make(np.dtype(dtype).name, x.astype(dtype), every, static(x), ROUNDED[dtype])
        make("vector", x[:, 0, 0], every, [[6]])
        make("empty", x[:0], every[:0], unknown(x), EXACT)
        make("infinite", np.where(x > 0.5, np.inf, np.where(x < -0.5, -np.inf, x)).astype(F32), I32([0, 0, 1, 3, 3, 3]), static(x))
        make("all_infinite", np.full((6, 2), np.inf, F32), every, [[6, 2]], EXACT)
        make("all_minus_infinite", np.full((6, 2), -np.inf, F32), every, [[6, 2]], EXACT)
        make("large", normal(op, (3000, 50)), np.sort(integers("sl", (3000,), I32, 0, 200)), [[None, 50]], 1e-5)
        make("not_rising", x, I32([0, 2, 1, 2, 3, 4]), static(x), refused="unsupported_value")
        make("negative", x, I32([-1, 0, 1, 2, 3, 4]), static(x), refused="unsupported_value")
        case(op, "fed_ids", lambda d, i, f=f: f(data=d, segment_ids=i), [x, every], refused="shape")
        if op == "SegmentSum":
            make("int32", integers("ssi", (6, 3)), every, [[6, 3]], EXACT)
        else:
            make("int32", integers("ssi", (6, 3)), every, [[6, 3]], refused="dtype")


def sparse():
    x = normal("sp", (5, 3))
    for op in ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN"):
        for counted in (False, True):
            name = op + "WithNumSegments" * counted
            more = {"num_segments": 7} if counted else {}
            f = getattr(raw, name)

            def make(tag, a, ids, i=I32([0, 3, 3, 1]), shapes=None, rtol=2e-6, f=f, name=name, more=more, **k):
                case(name, tag, lambda d, j: f(data=d, indices=j, segment_ids=ids, **more), [a, i], shapes or [[None, *a.shape[1:]], [len(i)]], rtol,
                     reference=a.dtype != F32, **k)
            each = I32([0, 0, 1, 1])
            for tag, ids in (("each", each), ("gaps", I32([0, 2, 2, 5])), ("gap_in_front", I32([2, 2, 3, 3])), ("one", I32([0] * 4)), ("int64", each.astype(I64))):
                make(tag, x, ids)
                make(tag + "_unknown", x, ids, shapes=[[None, None], [None]])
            make("int64_indices", x, each, I64([4, 0, 0, 0]))
            for dtype in (F64, F16, BF16):
                make(np.dtype(dtype).name, x.astype(dtype), each, rtol=ROUNDED[dtype])
            make("volumes", normal("spv", (5, 2, 3, 2)), each)
            make("vector", x[:, 0], each)
            make("infinite", np.where(x > 0.5, np.inf, x).astype(F32), each)
            make("large", normal("spl", (500, 64)), np.sort(integers("spi", (3000,), I32, 0, 7)), integers("spj", (3000,), I32, 0, 500), rtol=1e-5)
            make("index_outside", x, each, I32([0, 5, 1, 1]), error=True)
            make("negative_index", x, each, I32([0, -1, 1, 1]), error=True)
            make("not_rising", x, I32([1, 0, 1, 1]), refused="unsupported_value")
            case(name, "fed_ids", lambda d, i, f=f, more=more: f(data=d, indices=[0, 1, 2, 3], segment_ids=i, **more), [x, each], refused="shape")
            if counted:
                make("ids_beyond", x, I32([0, 0, 1, 7]), refused="unsupported_value")


FAMILIES = (unsorted, rising, sparse)


def cases():
    for family in FAMILIES:
        family()
