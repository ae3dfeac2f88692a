"""Converters for ops of your own: functions that write one TensorFlow node as IR ops (docs/converters.md)."""

import functools
import inspect

import numpy as np

from ._dtypes import ENGINE_DTYPES, dtype_number, numpy_dtype
from ._native import native
from .errors import InvalidArgument


class Tensor:
    """A tensor of the engine, within one call of a converter; of no use outside of it."""

    def __init__(self, node, handle):
        self._node = node
        self._handle = handle

    @property
    def dtype(self):
        """NumPy's dtype."""
        return numpy_dtype(self._node._native.type(self._handle)[0])

    @property
    def shape(self):
        """Extents; None for those that are not known while converting."""
        return tuple(None if extent < 0 else extent for extent in self._node._native.type(self._handle)[1])


class Node:
    """One node, as a converter sees it, and what the converter makes of it."""

    def __init__(self, node):
        self._native = node

    @property
    def name(self):
        return self._native.name

    @property
    def op(self):
        return self._native.op

    # Attributes. Each that the node has must be read or ignored, but those that begin with "_". Without a default one that is
    # missing raises.
    _REQUIRED = object()

    def has_attr(self, name):
        return self._native.has_attr(name)

    def _attr(self, kind, name, default):
        if default is not Node._REQUIRED and not self._native.has_attr(name):
            return default
        return self._native.attr(kind, name)

    def attr_int(self, name, default=_REQUIRED):
        return self._attr("int", name, default)

    def attr_float(self, name, default=_REQUIRED):
        return self._attr("float", name, default)

    def attr_bool(self, name, default=_REQUIRED):
        return self._attr("bool", name, default)

    def attr_string(self, name, default=_REQUIRED):
        """bytes, as TensorFlow's strings are."""
        return self._attr("string", name, default)

    def attr_type(self, name, default=_REQUIRED):
        """NumPy's dtype; raises for a dtype that no engine has."""
        return default if default is not Node._REQUIRED and not self.has_attr(name) else _engine_dtype(name, self._native.attr("type", name))

    def attr_shape(self, name, default=_REQUIRED):
        """Extents, None for unknown ones; raises for a shape of unknown rank."""
        if default is not Node._REQUIRED and not self.has_attr(name):
            return default
        return tuple(None if extent < 0 else extent for extent in self._native.attr("shape", name))

    def attr_tensor(self, name):
        return _array(self._native.attr("tensor", name))

    def attr_ints(self, name, default=_REQUIRED):
        return self._attr("ints", name, default)

    def attr_floats(self, name, default=_REQUIRED):
        return self._attr("floats", name, default)

    def attr_strings(self, name, default=_REQUIRED):
        return self._attr("strings", name, default)

    def attr_types(self, name, default=_REQUIRED):
        if default is not Node._REQUIRED and not self.has_attr(name):
            return default
        return [_engine_dtype(name, number) for number in self._native.attr("types", name)]

    def ignore(self, *names):
        """Attributes that do not change the answer."""
        for name in names:
            self._native.ignore(name)

    @property
    def inputs(self):
        """Data inputs, as a tuple of Tensor."""
        return tuple(self.input(index) for index in range(self._native.inputs))

    def input(self, index):
        if isinstance(index, bool) or not isinstance(index, int) or index < 0:
            raise InvalidArgument(f"input: got {index!r}, expected a number of at least 0")
        return Tensor(self, self._native.input(index))

    def constant_of(self, tensor):
        """Elements that are known while converting, as an array; raises Unsupported where they are not."""
        return _array(self._native.constant_of(_handle(tensor)))

    def constant(self, value, dtype=None):
        """A constant tensor; value: an array or what numpy.asarray takes, float64 becoming float32 where no dtype is given."""
        array = np.asarray(value, dtype)
        if dtype is None and array.dtype == np.float64 and not isinstance(value, (np.ndarray, np.generic)):
            array = array.astype(np.float32)
        if array.dtype.name not in ENGINE_DTYPES:
            raise InvalidArgument(f"constant: no engine has dtype {array.dtype.name}")
        shape = list(array.shape)
        array = np.ascontiguousarray(array)
        return Tensor(self, self._native.constant(dtype_number(array.dtype), shape, array.ctypes.data, array.nbytes))

    def emit(self, ir_op, *inputs, outputs=None, **attributes):
        """Adds an IR op by its name (docs/ops.md) -> Tensor; with `outputs`, how many it has, a list of them.

        attributes: by their names in src/ir/attrs.h; functions by name (fn="relu", fn="clip(0,6)"), lists of integers, booleans,
        numbers, dtypes.
        """
        text = " ".join(f"{name}={_attribute(name, value)}" for name, value in attributes.items())
        made = self._native.emit(ir_op, [_handle(tensor) for tensor in inputs], text, 1 if outputs is None else outputs)
        tensors = [Tensor(self, handle) for handle in made]
        return tensors[0] if outputs is None else tensors

    def output(self, tensor):
        """The node's next output, in TensorFlow's order. A converter may return its outputs instead."""
        self._native.output(_handle(tensor))

    def refuse(self, reason, hint=""):
        """Raises: the node stays native, whatever was made, and the report says why."""
        self._native.refuse(str(reason), str(hint))


def register_converter(op, function=None, *, name=None, outputs=None, override=False):
    """Registers function(node) as the converter of every node of the TensorFlow op, from the next conversion or Session on.

    A call, or a decorator: `@register_converter("MyOp")`. The function makes IR ops by `node.emit` and returns the node's output, or
    a list of them. What it raises leaves the node native, with the exception's text as the reason in the report. It may be
    called several times for one node, on any thread; the same node must give the same ops.
    name: what reports call it; the function's own. outputs: the op's output arguments, by their names in its definition ("parts*N":
    as many as the int attribute N says, "values@T": one per type of the list T); native segments and functions name tensors by
    them, and without them an engine that holds such a node has no native segment. override: replaces Graft's importer, or the converter that is there.
    """
    if not isinstance(op, str):
        raise InvalidArgument(f"register_converter: got {op!r}, expected the name of a TensorFlow op")
    if function is None:
        return functools.partial(register_converter, op, name=name, outputs=outputs, override=override)
    if not callable(function) or inspect.isclass(function):
        raise InvalidArgument(f"register_converter: got {function!r}, expected a function of one node")
    names = [outputs] if isinstance(outputs, str) else list(outputs or ())
    if not all(isinstance(output, str) for output in names):
        raise InvalidArgument(f"register_converter: outputs: got {outputs!r}, expected names")
    native.register_converter(op, functools.partial(_convert, function), name or getattr(function, "__qualname__", op), names, bool(override))
    return function


def unregister_converter(op):
    """Takes the converter of a TensorFlow op away; conversions that run already keep it."""
    if not isinstance(op, str):
        raise InvalidArgument(f"unregister_converter: got {op!r}, expected the name of a TensorFlow op")
    native.unregister_converter(op)


def _convert(function, native_node):
    node = Node(native_node)
    made = function(node)
    if made is None:
        return
    for tensor in made if isinstance(made, (list, tuple)) else [made]:
        node.output(tensor)


def _handle(tensor):
    if not isinstance(tensor, Tensor):
        raise InvalidArgument(f"got {tensor!r}, expected a tensor of the node; node.constant(...) makes one of numbers")
    return tensor._handle


def _array(parts):
    number, shape, data = parts
    return data.view(_engine_dtype("value", number)).reshape(shape)


def _engine_dtype(name, number):
    try:
        return numpy_dtype(number)
    except KeyError:
        raise InvalidArgument(f"attribute '{name}' is dtype {number}, which no engine has") from None


def _attribute(name, value):
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, str) and value and not any(character.isspace() for character in value):
        return value
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.9g}"
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ",".join(str(int(element)) for element in value) + "]"
    if isinstance(value, (np.dtype, type)):
        return np.dtype(value).name
    raise InvalidArgument(f"attribute {name}: got {value!r}, expected a name, a number, a boolean, a dtype or a list of integers")
