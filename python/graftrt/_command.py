"""The `graft` command of an installed wheel: runs the C++ program that lies in the package."""

import os
import pathlib
import sys

from . import _graftrt


def main():
    program = pathlib.Path(_graftrt.__file__).parent / "bin" / "graft"
    os.execv(program, [str(program), *sys.argv[1:]])
