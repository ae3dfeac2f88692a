"""NumPy dtypes and TensorFlow's DataType numbers."""

import numpy as np

from .errors import InvalidArgument

_NUMBERS = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "int64": 9, "bool": 10, "bfloat16": 14,
    "uint16": 17, "float16": 19, "uint32": 22, "uint64": 23,
}
ENGINE_DTYPES = frozenset(_NUMBERS)
_NAMES = {number: name for name, number in _NUMBERS.items()}


def dtype_number(dtype):
    number = _NUMBERS.get(np.dtype(dtype).name)
    if number is None:
        raise InvalidArgument(f"dtype {np.dtype(dtype).name} cannot be fed; expected one of {sorted(_NUMBERS)}")
    return number


def numpy_dtype(number):
    name = _NAMES[number]
    if name == "bfloat16":
        import ml_dtypes  # comes with TensorFlow; only bfloat16 graphs need it
        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)
