#!/usr/bin/env python3
"""Checks the objects of ISA-named translation units (`*_avx2.cc`, `*_avx512.cc`, ...) in a build folder.

Each may define only symbols of its own ISA namespace: a weak copy of a shared inline function, compiled for AVX-512,
could be picked by the linker for everybody. And none may run code at load time, before the ISA is known to exist.
Usage: check_isa_symbols.py <build folder>
"""

import pathlib
import re
import subprocess
import sys

ISA_OBJECT = re.compile(r"_(avx2|avxvnni|avx512(?:vnni|bf16|_\w+?)?|amx)\.cc\.o$")
HARMLESS = re.compile(r"^(DW\.ref\.__gxx_personality_v0|__asan_\w+|__odr_asan\S*|__tsan_\w+|asan\.module_ctor)$")


def problems_of(path: pathlib.Path, isa: str) -> list[str]:
    found = []
    # "address type name" lines; capital types are visible to the linker, u is unique, v and w are weak.
    listing = subprocess.run(["nm", "-C", "--defined-only", path], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        match = re.match(r"^[0-9a-f]* *([A-Zuvw]) (.*)$", line)
        if match and f"isa_{isa}::" not in match.group(2) and not HARMLESS.match(match.group(2)):
            found.append(f"{path}: defines {match.group(2)} ({match.group(1)}) outside isa_{isa}")
    sections = subprocess.run(["objdump", "-h", path], check=True, capture_output=True, text=True).stdout
    if re.search(r"\s\.(init_array|ctors)\b", sections) and "asan" not in listing and "tsan" not in listing:
        found.append(f"{path}: runs code at load time (.init_array)")
    return found


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    objects = [(p, m.group(1)) for p in sorted(pathlib.Path(sys.argv[1]).rglob("*.o")) if (m := ISA_OBJECT.search(p.name))]
    if not objects:
        print(f"check_isa_symbols: no ISA objects under {sys.argv[1]}", file=sys.stderr)
        return 1
    problems = [text for path, isa in objects for text in problems_of(path, isa)]
    for text in problems:
        print(text, file=sys.stderr)
    print(f"check_isa_symbols: {len(objects)} objects, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
