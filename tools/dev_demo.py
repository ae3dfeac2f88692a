"""`./dev demo [NETWORK...]`: from nothing to a converted ResNet50 that runs in TensorFlow."""

import sys

import dev_build
import dev_common as common
import dev_setup


def main(_, arguments):
    dev_setup.setup()
    dev_build.build()
    command = [common.PYTHON, common.ROOT / "tools" / "demo.py"]
    sys.stdout.flush()
    status = common.run([*command, *arguments], check=False).returncode
    if status and not arguments:
        print("ResNet50 did not work; the digits CNN instead:", flush=True)
        common.run([*command, "digits_cnn"], check=False)
    return status
