#!/usr/bin/env python3
"""Writes src/graphdef/output_names.inc from the op registry of the installed TensorFlow.

One row an op whose outputs are not a single one called "output": names joined by commas; "name*attr" for as many as an
int attribute says, "name@attr" for one per type of a list attribute.
"""

import pathlib

from tensorflow.python.framework import op_def_registry  # noqa: F401  (fills the registry)
from tensorflow.python.client import pywrap_tf_session
from tensorflow.core.framework import op_def_pb2

TARGET = pathlib.Path(__file__).resolve().parent.parent / "src" / "graphdef" / "output_names.inc"


def describe(arg):
    if arg.number_attr:
        return f"{arg.name}*{arg.number_attr}"
    if arg.type_list_attr:
        return f"{arg.name}@{arg.type_list_attr}"
    return arg.name


def main():
    ops = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    rows = {}
    for op in ops.op:
        outputs = ",".join(describe(arg) for arg in op.output_arg)
        if outputs != "output" and not op.name.startswith("_"):
            rows[op.name] = outputs
    lines = ["// Written by tools/gen_output_names.py; sorted by op.\n"]
    lines += [f'{{"{name}", "{rows[name]}"}},\n' for name in sorted(rows, key=lambda n: n.encode())]
    TARGET.write_text("".join(lines))


if __name__ == "__main__":
    main()
