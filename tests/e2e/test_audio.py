"""An audio front-end, from samples to log-mel features and back from a spectrum to samples, is one engine and what TensorFlow computes."""
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import graftrt

SAMPLES = np.random.default_rng(0).normal(size=(3, 16000)).astype(np.float32)
MEL = np.random.default_rng(1).uniform(0, 0.1, (257, 40)).astype(np.float32)


def log_mel(x):
    """Frames of 25 ms each 10 ms at 16 kHz."""
    magnitudes = tf.abs(tf.signal.stft(x, 400, 160, 512))
    return tf.math.log(tf.matmul(magnitudes, MEL) + 1e-6)


def cepstrum(x):
    return tf.signal.mfccs_from_log_mel_spectrograms(log_mel(x))[..., :13]


def masked(x):
    """The mask of a speech enhancer, applied to the spectrum."""
    spectrum = tf.signal.stft(x, 512, 128, 512)
    mask = tf.sigmoid(tf.abs(spectrum) - 5.0)
    return tf.signal.inverse_stft(spectrum * tf.cast(mask, tf.complex64), 512, 128, 512, window_fn=tf.signal.inverse_stft_window_fn(128))


@pytest.mark.parametrize("shape", [[3, 16000], [None, 16000]], ids=["static", "any batch"])
@pytest.mark.parametrize("model", [log_mel, cepstrum, masked])
def test_front_end_is_one_engine(model, shape):
    frozen = convert_variables_to_constants_v2(tf.function(model, input_signature=[tf.TensorSpec(shape, tf.float32)]).get_concrete_function())
    results = [t.name for t in frozen.outputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        conversion = graftrt.convert(frozen.graph.as_graph_def(), [r.split(":")[0] for r in results])
    engines = conversion.report.engines
    assert len(engines) == 1
    assert engines[0]["reference_flops_share"] == 0
    left = [node["name"] for node in conversion.report.data["nodes"] if node["op"] in ("RFFT", "IRFFT", "ComplexAbs", "Mul", "MatMul", "BatchMatMulV2") and node.get("code")
            and node["code"] != "segment"]
    assert not left, left
    got = conversion.session().run(results, {frozen.inputs[0].name: SAMPLES})[0]
    want = model(tf.constant(SAMPLES)).numpy()
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5 * np.abs(want).max())
