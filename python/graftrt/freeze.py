"""TF 2 models <-> frozen graphs: SavedModel directories, Keras models and ConcreteFunctions.

Freezing is TensorFlow's own (convert_variables_to_constants_v2); the mixed graph comes back as a ConcreteFunction with the
same signature: same input names, structure of outputs, and static shapes where they are known.
"""

import os

from .errors import FileError, InvalidArgument, InvalidGraph

_DEFAULT_SIGNATURE = "serving_default"


class Frozen:
    """A frozen function: its GraphDef, and what is needed to call the converted graph as the source was called."""

    def __init__(self, function, keep=None):
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
        self._source = function
        self._keep = keep  # a loaded SavedModel must outlive its functions
        # Loops and branches stay ops of their own, which an engine can take; TensorFlow lowers those that are left when it runs.
        self._frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
        self.graph_def = self._frozen.graph.as_graph_def()
        self.input_names = [tensor.name for tensor in self._frozen.inputs]
        self.output_names = [tensor.name for tensor in self._frozen.outputs]

    def rebuild(self, serialized):
        """Mixed graph -> ConcreteFunction with the source's signature."""
        import tensorflow as tf
        graph_def = tf.compat.v1.GraphDef.FromString(serialized)
        wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph_def, name=""), [])
        graph = wrapped.graph
        pruned = wrapped.prune([graph.get_tensor_by_name(n) for n in self.input_names],
                               [graph.get_tensor_by_name(n) for n in self.output_names])
        source = self._source
        outputs = source.structured_outputs
        shapes = [tensor.shape for tensor in self._frozen.outputs]
        args, kwargs = source.structured_input_signature
        flat_spec = tf.nest.flatten((args, kwargs), expand_composites=True)
        names = [tensor.name.split(":")[0] for tensor in source.inputs[:len(flat_spec)]]
        # The frozen function keeps the inputs' names but may order them in another way than the signature.
        by_name = {name.split(":")[0]: i for i, name in enumerate(self.input_names)}

        def call(*call_args, **call_kwargs):
            flat = tf.nest.flatten((call_args, call_kwargs), expand_composites=True)
            ordered = [None] * len(self.input_names)
            for name, value in zip(names, flat):
                if name in by_name:
                    ordered[by_name[name]] = value
            results = pruned(*ordered)
            results = [results] if isinstance(results, tf.Tensor) else list(results)
            for result, shape in zip(results, shapes):
                result.set_shape(shape)
            return tf.nest.pack_sequence_as(outputs, results, expand_composites=True)

        function = tf.function(call, autograph=False).get_concrete_function(*args, **kwargs)
        function._graft_pruned = pruned  # the graph that holds the engines lives as long as the function
        return function

    def save(self, path, function):
        import tensorflow as tf
        module = tf.Module()
        module.call_function = function
        tf.saved_model.save(module, path, signatures={_DEFAULT_SIGNATURE: function})


def freeze(model):
    """SavedModel directory, `.keras` file, Keras model or ConcreteFunction -> Frozen."""
    import tensorflow as tf
    if isinstance(model, (str, os.PathLike)):
        path = os.fspath(model)
        if os.path.isdir(path):
            return _freeze_saved_model(path)
        if path.endswith(".keras") and os.path.isfile(path):
            return _freeze_keras(tf.keras.models.load_model(path))
        raise FileError(f"model: {path!r} is neither a file nor a SavedModel directory")
    if hasattr(model, "structured_input_signature") and hasattr(model, "graph"):
        return Frozen(model)
    if isinstance(model, tf.keras.Model):
        return _freeze_keras(model)
    if hasattr(model, "get_concrete_function"):
        raise InvalidArgument("model: got a tf.function; give the ConcreteFunction: model.get_concrete_function(tf.TensorSpec(...))")
    raise InvalidArgument(f"model: got {type(model).__name__}, expected a GraphDef, its bytes, a path, a Keras model or a ConcreteFunction")


def _freeze_saved_model(path):
    import tensorflow as tf
    if not os.path.isfile(os.path.join(path, "saved_model.pb")) and not os.path.isfile(os.path.join(path, "saved_model.pbtxt")):
        raise InvalidGraph(f"{path}: no saved_model.pb in this directory")
    loaded = tf.saved_model.load(path)
    signatures = loaded.signatures
    if _DEFAULT_SIGNATURE not in signatures:
        raise InvalidGraph(f"{path}: no signature {_DEFAULT_SIGNATURE!r}; it has {sorted(signatures)}")
    return Frozen(signatures[_DEFAULT_SIGNATURE], keep=loaded)


def _freeze_keras(model):
    import tensorflow as tf
    specs = [tf.TensorSpec(t.shape, t.dtype, name=t.name) for t in model.inputs]

    @tf.function(autograph=False)
    def call(*tensors):
        packed = tf.nest.pack_sequence_as(model.input, list(tensors)) if isinstance(model.input, (list, dict, tuple)) else tensors[0]
        return model(packed, training=False)

    return Frozen(call.get_concrete_function(*specs), keep=model)
