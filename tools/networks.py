#!/usr/bin/env python3
"""Frozen networks for tests, benchmarks and demos, made on demand and cached under build/networks.

    tools/networks.py                 make every network of the default set
    tools/networks.py resnet50 vgg16  make these
    tools/networks.py --list          name all
    tools/networks.py --check NAME    make NAME and check that its outputs discriminate (network_check.py)

From Python: `networks.get("resnet50")` gives a `Network`; it imports TensorFlow only where the network is not cached.
Each NAME.pb has a NAME.json: inputs (dtype, shape with null for open dims, range), `logits` (tensor before softmax),
`outputs`, nodes, bytes, sha256. The cache is keyed by the source that makes the network and TensorFlow's version.
"""

import argparse
import contextlib
import dataclasses
import fcntl
import hashlib
import importlib.metadata
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import network_weights  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("GRAFT_NETWORKS_DIR", ROOT / "build" / "networks"))
MODULES = {
    "network_keras": "resnet50 mobilenetv2 inceptionv3 efficientnetb0 vgg16 densenet121 toy_resnet toy_mobile".split(),
    "network_bert": "bert_base bert_base_tf1 mini_bert mini_bert_mask mini_bert_dynamic mini_bert_tf1".split(),
    "network_tf1": "resnet50_tf1 toy_tf1".split(),
    "network_dense": "unet unet_bilinear bifpn".split(),
    "network_translator": "translator translator_cached".split(),
    "network_sequence": "tagger forecaster".split(),
    "network_tabular": "wide_and_deep".split(),
}
USES = {"network_dense": ["network_keras"]}  # modules whose source makes a module's networks too
FULL = "resnet50 mobilenetv2 inceptionv3 efficientnetb0 vgg16 densenet121 bert_base resnet50_tf1 bert_base_tf1".split()
SMALL = "toy_resnet toy_mobile toy_tf1 mini_bert mini_bert_mask mini_bert_dynamic mini_bert_tf1".split()
SMALL += "unet unet_bilinear bifpn translator translator_cached tagger forecaster wide_and_deep".split()


@dataclasses.dataclass(frozen=True)
class Network:
    """A cached frozen network: `path` of its .pb and the metadata described above."""

    name: str
    path: pathlib.Path
    meta: dict

    @property
    def logits(self):
        return self.meta["logits"]

    @property
    def output(self):
        return self.meta["outputs"][0]

    def graph_def(self):
        """The parsed GraphDef (needs TensorFlow)."""
        from tensorflow.core.framework import graph_pb2

        return graph_pb2.GraphDef.FromString(self.path.read_bytes())

    def feeds(self, batch=1, seed=0, length=None):
        """{input name: array} of `batch` seeded examples; `length` for networks with an open sequence length."""
        result = {}
        for name, spec in self.meta["inputs"].items():
            if spec["dtype"] == "float32":
                array = _numbers(spec["shape"][1:], batch, seed, spec["low"], spec["high"])
            else:
                array = network_weights.tokens(spec["vocabulary"], batch, spec["shape"][1] or length or 16, seed)
            result[name] = array
            if name == "mask":  # the tail of each sequence is padding
                steps = array.shape[1]
                keep = steps - (7 * network_weights.np.arange(batch) + seed) % (steps // 2)
                result[name] = (network_weights.np.arange(steps) < keep[:, None]).astype("int32")
        return result


def _numbers(shape, batch, seed, low, high):
    """Images, rows of images or, of another rank, independent numbers."""
    if len(shape) < 3:
        return network_weights.np.random.default_rng([seed, *shape]).uniform(low, high, (batch, *shape)).astype("float32")
    *frames, height, width, channels = shape
    count = batch * int(network_weights.np.prod(frames, dtype=int))
    return network_weights.images((height, width, channels), count, seed, low, high).reshape(batch, *shape)


def _recipe(module):
    """Identity of what makes a module's networks."""
    digest = hashlib.sha256(importlib.metadata.version("tensorflow").encode())
    for source in ("network_weights", *USES.get(module, []), module):
        digest.update((pathlib.Path(__file__).parent / f"{source}.py").read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def _locked(name):
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cached(name):
    """The cached network, whatever its recipe: for processes without TensorFlow."""
    return Network(name, CACHE / f"{name}.pb", json.loads((CACHE / f"{name}.json").read_text()))


def get(name):
    """The network called `name`, made if it is not cached or its recipe has changed."""
    module = next((m for m, names in MODULES.items() if name in names), None)
    if module is None:
        raise KeyError(f"no network {name!r}; there are {', '.join(FULL + SMALL)}")
    graph_path, meta_path = CACHE / f"{name}.pb", CACHE / f"{name}.json"
    recipe = _recipe(module)
    with _locked(name):
        if meta_path.exists() and graph_path.exists():
            meta = json.loads(meta_path.read_text())
            if meta["recipe"] == recipe and meta["bytes"] == graph_path.stat().st_size:
                return Network(name, graph_path, meta)
        graph, meta = __import__(module).frozen(name)
        data = graph.SerializeToString(deterministic=True)
        meta |= {"name": name, "nodes": len(graph.node), "bytes": len(data), "recipe": recipe}
        meta["sha256"] = hashlib.sha256(data).hexdigest()
        for path, content in ((graph_path, data), (meta_path, json.dumps(meta, indent=1).encode())):
            temporary = path.with_suffix(path.suffix + ".tmp")
            temporary.write_bytes(content)
            temporary.rename(path)
    return Network(name, graph_path, meta)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="networks (default: all but bert_base_tf1)")
    parser.add_argument("--small", action="store_true", help="the small ones, and NAMES if given")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true", help="also check activations and discrimination")
    options = parser.parse_args()
    if options.list:
        print("\n".join(FULL + SMALL))
        return 0
    everything = not options.names and not options.small
    names = SMALL * (options.small or everything) + options.names
    names += [n for n in FULL if n != "bert_base_tf1"] * everything
    failed = False
    for name in names:
        start = time.perf_counter()
        network = get(name)
        seconds = time.perf_counter() - start
        print(f"{name:18} {network.meta['nodes']:6} nodes {network.meta['bytes'] / 1e6:8.1f} MB {seconds:6.1f} s"
              f"  {network.meta['sha256'][:12]}", flush=True)
        if options.check:
            import network_check

            result = network_check.check(network)
            failed |= not result.passed
            print("    " + result.text(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
