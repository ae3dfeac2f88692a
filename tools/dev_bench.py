"""`./dev bench` and `./dev bench-compare`: benchmarks/bench.py, layers.py or ops.py in the virtual environment."""

import sys

import dev_build
import dev_common as common
import dev_setup


def main(command, arguments):
    dev_setup.setup()
    script = common.ROOT / "benchmarks" / "bench.py"
    if command == "bench-compare":
        if len(arguments) != 2:
            common.die("usage: ./dev bench-compare BEFORE.json AFTER.json")
        arguments = ["compare", *arguments]
    elif not any(a in ("-h", "--help", "--absolute", "--report") for a in arguments):
        dev_build.build()
    if "--layers" in arguments:
        dev_setup.make_venv(common.PEERS_VENV, "peers.txt")
        script = script.with_name("layers.py")
        arguments = [a for a in arguments if a != "--layers"]
    if "--ops" in arguments:
        script = script.with_name("ops.py")
        arguments = [a for a in arguments if a != "--ops"]
    sys.stdout.flush()
    return common.run([common.PYTHON, script, *arguments], check=False).returncode
