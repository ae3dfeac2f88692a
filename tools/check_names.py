#!/usr/bin/env python3
"""Which test covers which id of the catalogue of bad inputs and faults; ids are part of the tests' names.

Ids stand in the names of GoogleTest cases and pytest functions, in the first column of tables of cases, and in cases.txt.

    check_names.py            fails for an id that the catalogue does not have, and when the table is out of date
    check_names.py --write    writes docs/robustness-coverage.md
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "robustness-coverage.md"
GROUPS = {
    "W": "GraphDef wire level",
    "S": "Graph structure",
    "A": "Node attributes",
    "T": "Tensors",
    "C": "Functions and control flow",
    "O": "Converter options",
    "Q": "Calibration",
    "L": "Plan bytes",
    "D": "Directories",
    "I": "Run-time inputs",
    "X": "Resource exhaustion",
    "M": "Concurrency",
    "G": "GPU faults",
    "Z": "Process kill and file writes",
}
CATALOGUE = """
W1 0-byte file (a valid empty GraphDef)
W2 truncated at each byte offset
W3 pbtxt, SavedModel.pb, ONNX, TFLite, zip, gzip or checkpoint given as frozen
W4 > 2^31-1 bytes, or a result that would exceed it
W5 varint of 11 bytes, length > remaining, length near 2^64
W6 wrong wire type for name/op (becomes an unknown field, so an unnamed node)
W7 nesting past 100: AttrValue list/func, variant_val
W8 unknown fields, groups
W9 two library or versions sections, repeated singular fields
W10 duplicate attr keys in one node
W11 invalid UTF-8, NUL, newline, ANSI escapes, 1 MB names
W12 10^7 tiny nodes in 100 MB; 10^6 empty attrs
W13 packed and unpacked mix, fields out of order, re-serialized by another library
W14 min_consumer above ours, bad_consumers hit, producer newer
W15 file shrinks or changes while read (mmap SIGBUS)
W16 input is FIFO, directory, /dev/zero, sparse 1 TB file
S1 duplicate node names; empty or illegal name
S2 input names a missing node
S3 output index out of range, negative, 20 digits; :0, ^, ^n:0, a:b:c
S4 data input after a control input
S5 self-loop, 2-cycle, 10^5-node cycle without NextIteration
S6 legal v1 loop (Enter/Merge/Switch/NextIteration/Exit)
S7 Exit without Enter, crossed frames, two frame names
S8 dead tensors (Switch/Merge) on a segment edge
S9 too few or many inputs for the op
S10 unknown op (user custom op)
S11 requested output missing / listed twice / name:0 / ^name / Placeholder /
S12 empty outputs list; input name also an output
S13 contraction that would close a cycle (diamond through a native node)
S14 one tensor feeding two engines and a native node; same tensor twice into one
S15 existing nodes or functions with the names we generate
S16 an already converted graph
S17 chain of 10^6 nodes
S18 10^5 fan-out, dense DAG, 10^4 disconnected islands
S19 nodes unreachable from outputs, with side effects
S20 device strings, colocation loc:@x crossing a segment
S21 stateful ops (random, Print, Assert, WriteFile) inside a candidate region
S22 resource, variant, string, ref edges
S23 control edges into and out of a segment
S24 variables present (not frozen)
S25 segment with no data inputs, or all constants
S26 shape inference unknown rank everywhere
A1 required attr missing or of wrong kind
A2 unknown or _private attrs
A3 dtype enum 9999, DT_INVALID, _REF; T not equal to the edge's dtype
A4 strides/ksize/dilations 0, negative, INT64_MAX, wrong length, batch stride !=
A5 padding "FOO"; EXPLICIT with missing, odd, negative or huge list
A6 data_format unknown or 1 char; NCHW on CPU
A7 VALID kernel larger than input -> output dim <= 0
A8 axis/perm out of range, duplicated, below -rank
A9 BN epsilon 0, negative, NaN; is_training=true
A10 num_split 0; split sizes negative or wrong sum; N != inputs, N=2^31
A11 channel/group mismatch, in-channels 0
A12 shape attr: 255 dims, -5, unknown_rank plus dims
A13 num_bits 0/1/64, min>max, min==max, NaN, narrow_range
A14 list attr with 10^8 entries (8-bit packed)
A15 func attr naming a missing function
A16 our op: precision "INT9", workspace -1 or 2^63, IO count or shapes not
A17 our op renamed or copied twice with the same plan
A18 our op loaded by a TF of another version/ABI, or without the library
T1 tensor_content length != product x size (short, long, not a multiple)
T2 typed values: more than elements; fewer (last repeats); none with non-empty
T3 dims product overflows int64; x element size overflows; 2^40 elements; dim -1
T4 splat bomb: shape [2^30], one float_val
T5 zero-element weights, scalar where vector is due, rank 5
T6 string/resource/variant Const; dtype invalid with 0 elements
T7 half_val > 0xFFFF, bool 7, int8 value 400
T8 NaN, Inf, denormal, -0.0 in weights
T9 FP16 mode: abs(w) > 65504, or all underflow to 0
T10 INT8: channel all zero; scale underflow; one NaN
T11 misaligned tensor bytes
T12 one 500 MB Const used by 3 segments
T13 allocation size read from a tensor value (Reshape, Tile, Fill, Range, Pad
C1 self or mutual recursion
C2 60 functions each calling the next twice (2^60 inline)
C3 missing, duplicate (different bodies) or 10^4-deep functions
C4 ret map or arg index out of range, unknown node:out:idx
C5 If/While/Case/PartitionedCall bodies
C6 user function named like our native-segment function
C7 engine inside a While body, 10^5 iterations
C8 constant infinite While reached by folding
O1 unknown precision, unknown keyword, typo
O2 min_segment_size 0, -1, -2, > node count
O3 max_batch 0, -1, 2^31; workspace 0, -1, "1GB", > device
O4 INT8 with neither calibration nor Q/DQ
O5 output path = input path, existing, directory, symlink, no permission
O6 CUDA asked on a host with none; device index 99
O7 comma-decimal locale, TZ, LANG=C with UTF-8 paths
O8 threads 0, -1, 10^6
O9 Python: None, str for bytes, wrong proto class, other protobuf runtime
O10 Ctrl-C during build
O11 denylist/allowlist naming nothing
O12 env vars with garbage values
Q1 finish with no data fed
Q2 last batch smaller, or larger than max
Q3 wrong dtype, rank, missing feed
Q4 one NaN or Inf in an activation
Q5 constant, all-zero or single-value histogram
Q6 post-ReLU one-sided; outlier 10^30; denormal range
Q7 range grows on later batches
Q8 batches permuted; same data split differently
Q9 tensor never produced (dead branch, While not entered)
Q10 feeder raises, Ctrl-C, SIGKILL in mid-calibration
Q11 two threads or sessions feed one calibration graph; feed after finish; finish
Q12 calibration graph shipped to serving by mistake
Q13 table corrupt, truncated, other model/version, scale 0, negative, NaN, 1e38
Q14 table from another graph with the same tensor names
Q15 10^5 tensors x long run
L1 empty; truncated at every byte; trailing bytes
L2 each byte flipped (every offset, 3 mutations)
L3 wrong magic, older or newer format
L4 other CPU feature set, GPU arch, backend or library build
L5 section lengths overflow, overlap, holes, unaligned
L6 consistent checksum, hostile content: unknown op id, buffer index out of
L7 plan swapped between two nodes, or stale after the native function was edited
L8 plan IO arity, dtype, rank != node attrs
L9 plan demands 1 TB workspace
L10 size or ratio bomb if compressed
L11 every plan of every past release (golden set)
L12 NaN scale, zero scale, zero-point out of range inside
D1 missing, read-only, a file, not ours, world-writable
D2 entry truncated, zero length, bit-flipped, garbage
D3 same structure, other weights
D4 same weights, other static shapes, precision, calibration
D5 library upgrade, driver change, other CPU in a shared directory
D6 key collision forced in test (truncated hash)
D7 8 processes insert one key; readers meanwhile
D8 disk full, quota, EMFILE, EIO, read-only remount
D9 evicted or deleted while mapped
D10 stale temp and lock files of dead processes; NFS without locks
D11 hostile op or model name (../../x, 300 chars, case-folding FS)
D12 symlink/hardlink planted at entry or temp name
D13 clock jumps, equal mtimes
D14 10^5 entries
I1 batch 0
I2 batch > max_batch; unseen shape; wrong rank vs partial shape
I3 1000 distinct shapes in a loop
I4 NaN, Inf, denormal, -0.0 inputs
I5 > 2^31 elements or bytes
I6 unaligned, forwarded or aliased buffers; same tensor in two inputs
I7 host tensor to GPU op, int32 on host, op placed on CPU but plan for CUDA
I8 fetch or feed of a node swallowed by a segment
I9 session cancel or deadline during a run
I10 strict mode on and a fallback needed
X1 n-th malloc/new fails, for every n, in convert, build, load, run, calibrate
X2 device OOM in build, context creation, run
X3 workspace cap below every algorithm
X4 TensorFlow holds all GPU memory
X5 thread creation, fd, mmap limits hit; 64 KiB stacks; ulimit -v
X6 OOM-killer during build
X7 build time budget exceeded
X8 1.9 GB model convert
M1 64 threads, one engine, mixed shapes
M2 64 threads hit first use together
M3 two different models with equal op names in one process
M4 two sessions of one model; one closes while the other runs
M5 inter-op pool of size 1; op inside function inside While
M6 build or calibration in one thread, inference in another
M7 fork() after use
M8 exception, cancel or signal in one thread
M9 process exit with work in flight (no unload)
M10 1 vs 2 vs N threads throughput
G1 no device, driver too old, MIG slice, device hidden after convert
G2 non-sticky error (OOM, bad launch) injected at every CUDA call
G3 sticky error (illegal address in a subprocess test, ECC, Xid 79)
G4 error left by someone else pending at entry; async error surfacing later
G5 no kernel image for this arch
G6 stream under graph capture
G7 NaN/Inf by FP16 overflow or TF32
G8 uninitialised or out-of-bounds device access
Z1 SIGKILL before/after every I/O call in: save graph, save table, cache insert
Z2 short write, EINTR, ENOSPC at write/close, EDQUOT
Z3 fsync returns EIO
Z4 rename across devices (EXDEV); target is symlink, FIFO, /dev/stdout
Z5 power loss: reordered writes (replay of logged writes)
Z6 mode, owner, umask of replaced file
Z7 two writers of one output path
Z8 kill during mixed multi-file output (graph + tables)
"""
CASE = re.compile(r"(?:TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+)\s*,\s*(\w+)\s*\)|^\s*def (test_\w+)", re.M)
PARAMETER = re.compile(r"""^\s*\(["']([A-Z]\d{1,2}_\w+)["'],|\bid=["']([A-Z]\d{1,2}_\w+)["']""", re.M)  # a row of a table of cases
LINE = re.compile(r"^([A-Z]\d{1,2}_\w+) ", re.M)  # a case a line, in files of cases
ID = re.compile(r"(?<![A-Za-z0-9])([A-Z]\d{1,2})(?![A-Za-z0-9])")


def catalogue():
    """Id -> what it is, in the catalogue's order."""
    return dict(line.split(" ", 1) for line in CATALOGUE.strip().splitlines())


def tests_of(path, relative):
    """(name as the table shows it, the part that may hold ids) of every test and case in a file."""
    text = path.read_text(errors="replace")
    if path.name == "cases.txt":
        return [(f"{relative}::{case}", case) for case in LINE.findall(text)]
    tests = [(f"{suite}.{case}" if case else f"{relative}::{function}", case or function)
             for suite, case, function in CASE.findall(text)]
    if path.suffix == ".py":
        tests += [(f"{relative}::{row or ident}", row or ident) for row, ident in PARAMETER.findall(text)]
    return tests


def covered(root=ROOT):
    """Id -> names of tests, and what is wrong."""
    known, found, problems = catalogue(), {}, []
    for path in sorted((root / "tests").rglob("*")):
        if not path.is_file() or (path.suffix not in (".cc", ".py") and path.name != "cases.txt"):
            continue
        relative = path.relative_to(root / "tests").as_posix()
        for name, words in tests_of(path, relative):
            for ident in ID.findall(words.replace("_", " ")):
                if ident in known:
                    found.setdefault(ident, []).append(name)
                elif ident[0] in GROUPS:
                    problems.append(f"{relative}: {name} names {ident}, which is not in the catalogue")
    return found, problems


def table(found):
    known = catalogue()
    lines = ["# Which test covers which bad input or fault", "",
             "Written by `tools/check_names.py --write` from the names of the tests.", "",
             f"{sum(i in found for i in known)} of {len(known)} rows have a test of their name.", ""]
    for letter, title in GROUPS.items():
        lines += [f"## {title}", "", "| id | bad input or fault | tests |", "|---|---|---|"]
        for ident, what in known.items():
            if ident[0] == letter:
                names = ", ".join(f"`{n}`" for n in sorted(set(found.get(ident, ()))))
                lines.append(f"| {ident} | {what} | {names} |")
        lines.append("")
    return "\n".join(lines)


def main(argv):
    found, problems = covered()
    text = table(found)
    if "--write" in argv:
        TABLE.write_text(text)
    elif not TABLE.exists() or TABLE.read_text() != text:
        problems.append("docs/robustness-coverage.md is out of date: run tools/check_names.py --write")
    print("\n".join(problems) or "names: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
