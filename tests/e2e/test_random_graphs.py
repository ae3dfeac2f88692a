"""400 random graphs, four partitions each, against TensorFlow; 20,000 as `./dev long random-graphs`.

A finding prints the shrunken graph and is written to random_corpus/, which is replayed here.
"""

import collections

import numpy as np
import pytest
import random_check
import random_graphs
import random_run
import random_shrink

GRAPHS, PART = 400, 40
CORPUS = sorted(random_run.CORPUS.glob("*.pbtxt"))


@pytest.fixture(scope="module")
def totals():
    return {"numbers": collections.Counter(), "ops": collections.Counter()}


@pytest.mark.parametrize("first", range(0, GRAPHS, PART))
def test_four_partitions_answer_what_tensorflow_answers(first, totals, tmp_path):
    result = random_run.run(first, PART, tmp_path)
    totals["numbers"].update({k: v for k, v in result.items() if isinstance(v, int)})
    totals["ops"].update(result["ops"])
    assert not result["findings"], "\n".join(result["findings"])


def test_the_graphs_exercise_the_engine(totals):
    numbers, ops = totals["numbers"], totals["ops"]
    if numbers["graphs"] < GRAPHS:
        pytest.skip("only some of the graphs ran")
    print(dict(numbers), len(ops), "op types in engines")
    assert numbers["nodes"] > 20 * GRAPHS and numbers["engines"] > 4 * GRAPHS
    assert GRAPHS // 2 < numbers["alone"] < 4 * GRAPHS  # partitions run without TensorFlow; the others hold native nodes
    assert 0 < numbers["raised"] < GRAPHS // 10
    assert numbers["judged"] < GRAPHS // 10, "too many answers are beyond the plain bar"
    assert len(ops) >= 110


def test_a_seed_is_a_graph():
    for seed in range(20):
        first, second = random_graphs.generate(seed), random_graphs.generate(seed)
        assert first.graph.SerializeToString(deterministic=True) == second.graph.SerializeToString(deterministic=True)
        assert random_graphs.to_text(first) == random_graphs.to_text(second)
        again, _ = random_graphs.from_text(random_graphs.to_text(first))
        assert again.graph == first.graph and again.fetches == first.fetches
        for name, array in first.feeds.items():
            np.testing.assert_array_equal(again.feeds[name], array)


@pytest.mark.parametrize("path", CORPUS, ids=[p.stem for p in CORPUS])
def test_what_was_wrong_once(path):
    finding = random_run.replay(path)
    assert not finding, finding


# Planted faults: the engine is given another graph than the oracle.

def other_op(before, after):
    def change(graph):
        for node in graph.node:
            if node.op == before:
                node.op = after
    return change


def reversed_permutation(graph):
    nodes = {n.name: n for n in graph.node}
    for node in graph.node:
        if node.op == "Transpose" and node.attr["T"].type != 7 and (order := nodes.get(node.input[1])) is not None:
            value = random_check.tf.make_ndarray(order.attr["value"].tensor)
            order.attr["value"].tensor.CopyFrom(random_check.tf.make_tensor_proto(np.argsort(value).astype(np.int32)))


def swapped_operands(op):
    def change(graph):
        for node in graph.node:
            if node.op == op:
                node.input[0], node.input[1] = node.input[1], node.input[0]
    return change


def first_output(op):
    def change(graph):
        names = {n.name for n in graph.node if n.op == op}
        for node in graph.node:
            node.input[:] = [i.split(":")[0] if i.split(":")[0] in names else i for i in node.input]
    return change


def flag(op, key):
    def change(graph):
        for node in graph.node:
            if node.op == op:
                node.attr[key].b = not node.attr[key].b
    return change


FAULTS = {"transposes_inverted": reversed_permutation, "relu_dropped": other_op("Relu", "Identity"),
          "max_is_min": other_op("Maximum", "Minimum"), "sub_swapped": swapped_operands("Sub"),
          "concat_swapped": swapped_operands("ConcatV2"),
          "wrong_port": first_output("Unpack"), "exclusive_scan": flag("Cumsum", "exclusive"),
          "sign_kept": other_op("Abs", "Neg")}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_planted_fault_is_found_and_shrunk(fault, monkeypatch):
    plain = random_check.convert

    def faulty(case, options):
        graph = random_check.graph_pb2.GraphDef()
        graph.CopyFrom(case.graph)
        FAULTS[fault](graph)
        changed = random_graphs.Case(graph, case.feeds, case.fetches, case.inputs)
        return plain(changed, options)

    monkeypatch.setattr(random_check, "convert", faulty)
    options = {"min_segment_size": 1}

    def fails(case):
        try:
            found = random_check.check(case, [options]).finding
        except random_check.InvalidCase:
            return False
        return bool(found) and not found.startswith("convert")

    case = next((c for c in map(random_graphs.generate, range(200)) if len(c.graph.node) < 45 and fails(c)), None)
    assert case is not None, "no graph of 200 shows the fault"
    small = random_shrink.shrink(case, fails)
    assert fails(small) and len(small.graph.node) <= 6 and len(small.fetches) == 1, random_graphs.to_text(small)
