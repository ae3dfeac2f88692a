"""For every attribute and input of every accepted op, by TensorFlow's registry: cases that differ in it alone.

The ops are those that `graft ops` lists. A type attribute needs a case of each dtype that a plan may carry. Any other needs a pair
of cases that differ in it alone and whose *TensorFlow* answers differ, for each value that the registry allows, or a case that is
refused for it. The engine answers each case of a pair as TensorFlow does, too.
"""
import numpy as np
import pytest
import tensorflow as tf

import case_runner
import evidence
import variation

WHAT = [(op, attr.name) for op in evidence.audited() for attr in evidence.definition(op).attr]
INPUTS = [(op, arg.name) for op in evidence.audited() for arg in evidence.definition(op).input_arg]


def attribute(op, name):
    return next(a for a in evidence.definition(op).attr if a.name == name)


def refused_for(probe, answer, names):
    """Compares the case with TensorFlow; is it refused with a reason that names the attribute or input?"""
    outcome = case_runner.outcome(probe, answer)
    return outcome.kind == "refused" and any(name in outcome.reason for name in names)


def shown(op, kind, name, names):
    """The varied values of which TensorFlow's answer differs from the base's, or that are refused by name."""
    values, answers = [], {}
    for plain, varied in evidence.alone(op):
        value = varied.attrs.get(name) if kind == "attr" else varied.changed
        if varied.changed != ((kind, name),) or value in values:
            continue
        if plain.name not in answers:
            answers[plain.name] = _answer(plain)
            if kind == "attr" and refused_for(plain, answers[plain.name], names):
                values.append(plain.full_attrs().get(name))
        want = _answer(varied)
        if refused_for(varied, want, names) or evidence.differ(answers[plain.name], want):
            values += [value] if kind == "input" else [value, plain.full_attrs().get(name)]
    return values + (shown_by_written_cases(op, name) if kind == "attr" else [])


def shown_by_written_cases(op, name):
    """As shown, of the cases in op_cases.py and cases_*.py."""
    values = [_value(use.attrs.get(name)) for use in evidence.uses(op) if use.case.refused and f"'{name}'" in use.refusal]
    if attribute(op, name).type == "bool" and values:
        values = [True, False]  # the other is that of the cases that are taken
    for a, b in evidence.use_pairs(op, name):
        if evidence.differ(a.answer, b.answer):
            values += [_value(a.attrs.get(name)), _value(b.attrs.get(name))]
    return values


def _answer(probe):
    try:
        return probe.want()
    except (ValueError, TypeError) as error:  # TensorFlow takes no such graph
        return tf.errors.InvalidArgumentError(None, None, str(error))


def _value(serialized):
    """Of a bool, a string or a type; else the bytes."""
    if serialized is None:
        return None
    attr = tf.compat.v1.AttrValue.FromString(serialized)
    kind = attr.WhichOneof("value")
    return {"b": lambda: attr.b, "s": lambda: attr.s.decode(), "type": lambda: tf.as_dtype(attr.type)}.get(kind, lambda: serialized)()


def test_every_accepted_op_has_cases():
    without = [op for op in evidence.audited() if not evidence.alone(op) and not evidence.uses(op)]
    assert not without, "no base call in bases_*.py and no case in op_cases.py or cases_*.py"


def test_ops_whose_cases_are_elsewhere_are_accepted():
    assert not set(evidence.ELSEWHERE) - set(evidence.accepted())


def test_tables_of_exceptions_name_what_there_is():
    known = {(op, name) for op, name in WHAT}
    assert {(op, name) for op, name, _ in (*evidence.WITHOUT_DTYPE, *evidence.WITHOUT_VALUE)} <= known
    assert evidence.INERT_INPUTS <= set(INPUTS)
    assert set(evidence.NO_EFFECT) <= {a.name for op in evidence.accepted() for a in evidence.definition(op).attr}


@pytest.mark.parametrize("op, name", WHAT, ids=[f"{op}-{name}" for op, name in WHAT])
def test_attribute_changes_the_answer(op, name):
    attr, definition = attribute(op, name), evidence.definition(op)
    if name in evidence.NO_EFFECT:
        for plain, varied in evidence.alone(op):
            if varied.changed == (("attr", name),):
                assert not evidence.differ(_answer(plain), _answer(varied)), f"{name} changes the answer: {varied.name}"
        return
    if name in variation.numbers(definition) or attr.type in ("list(type)", "func", "list(func)"):
        lengths = {tuple(len(v) for v in p.inputs.values() if isinstance(v, list)) for _, p in evidence.alone(op)}
        lengths |= {p.attrs[name] for _, p in evidence.alone(op) if name in p.attrs} | {use.attrs[name] for use in evidence.uses(op)}
        assert len(lengths) > 1, f"{op}: all cases have one {name}"
        return
    if name in variation.input_attrs(definition):
        have = {p.dtypes[name] for _, p in evidence.alone(op) if name in p.dtypes}
        have |= {a.dtype for base in variation.bases().get(op, ()) for p in variation.alone(base)[:1]
                 for arg in variation.input_attrs(definition)[name] for a, _ in p.arrays()[arg]}
        have |= {np.dtype(tf.as_dtype(tf.compat.v1.AttrValue.FromString(use.attrs[name]).type).as_numpy_dtype) for use in evidence.uses(op)
                 if name in use.attrs}
        missing = [t.name for t in variation.allowed_dtypes(attr)[0] if t not in have and (op, name, t.name) not in evidence.WITHOUT_DTYPE]
        assert not missing, f"{op}: no case with {name} of {', '.join(missing)}"
        return
    bases = variation.bases().get(op, ())
    given = [(b.attrs[name], variation.alone(b)[0]) for b in bases if isinstance(b.attrs.get(name), str)]
    values = [value for value, p in given if refused_for(p, _answer(p), (f"'{name}'",))]
    values += shown(op, "attr", name, (f"'{name}'",))
    if attr.type == "bool":
        wanted = [True, False]
    elif attr.type == "string" and attr.HasField("allowed_values"):
        wanted = [s.decode() for s in attr.allowed_values.list.s]
    elif attr.type == "type":
        wanted = [tf.as_dtype(t) for t in variation.allowed_dtypes(attr)[0] if (op, name, t.name) not in evidence.WITHOUT_DTYPE]
    else:
        assert values, f"{op}: no two cases differ in {name} alone with different answers of TensorFlow, and none is refused for it"
        return
    missing = [v for v in wanted if v not in values and (op, name, v) not in evidence.WITHOUT_VALUE]
    assert not missing, f"{op}: no pair and no refusal shows {name} = {missing}"


@pytest.mark.parametrize("op, name", INPUTS, ids=[f"{op}-{name}" for op, name in INPUTS])
def test_input_changes_the_answer(op, name):
    if not variation.bases().get(op):
        assert evidence.uses(op), f"{op}: no case"
        return
    if (op, name) in evidence.INERT_INPUTS:
        return
    assert shown(op, "input", name, (name, f"input {[i for o, i in INPUTS if o == op].index(name)}")), \
        f"{op}: no two cases differ in the input {name} alone with different answers of TensorFlow"
