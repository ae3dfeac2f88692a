"""Rules of random_graphs: loops, branches and calls, as functions of the library and as Switch and Merge frames."""

import numpy as np
import tensorflow as tf
from random_graphs import BOOL, F32, F64, I32, Builder, Function, Skip, Tensor, attempt
from random_ops import like
from tensorflow.core.framework import function_pb2
from tensorflow.python.framework import op_def_registry

RULES = []
BODY_NODES = 7


def rule(weight=1.0):
    def add(function):
        RULES.append((weight, function))
        return function
    return add


def _output_names(node):
    """"arg:index" of each output of a node, as function bodies name them."""
    for arg in op_def_registry.get(node.op).output_arg:
        count = (node.attr[arg.number_attr].i if arg.number_attr else
                 len(node.attr[arg.type_list_attr].list.type) if arg.type_list_attr else 1)
        yield from (f"{arg.name}:{i}" for i in range(count))


def define(b, body, arguments, results):
    """Adds the nodes of the Builder `body` to the library as a function; returns its Function."""
    name = f"f{len(b.library.function)}_{b.prefix}{len(b.nodes)}"
    function = function_pb2.FunctionDef()
    function.signature.name = name
    for tensor in arguments:
        function.signature.input_arg.add(name=tensor.name, type=tensor.dtype.as_datatype_enum)
    known = {tensor.name: tensor.name for tensor in arguments}
    for node in body.nodes:
        for port, output in enumerate(_output_names(node)):
            known[f"{node.name}:{port}" if port else node.name] = f"{node.name}:{output}"
        copy = function.node_def.add()
        copy.CopyFrom(node)
        copy.input[:] = [i if i.startswith("^") else known[i] for i in node.input]
    stateful = [node.name for node in body.nodes if node.op in ("Assert",)]
    for index, tensor in enumerate(results):
        function.signature.output_arg.add(name=f"result_{index}", type=tensor.dtype.as_datatype_enum)
        function.ret[f"result_{index}"] = known[tensor.name]
    for node in stateful:
        function.signature.control_output.append(node)
        function.control_ret[node] = node
    function.signature.is_stateful = bool(stateful)
    b.library.function.append(function)
    return Function(name)


def grow(b, arguments, native=True):
    """(body, its arguments): a Builder over arguments that resemble the tensors given, with some random nodes."""
    import random_native
    import random_ops

    body = Builder(b.rng, b.library, f"{b.prefix}b{len(b.library.function)}_{len(b.nodes)}_")
    body.special = b.special
    inner = [Tensor(f"{body.prefix}arg{i}", t.dtype, t.shape, t.mag, t.grain) for i, t in enumerate(arguments)]
    body.tensors = list(inner)
    rules = random_ops.RULES + random_native.RULES[:2] * (native and b.rng.random() < 0.1)
    weights = np.array([weight for weight, _ in rules])
    wanted = int(b.rng.integers(1, BODY_NODES))
    for index in b.rng.choice(len(rules), 4 * BODY_NODES, p=weights / weights.sum()):
        if len(body.nodes) >= wanted:
            break
        attempt(body, rules[index][1])
    return body, inner


def _same_as(body, x, inner):
    """A tensor of the body with dtype and extents of `x`, made for it if there is none but the argument itself."""
    found = [t for t in body.tensors if t.dtype == x.dtype and t.shape == x.shape and t.name != inner.name]
    if found and body.chance(0.8):
        result = body.choose(found)
    else:
        result = body.node("AddV2", [inner, inner], [like(inner, 2 * inner.mag)], T=x.dtype)
    if body.chance(0.3):  # something that depends on all else
        summed = [t for t in body.tensors if t.dtype == x.dtype and t.rank and t.mag < 100]
        if summed:
            part = body.choose(summed)
            total = body.node("Sum", [part, body.ints(range(part.rank))], [like(part, part.mag * max(1, part.size), shape=())],
                              T=x.dtype, Tidx=I32, keep_dims=False)
            result = body.node("AddV2", [result, total], [like(result, result.mag + total.mag, min(result.grain, total.grain))], T=x.dtype)
    return result


def _condition(b):
    try:
        if b.chance(0.6):
            return b.pick(lambda t: t.rank == 0, (BOOL,))
    except Skip:
        pass
    return b.placeholder(BOOL, ())


@rule(3)
def while_loop(b):
    x = b.pick(lambda t: t.mag < 50, (F32, F64, I32))
    if x.dtype != I32:  # the loop keeps its variable within [-1, 1]
        x = b.node("Tanh", [x], [like(x, 1.0, 0.0)], T=x.dtype)
    more = [b.pick(lambda t: t.mag < 50)] if b.chance(0.6) else []
    trips = b.placeholder(I32, ()) if b.chance(0.3) else b.ints(b.rng.integers(0, 5))
    if trips.name + ":0" in b.feeds:
        b.feeds[trips.name + ":0"] = np.int32(b.rng.integers(-1, 5))
    state = [b.ints(0), trips, x, *more]
    body, (i, n, inner, *rest) = grow(b, state)
    step = body.node("AddV2", [i, body.ints(1)], [like(i)], T=I32)
    result = _same_as(body, x, inner)
    if x.dtype != I32:
        result = body.node("Tanh", [result], [like(result, 1.0, 0.0)], T=x.dtype)
    loop = define(b, body, [i, n, inner, *rest], [step, n, result, *rest])
    test = Builder(b.rng, b.library, f"{body.prefix}c_")
    arguments = [Tensor(f"{test.prefix}arg{k}", t.dtype, t.shape) for k, t in enumerate(state)]
    less = test.node("Less", arguments[:2], [Tensor("", BOOL, ())], T=I32)
    stop = define(b, test, arguments, [less])
    op = "While" if any(f.signature.is_stateful for f in b.library.function) or b.chance(0.5) else "StatelessWhile"
    made = b.node(op, state, [like(t) for t in state], keep=False, T=[t.dtype for t in state], cond=stop, body=loop)
    b.nodes[-1].attr["output_shapes"].list.SetInParent()
    b.tensors.append(made[2])


@rule(3)
def branch(b):
    x = b.pick(lambda t: t.mag < 20, (F32, F64, I32))
    given = [x] + ([b.pick(lambda t: t.mag < 20)] if b.chance(0.5) else [])
    count = int(b.rng.integers(2, 5)) if b.chance(0.3) else 0
    branches, results = [], []
    for _ in range(count or 2):
        body, inner = grow(b, given)
        results.append(_same_as(body, x, inner[0]))
        branches.append(define(b, body, inner, [results[-1]]))
    result = like(x, max(r.mag for r in results), min(r.grain for r in results))
    types = {"Tin": [t.dtype for t in given], "Tout": [x.dtype]}
    stateful = "" if not any(f.signature.is_stateful for f in b.library.function) and b.chance(0.5) else None
    if count:
        index = b.placeholder(I32, ())
        b.feeds[index.name + ":0"] = np.int32(b.rng.integers(-1, count + 1))
        b.node("StatelessCase" if stateful is not None else "Case", [index, *given], [result], branches=branches, **types)
    else:
        b.node("StatelessIf" if stateful is not None else "If", [_condition(b), *given], [result], Tcond=BOOL,
               then_branch=branches[0], else_branch=branches[1], **types)
    b.nodes[-1].attr["output_shapes"].list.SetInParent()


@rule(2)
def call(b):
    given = [b.pick() for _ in range(b.rng.integers(1, 3))]
    body, inner = grow(b, given)
    results = [t for t in body.tensors if t not in inner][-3:]
    if not results:
        raise Skip
    function = define(b, body, inner, results)
    b.node(b.choose(["PartitionedCall", "StatefulPartitionedCall"]), given, [like(r) for r in results],
           Tin=[t.dtype for t in given], Tout=[r.dtype for r in results], f=function)


@rule(1.5)
def switch_and_merge(b):
    """A branch as version 1 has it: the nodes of one side see dead tensors."""
    x, condition = b.pick(lambda t: t.mag < 1000, (F32, I32)), _condition(b)
    b.in_frame = True
    sides = b.node("Switch", [x, condition], [like(x), like(x)], T=x.dtype, keep=False)
    ends = []
    for side in sides:
        end = b.node("AddV2", [side, b.const((x.dtype, ()))], [like(side, side.mag + 5, side.grain / 4)], T=x.dtype, keep=False)
        if b.chance(0.6):
            end = b.node("Relu", [end], [like(end)], T=x.dtype, keep=False)
        ends.append(end)
    result = like(x, max(e.mag for e in ends), min(e.grain for e in ends))
    b.in_frame = False
    b.node("Merge", ends, [result, Tensor("", I32, (), 1.0)], T=x.dtype, N=2)


@rule(1)
def frame(b):
    """A loop as version 1 has it."""
    x = b.pick(lambda t: t.mag < 50, (F32, I32))
    label, trips = f"frame{b.prefix}{len(b.nodes)}", b.ints(b.rng.integers(0, 4))
    start = b.ints(0)
    b.in_frame = True
    enter = lambda t, constant: b.node("Enter", [t], [like(t)], T=t.dtype, frame_name=label, is_constant=constant, parallel_iterations=10, keep=False)
    counter, limit, value = enter(start, False), enter(trips, True), enter(x, False)
    merges, places = [], []
    for t in (counter, value):
        merges.append(b.node("Merge", [t, t], [like(t), Tensor("", I32, ())], T=t.dtype, N=2, keep=False)[0])
        places.append(b.nodes[-1])
    stop = b.node("LoopCond", [b.node("Less", [merges[0], limit], [Tensor("", BOOL, ())], T=I32, keep=False)], [Tensor("", BOOL, ())], keep=False)
    switches = [b.node("Switch", [m, stop], [like(m), like(m)], T=m.dtype, keep=False) for m in merges]
    pivot = b.node("Identity", [switches[0][1]], [like(counter)], T=I32, keep=False)
    one = b.ints(1)
    b.nodes[-1].input.append("^" + pivot.name)  # a constant of a loop hangs on its pivot
    b.framed.add(one.name)
    step = b.node("AddV2", [pivot, one], [like(counter)], T=I32, keep=False)
    new = b.node("Minimum", [switches[1][1], switches[1][1]], [like(x)], T=x.dtype, keep=False)
    new = b.node("Neg", [new], [like(x)], T=x.dtype, keep=False)
    for place, t in zip(places, (step, new)):
        back = b.node("NextIteration", [t], [like(t)], T=t.dtype, keep=False)
        place.input[1] = back.name
    b.in_frame = False
    b.node("Exit", [switches[1][0]], [like(x)], T=x.dtype)
