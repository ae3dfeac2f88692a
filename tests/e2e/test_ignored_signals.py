"""Signals that whoever starts `graft` has it ignore (nohup, a shell's background jobs) do not stop it."""
import os
import pathlib
import signal
import subprocess
import time

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release"))
GRAFT = BUILD / "python" / "graftrt" / "bin" / "graft"


@pytest.mark.parametrize("number", (signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
def test_Q10_an_ignored_signal_stops_nothing(number, tmp_path):
    import digits
    np.savez(tmp_path / "feeds.npz", input=np.tile(digits.load()[2].astype(np.float32), (20, 1, 1, 1)))
    process = subprocess.Popen([GRAFT, "calibrate", ROOT / "examples" / "digits_cnn.pb", "--feeds", tmp_path / "feeds.npz", "--calibration-batch", "1",
                                "--calibrator", "minmax", "-o", tmp_path / "table.json"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(number, signal.SIG_IGN))
    sent = 0
    while process.poll() is None:  # some arrive before main, some while it runs
        process.send_signal(number)
        sent += 1
        time.sleep(0.005)
    assert process.returncode == 0, process.stderr.read()
    process.stderr.close()
    assert sent > 3 and (tmp_path / "table.json").exists()
