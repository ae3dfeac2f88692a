"""docs/tf-ops.md: what engines take of each TensorFlow op, from what its cases came to.

An op's section is made of facts: what an outcome of one case shows. So a case that runs alone can tell whether the page holds.
"""
import dataclasses
import pathlib
import re

import evidence
import variation

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "tf-ops.md"
HEAD = """# TensorFlow ops

Made from the code by `./dev long conformance`, or for some ops by `./dev python tools/long_conformance.py OP ...`: the ops are those
that `graft ops` lists, the rest is what the generated cases of `tests/conformance` came to against TensorFlow 2.21. `./dev test` runs a
sample of them and compares it with this page. Do not edit.

Per op: the dtypes of each type attribute that engines take; *reference* marks those that no vectorized kernel runs, only the
reference evaluator (the plain loops of `src/reference`; shapes with unknown dims may fall to it, too). `values`: of the attributes that the registry limits, those taken.
"refused" lists the reason codes with the reasons that nodes were refused with; such nodes stay native and TensorFlow runs them.
Common to all and not repeated: `rank` for inputs of unknown rank and ranks above 8; `dtype` for complex numbers, strings and other
dtypes that no plan carries. `ranks`: those that the cases have; an op takes every rank up to 8 that TensorFlow's takes where no `rank` is refused.
"""
_DTYPE = re.compile(r"\b(u?int(8|16|32|64)|b?float(16|32|64)|bool|complex64)\b")


def masked(reason):
    """A reason without what differs from case to case."""
    got, comma, expected = re.sub(r"[a-z_0-9]+ 'y': ", "", reason).partition(", expected")
    got = re.sub(r"(?<!input )-?\b\d+", "N", re.sub(r"'[^']*->[^']*'", "an equation", _DTYPE.sub("DTYPE", got)))
    return got + comma + expected


@dataclasses.dataclass(frozen=True)
class Fact:
    kind: str  # "kernel", "dtype", "value", "rank", "refused"
    what: str  # type attribute, attribute, input, code
    value: str  # dtype, value, rank, masked reason
    state: str = ""  # of a dtype: "kernel" or "reference"


def facts(probe, outcome):
    """What the outcome of a case says that belongs on the page."""
    if outcome.kind == "refused":
        if any(kind == "dtype" and probe.dtypes.get(name) == variation.FOREIGN for kind, name in probe.changed):
            return []
        return [Fact("refused", outcome.code, masked(outcome.reason))]
    if outcome.kind != "equal":
        return []
    found = []
    plain = not probe.changed or (len(probe.changed) == 1 and probe.changed[0][0] in ("dtype", "attr"))
    state = "reference" if outcome.reference else "kernel"
    if plain:
        found.append(Fact("kernel", "steps", state))
    for attr, inputs in variation.input_attrs(probe.base.definition).items():
        dtype = probe.arrays()[inputs[0]][0][0].dtype if probe.arrays()[inputs[0]] else None
        # Of the base calls alone: a rarer form may be left to the reference evaluator in float32, too.
        if dtype is not None and plain and not any(kind == "attr" for kind, _ in probe.changed):
            found.append(Fact("dtype", attr, dtype.name, state))
    for attr in probe.base.definition.attr:
        limited = attr.type == "type" or (attr.type == "string" and attr.HasField("allowed_values"))
        if limited and attr.name in probe.full_attrs():
            value = probe.full_attrs()[attr.name]
            found.append(Fact("value", attr.name, getattr(value, "name", value)))
    fed = [(arg.name, arrays[0]) for arg in probe.base.definition.input_arg for arrays in [probe.arrays()[arg.name]] if arrays]
    found += [Fact("rank", name, str(array.ndim)) for name, (array, constant) in fed[:1] if not constant]
    return found


def section(op, found):
    """The lines of an op."""
    lines = [f"## {op}", ""]
    kernels = {f.value for f in found if f.kind == "kernel"}
    if kernels == {"reference"}:
        lines.append("- **the reference evaluator alone**: no vectorized kernel runs it")
    for attr in evidence.definition(op).attr:
        dtypes = {}
        for fact in found:
            if (fact.kind, fact.what) == ("dtype", attr.name):
                dtypes.setdefault(fact.value, set()).add(fact.state)
        if dtypes:
            texts = [name + ("" if "kernel" in dtypes[name] else " *reference*") for name in (t.name for t in variation.PLAN_DTYPES) if name in dtypes]
            lines.append(f"- `{attr.name}`: {', '.join(texts)}")
    others = [f"`{a.name}`" for a in evidence.definition(op).attr
              if a.name not in variation.input_attrs(evidence.definition(op)) and a.name not in evidence.NO_EFFECT]
    if others:
        lines.append("- attributes: " + ", ".join(others))
    without = [f"`{a.name}` ({evidence.NO_EFFECT[a.name]})" for a in evidence.definition(op).attr if a.name in evidence.NO_EFFECT]
    if without:
        lines.append("- without effect: " + ", ".join(without))
    for attr in evidence.definition(op).attr:
        values = sorted({f.value for f in found if (f.kind, f.what) == ("value", attr.name)})
        if values:
            lines.append(f"- values of `{attr.name}`: {', '.join(values)}")
    ranks = {}
    for fact in found:
        if fact.kind == "rank":
            ranks.setdefault(fact.what, set()).add(fact.value)
    lines += [f"- ranks of `{name}`: {', '.join(sorted(seen))}" for name, seen in ranks.items()]
    lines += sorted({f"- refused, `{f.what}`: {f.value}" for f in found if f.kind == "refused"})
    return lines + [""]


def render(by_op):
    """The page; by_op: op -> facts. Ops that it does not have keep the lines that they have on the page."""
    lines, before = [HEAD], sections()
    for op in evidence.accepted():
        if op in evidence.ELSEWHERE or op not in variation.bases():
            where = evidence.ELSEWHERE.get(op, "tests/conformance, none of them generated")
            lines += [f"## {op}", "", f"- cases: {where}; `docs/ops.md` says what is refused", ""]
        elif op in by_op:
            lines += section(op, by_op[op])
        else:
            lines += [f"## {op}", "", *before.get(op, ()), ""]
    return "\n".join(lines).rstrip() + "\n"


def sections():
    """op -> its lines on the page as it is"""
    by_op, op = {}, None
    for line in PAGE.read_text().splitlines() if PAGE.exists() else ():
        if line.startswith("## "):
            op = by_op.setdefault(line[3:], [])
        elif op is not None and line:
            op.append(line)
    return by_op


def missing(probe, outcome, page):
    """What the outcome shows and the page does not say."""
    lines = page.get(probe.op, ())
    wrong = []
    for fact in facts(probe, outcome):
        if fact.kind == "kernel":
            held = fact.value == "reference" or not any("**the reference evaluator alone**" in line for line in lines)
        elif fact.kind == "refused":
            held = f"- refused, `{fact.what}`: {fact.value}" in lines
        elif fact.kind in ("value", "rank"):
            held = any(line.startswith(f"- {fact.kind}s of `{fact.what}`: ") and fact.value in line.partition(": ")[2].split(", ") for line in lines)
        else:
            told = [part for line in lines if line.startswith(f"- `{fact.what}`: ") for part in line.partition(": ")[2].split(", ")]
            held = fact.value in told or (fact.state == "reference" and f"{fact.value} *reference*" in told)
        if not held:
            wrong.append(fact)
    return wrong
