"""Cases of calls, branches, loops and tensor lists: ops whose attributes are functions or whose tensors are handles."""
import itertools

import numpy as np
import tensorflow as tf

from op_cases import EXACT, F16, F32, F64, I32, I64, case, integers, normal, raw, rng, static, unknown

# Of a condition; TensorFlow aborts the process on others.
CONDITIONS = (F32, F64, np.int8, np.int16, I32, I64, np.uint8, np.bool_)
DTYPES = (F32, F64, F16, tf.bfloat16.as_numpy_dtype, np.int8, np.int16, I32, I64, np.uint8, np.uint16, np.uint32, np.uint64, np.bool_)


def name_of(dtype):
    return np.dtype(dtype).name


def function(body, *types):
    """A concrete function of the graph that is being built; types: (dtype, shape) of its arguments."""
    return tf.function(body, autograph=False).get_concrete_function(*[tf.TensorSpec(shape, dtype) for dtype, shape in types])


def values(name, dtype, shape=(3, 4)):
    return integers(name, shape, I32, 0, 9).astype(dtype)


def calls():
    for op in ("PartitionedCall", "StatefulPartitionedCall"):
        call = getattr(raw, op)

        def run(f, args, types, call=call, **attrs):
            return call(args=args, Tout=types, f=f, **attrs)

        for dtype in DTYPES:
            x = values(op, dtype)
            case(op, f"moved_{name_of(dtype)}", lambda a, d=dtype, run=run: run(function(lambda v: tf.reverse(tf.concat([v, v], 0), [1]), (d, [None, 4])), [a], [d])[0], [x],
                 rtol=EXACT)
        x = normal(op, (3, 4))
        for name, body in (("relu", tf.nn.relu), ("square", tf.square), ("neg", tf.negative), ("twice", lambda v: v + v)):
            for known, shapes in (("batch", None), ("unknown", unknown(x)), ("static", static(x))):
                case(op, f"{name}_{known}", lambda a, b=body, run=run: run(function(b, (tf.float32, [None, None])), [a], [tf.float32])[0], [x], shapes)
        case(op, "two_in_two_out", lambda a, b, run=run: [t for t in run(function(lambda v, w: (v + w, tf.cast(v * 2, tf.int32)), (tf.float32, [None, 4]), (tf.float32, [None, 4])),
                                                                         [a, b], [tf.float32, tf.int32])], [x, x[::-1].copy()])
        case(op, "nested", lambda a, run=run: run(function(lambda v: run(function(tf.nn.relu, (tf.float32, [None, 4])), [v * 2], [tf.float32])[0], (tf.float32, [None, 4])),
                                                  [a], [tf.float32])[0], [x])
        for attr in ("config", "config_proto", "executor_type"):
            case(op, f"with_{attr}", lambda a, run=run, n=attr: run(function(tf.nn.relu, (tf.float32, [None, 4])), [a], [tf.float32], **{n: ""})[0], [x])
        case(op, "native_inside", lambda a, run=run: run(function(lambda v: tf.numpy_function(lambda w: w, [v], tf.float32), (tf.float32, [None, 4])), [a], [tf.float32])[0],
             [x], refused="stateful")


def branches():
    def bodies(dtype):
        spec = (dtype, [None, 4])
        return function(lambda v: tf.concat([v, v[:0]], 0), spec), function(lambda v: v[::-1], spec), function(tf.zeros_like, spec)

    for op in ("If", "StatelessIf"):
        branch = getattr(raw, op)

        def run(c, x, dtype, swap=False, branch=branch, **attrs):
            yes, no, _ = bodies(dtype)
            return branch(cond=c, input=[x], Tout=[dtype], then_branch=no if swap else yes, else_branch=yes if swap else no, **attrs)[0]
        for dtype in DTYPES:
            x = values(op, dtype)
            case(op, f"of_{name_of(dtype)}", lambda c, a, d=dtype, run=run: run(c, a, d), [np.bool_(True), x], static(np.bool_(True), x), EXACT, reference=True)
        x = normal(op, (3, 4))
        for cond in CONDITIONS:
            for value in (0, 1):
                if (cond, value) != (np.bool_, 1):
                    case(op, f"cond_{name_of(cond)}_{value}", lambda c, a, run=run: run(c, a, F32), [cond(value), x], static(cond(value), x), EXACT, reference=True)
        case(op, "swapped", lambda c, a, run=run: run(c, a, F32, swap=True), [np.bool_(False), x], static(np.bool_(False), x), EXACT, reference=True)
        case(op, "batch_unknown", lambda c, a, run=run: run(c, a, F32), [np.bool_(False), x], None, EXACT, reference=True)
        case(op, "cond_of_rank_1", lambda c, a, run=run: run(c, a, F32), [np.array([True]), x], static(np.array([True]), x), refused="control_flow")
    for op in ("Case", "StatelessCase"):
        choose = getattr(raw, op)

        def run(i, x, dtype, order=(0, 1, 2), choose=choose):
            all_bodies = bodies(dtype)
            return choose(branch_index=i, input=[x], Tout=[dtype], branches=[all_bodies[k] for k in order])[0]
        for dtype in DTYPES:
            x = values(op, dtype)
            case(op, f"of_{name_of(dtype)}", lambda c, a, d=dtype, run=run: run(c, a, d), [I32(1), x], static(I32(1), x), EXACT, reference=True)
        x = normal(op, (3, 4))
        for index, order in itertools.product((-1, 0, 1, 2, 3), ((0, 1, 2), (2, 1, 0), (1, 0))):
            case(op, f"{index}_of_{''.join(map(str, order))}".replace("-", "m"), lambda c, a, run=run, o=order: run(c, a, F32, o), [I32(index), x], static(I32(index), x), EXACT,
                 reference=True)


def loops():
    for op in ("While", "StatelessWhile"):
        loop = getattr(raw, op)

        def run(n, x, dtype, step=None, cond=None, loop=loop, **attrs):
            types = (tf.int32, []), (tf.int32, []), (dtype, [None, 4])
            body = function(step or (lambda i, m, v: (i + 1, m, v[::-1])), *types)
            test = function(cond or (lambda i, m, v: i < m), *types)
            return tf.identity(loop(input=[tf.constant(0), n, x], cond=test, body=body, **attrs)[2])
        for dtype in DTYPES:
            x = values(op, dtype)
            case(op, f"of_{name_of(dtype)}", lambda n, a, d=dtype, run=run: run(n, a, d), [I32(3), x], static(I32(3), x), EXACT, reference=True)
        x = normal(op, (3, 4))
        for count in (0, 1, 2, 5):
            case(op, f"count_{count}", lambda n, a, run=run: run(n, a, F32), [I32(count), x], static(I32(count), x), EXACT, reference=True)
        case(op, "other_body", lambda n, a, run=run: run(n, a, F32, lambda i, m, v: (i + 1, m, v * 2)), [I32(3), x], static(I32(3), x), EXACT, reference=True)
        case(op, "other_condition", lambda n, a, run=run: run(n, a, F32, cond=lambda i, m, v: i + 1 < m), [I32(2), x], static(I32(2), x), EXACT, reference=True)
        case(op, "parallel_iterations", lambda n, a, run=run: run(n, a, F32, parallel_iterations=1), [I32(3), x], static(I32(3), x), EXACT, reference=True)
        case(op, "shape_changes", lambda n, a, run=run: run(n, a, F32, lambda i, m, v: (i + 1, m, tf.concat([v, v], 0))), [I32(3), x], static(I32(3), x), refused="control_flow")


def lists():
    """Each op of a list on the way into one and out again."""
    def stack(a, dtype, shape=(4,), **attrs):
        return raw.TensorListStack(input_handle=raw.TensorListFromTensor(tensor=a, element_shape=np.array(shape, I32)), element_shape=np.array(shape, I32),
                                   element_dtype=dtype, **attrs)

    def fill(a, dtype, count=3, index=1, shape=(4,), **attrs):
        handle = raw.TensorListReserve(element_shape=np.array(shape, I32), num_elements=I32(count), element_dtype=dtype)
        return raw.TensorListSetItem(input_handle=handle, index=index, item=a[0], **attrs)

    for op in ("TensorListFromTensor", "TensorListStack"):
        for dtype in DTYPES:
            x = values(op, dtype)
            for known, shapes in (("batch", None), ("static", static(x))):
                case(op, f"{name_of(dtype)}_{known}", lambda a, d=dtype: stack(a, d), [x], shapes, EXACT, reference=True)
        x = normal(op, (3, 4))
        case(op, "other_shape_type", lambda a: raw.TensorListStack(input_handle=raw.TensorListFromTensor(tensor=a, element_shape=I64([4])), element_shape=I32([4]),
                                                                   element_dtype=F32), [x], static(x), EXACT, reference=True)
        case(op, "num_elements", lambda a: stack(a, F32, num_elements=3), [x], static(x), EXACT, reference=True)
        case(op, "other_elements", lambda a: stack(a, F32), [x[::-1].copy()], static(x), EXACT, reference=True)
        case(op, "open_shape", lambda a: stack(a, F32, (-1,)), [x], static(x), EXACT, reference=True)
    for op in ("TensorListReserve", "TensorListSetItem"):
        for dtype, index in itertools.product(DTYPES, (0, 2)):
            x = values(op, dtype)
            case(op, f"{name_of(dtype)}_{index}", lambda a, d=dtype, i=index: raw.TensorListStack(input_handle=fill(a, d, index=i), element_shape=I32([4]), element_dtype=d), [x],
                 static(x), EXACT, reference=True)
        for count in (1, 5):
            x = normal(op, (3, 4))
            case(op, f"of_{count}", lambda a, n=count: raw.TensorListStack(input_handle=fill(a, F32, n, 0), element_shape=I32([4]), element_dtype=F32), [x], static(x), EXACT,
                 reference=True)
    x = normal("listresize", (3, 4))
    case("TensorListSetItem", "resize", lambda a: raw.TensorListStack(input_handle=fill(a, F32, resize_if_index_out_of_bounds=True), element_shape=I32([4]), element_dtype=F32),
         [x], static(x), refused="unsupported_attr")
    for dtype, index in itertools.product(DTYPES, (0, 2)):
        x = values("getitem", dtype)
        case("TensorListGetItem", f"{name_of(dtype)}_{index}", lambda a, d=dtype, i=index: raw.TensorListGetItem(
            input_handle=raw.TensorListFromTensor(tensor=a, element_shape=I32([4])), index=i, element_shape=I32([4]), element_dtype=d), [x], static(x), EXACT, reference=True)
    for n, known in itertools.product((1, 2, 5, 9), ("batch", "static", "unknown")):
        for dtype in (F32, I64):
            x = values("length", dtype, (n, 3))
            shapes = {"batch": None, "static": static(x), "unknown": unknown(x)}[known]
            case("TensorListLength", f"{n}_{known}_{name_of(dtype)}", lambda a: raw.TensorListLength(
                input_handle=raw.TensorListFromTensor(tensor=a, element_shape=I32([3]))) + tf.shape(a)[0], [x], shapes, EXACT, reference=True)
    for dims, dtype in itertools.product(((3,), (4,), (2, 3), (1, 2, 3), (5, 1)), (tf.int32, tf.int64)):
        for n in (2, 3):
            x = rng("es").normal(size=(n, *dims)).astype(F32)
            case("TensorListElementShape", f"{'x'.join(map(str, dims))}_{n}_{dtype.name}", lambda a, d=dims, t=dtype: raw.TensorListElementShape(
                input_handle=raw.TensorListFromTensor(tensor=a, element_shape=np.array(d, I32)), shape_type=t) + tf.cast(tf.shape(a)[0], t), [x], static(x), EXACT,
                reference=True)


def constants():
    x = normal("const", (3, 4))
    for dtype in DTYPES:
        for name, value in (("tensor", values("c", dtype)), ("splat", np.full((3, 4), 1, dtype)), ("row", values("r", dtype, (4,)))):
            case("Const", f"{name_of(dtype)}_{name}", lambda c, v=value: raw.SelectV2(condition=c, t=tf.constant(v), e=tf.zeros_like(v)), [x > 0], rtol=EXACT, reference=True)
    for value in (1.5, -2.0, np.nan, np.inf):
        case("Const", f"scalar_{value}", lambda a, v=value: a + tf.constant(v, tf.float32), [x])


def cases():
    calls()
    branches()
    loops()
    lists()
    constants()
