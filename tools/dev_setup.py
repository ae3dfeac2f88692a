"""`./dev setup`: system packages and virtual environments; does nothing where all is there."""

import hashlib
import os
import shutil
import subprocess
import sys

import dev_common as common

APT = ("cmake ninja-build g++ libprotozero-dev libflatbuffers-dev flatbuffers-compiler libcli11-dev libgtest-dev "
       "libbenchmark-dev nlohmann-json3-dev").split()
APT_OPTIONAL = ["ccache", "libminizip-dev", "zlib1g-dev"]
PYTHONS = ("python3.11", "python3.12", "python3.13")


def _missing(packages):
    if not common.have("dpkg-query"):
        return []
    result = common.run(["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *packages], check=False,
                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    installed = {line.split()[0] for line in result.stdout.splitlines() if line.endswith("ok installed")}
    return [package for package in packages if package not in installed]


def _python_has_venv(python):
    return common.run([python, "-c", "import venv, ensurepip"], check=False, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode == 0


def _base_python():
    """An interpreter for which TensorFlow has wheels."""
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return sys.executable
    found = next((p for p in PYTHONS if common.have(p)), None)
    return found or common.die("needs Python 3.11 to 3.13, for which TensorFlow 2.21 has wheels")


def system_packages():
    """Installs what is missing by apt-get (as root or by sudo); with nothing missing, apt is not called."""
    missing = _missing(APT)
    if not _python_has_venv(_base_python()):
        missing.append("python3-venv")
    install(missing, [] if common.have("ccache") else _missing(APT_OPTIONAL))


def install(missing, optional=()):
    """Installs Debian packages; the optional ones as far as they can be had."""
    missing, optional = list(missing), list(optional)
    if not missing:
        return
    if not common.have("apt-get"):
        common.die("install with your package manager what Debian calls: " + " ".join(missing))
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and not common.have("sudo"):
        common.die("not root and no sudo; install: apt-get install " + " ".join(missing + optional))
    env = dict(common.environment(), DEBIAN_FRONTEND="noninteractive")
    command = [*root, "apt-get", "-qq", "install", "-y", "--no-install-recommends"]
    common.run([*root, "apt-get", "-qq", "update"], env=env)
    for packages in (missing + optional, missing):  # the optional ones must not stand in the way
        if common.run([*command, *packages], env=env, check=False, stdout=subprocess.DEVNULL).returncode == 0:
            return
    common.die("apt-get could not install: " + " ".join(missing))


def make_venv(venv, requirements):
    """Creates or updates a virtual environment; its stamp says which requirements it holds."""
    pins = common.ROOT / "requirements" / requirements
    stamp = venv / ".requirements"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    if not (venv / "bin" / "python").exists():
        shutil.rmtree(venv, ignore_errors=True)
        common.run([_base_python(), "-m", "venv", venv])
    print(f"installing requirements/{requirements} ...", flush=True)
    common.run([venv / "bin" / "python", "-m", "pip", "install", "-q", "--no-input", "-r", pins])
    stamp.write_text(digest)


def setup():
    system_packages()
    make_venv(common.VENV, "dev.txt")


def main(_, arguments):
    setup()
    if "--peers" in arguments:
        make_venv(common.PEERS_VENV, "peers.txt")
    print("ready")
    return 0
