"""Scoped options: `with graftrt.options(deny_ops=[...]):` reaches code that can't pass them."""

import contextlib
import contextvars
import os

from .errors import InvalidArgument

# Options of conversion that every entry point takes from the scope, with what they must be.
_CONVERT = {
    "deny_ops": list, "allow_ops": list, "deny_nodes": list, "allow_nodes": list,
    "max_engines": int, "engine_name_format": str, "native_segments": bool, "disabled_passes": list,
    "verify_each_pass": bool, "round_trip_plans": bool, "dump_dir": str, "time_budget_s": float,
    "memory_limit_bytes": int, "fp32_math": str, "keep_float": list, "int8_per_tensor_weights": bool,
}
# Options of calibration; Python reads them.
_CALIBRATION = {"calibrator": str, "percentile": float, "ignore_non_finite": bool, "ranges": dict}
# Options of running; they reach the plugin.
_RUN = {"strict": (bool, str), "fail_engines": list, "fail_engine_runs": list, "calibration_dir": (str, os.PathLike)}

_scope = contextvars.ContextVar("graftrt_options", default={})


def _check(name, value):
    expected = _CONVERT.get(name) or _CALIBRATION.get(name) or _RUN.get(name)
    if expected is None:
        known = ", ".join(sorted({**_CONVERT, **_CALIBRATION, **_RUN}))
        raise InvalidArgument(f"unknown option {name!r}; the options are {known}")
    if expected is float and isinstance(value, int):
        return float(value)
    if expected is list and isinstance(value, (tuple, set)):
        return list(value)
    if expected is list and isinstance(value, str):
        return [value]
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise InvalidArgument(f"option {name}: got {value!r}, expected {expected}")
    return value


@contextlib.contextmanager
def options(**kwargs):
    """Scopes options over the code inside the `with` block.

    Conversion options apply to conversions that start inside; `strict` and `fail_engines` apply to engines that are
    loaded or run inside, in the whole process.
    """
    checked = {name: _check(name, value) for name, value in kwargs.items()}
    merged = {**_scope.get(), **checked}
    token = _scope.set(merged)
    from . import plugin
    try:
        if any(name in _RUN for name in checked):
            plugin.apply_run_options(merged)
        yield
    finally:
        _scope.reset(token)
        if any(name in _RUN for name in checked):
            plugin.apply_run_options(_scope.get())


def current():
    """The options of the innermost scope, as a dict."""
    return dict(_scope.get())


def _env_int(name):
    text = os.environ.get(name)
    if text is None or text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidArgument(f"environment variable {name}: got {text!r}, expected an integer") from None


def conversion_defaults():
    """Options for the extension module from the scope and from the environment variables that TF-TRT honoured."""
    scoped = current()
    result = {k: v for k, v in scoped.items() if k in _CONVERT and k != "fp32_math"}
    if scoped.get("fp32_math", "fast") not in ("fast", "strict"):
        raise InvalidArgument(f"fp32_math: got {scoped['fp32_math']!r}, expected 'fast' or 'strict'")
    result["strict_math"] = scoped.get("fp32_math") == "strict"
    result["strict"] = bool(scoped.get("strict", False))
    result["strict_all"] = scoped.get("strict") == "all"
    denied = os.environ.get("TF_TRT_OP_DENYLIST")
    if denied:
        result["deny_ops"] = list(result.get("deny_ops", [])) + [op for op in denied.split(",") if op]
    if "max_engines" not in result:
        cap = _env_int("TF_TRT_MAX_ALLOWED_ENGINES")
        if cap is not None:
            result["max_engines"] = cap
    return result
