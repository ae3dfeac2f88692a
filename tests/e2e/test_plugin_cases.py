"""tests/tf_host/cases.txt in TensorFlow: what the host of the plugin's C++ tests does must be what TensorFlow does."""

import numpy as np
import plugin_host
import pytest

X = np.array([0, 1, 2, -3], np.float32)


def _cases():
    for line in (plugin_host.ROOT / "tests" / "tf_host" / "cases.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, *words = line.split()
            yield pytest.param([word.split("=", 1) for word in words], id=name)


def _attr(text):
    if text in ("true", "false"):
        return text == "true"
    number = not text.strip("-0123456789") and len(text) < 25
    return int(text) if number else text


@pytest.mark.parametrize("pairs", list(_cases()))
def test_case(pairs, monkeypatch):
    plugin = plugin_host.load()
    plugin.reset()
    keys = dict(pairs)
    attrs = {key[5:]: _attr(value) for key, value in pairs if key.startswith("attr.")}
    function = keys.get("function", "yes") == "yes"
    graph_def = plugin_host.mixed_graph(plugin_host.make_plan(keys["plan"]), function=function, attrs=attrs)
    for key, value in pairs:
        if key.startswith("env."):
            monkeypatch.setenv(key[4:], value)
    x = X.reshape(2, 2) if keys.get("rank") == "2" else X
    try:
        for key, value in pairs:
            if key.startswith("option."):
                plugin.set_option(key[7:], value)
        code, message = "OK", ""
        runner = plugin_host.SessionRunner(graph_def)
        try:
            plugin_host.check(runner(x), x)
        except Exception as error:  # every class of tf.errors
            code, message = type(error).__name__.removesuffix("Error"), str(error)
        finally:
            runner.close()
        assert code.lower() == keys["code"].replace("_", "").lower(), message
        assert keys.get("says", "").replace("_", " ") in message.replace("_", " ")
        assert plugin.counts() == (int(keys["engine"]), int(keys["native"]))
    finally:
        plugin.reset()
