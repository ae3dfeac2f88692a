"""Cases of test_ops_vs_tf: Fourier transforms and complex tensors. A complex tensor stays within one engine: real ones are fed and fetched."""
import numpy as np
import tensorflow as tf
from op_cases import BF16, EXACT, F16, F32, F64, I32, case, normal, raw, rng, static, unknown

COMPLEX = {F32: tf.complex64, F64: tf.complex128}
# Powers, products of small primes, primes with and without a pass of their own.
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 25, 31, 32, 37, 49, 60, 64, 74, 97, 100, 101, 128, 200, 256)
LONG = (400, 512, 1000, 1009, 1024, 2048, 3000)


def number(re, im):
    return raw.Complex(real=re, imag=im, Tout=COMPLEX[re.dtype.as_numpy_dtype])


def parts(z):
    real = z.dtype.real_dtype
    return [raw.Real(input=z, Tout=real), raw.Imag(input=z, Tout=real)]


def pair(name, shape, dtype=F32):
    return [normal(name + "re", shape, dtype), normal(name + "im", shape, dtype)]


def transforms():
    for op, f in (("FFT", raw.FFT), ("IFFT", raw.IFFT)):
        def build(re, im, f=f):
            return parts(f(input=number(re, im)))
        for n in LENGTHS:
            case(op, f"length_{n}", build, pair(f"fft{n}", (3, n)))
        for n in LONG:
            case(op, f"length_{n}", build, pair(f"fft{n}", (20, n)))
        for tag, shape in (("vector", (24,)), ("rank_4", (2, 3, 4, 10)), ("many_rows", (300, 64))):
            case(op, tag, build, pair(tag, shape))
        x = pair("fftx", (3, 20))
        case(op, "static", build, x, static(*x))
        case(op, "unknown", build, x, unknown(*x))
        case(op, "empty", build, [a[:0] for a in x])
        case(op, "length_0", build, [a[:, :0] for a in x], unknown(*x))
        for n in (1, 6, 7, 30, 37):
            case(op, f"float64_{n}", build, pair(f"fftd{n}", (3, n), F64), rtol=1e-11, reference=True)
        case(op, "of_a_real_row", lambda re, f=f: parts(f(input=tf.cast(re, tf.complex64))), [x[0]])
        case(op, "real_part_alone", lambda re, im, f=f: tf.math.real(f(input=number(re, im))), x)
        case(op, "scalar", lambda re, f=f: parts(f(input=tf.reshape(number(re, re), [-1]))), [F32(1.5)], [[]])
        case(op, "of_a_fed_complex", lambda z, f=f: parts(f(input=z)), [(x[0] + 1j * x[1]).astype(np.complex64)], refused="rank")
        case(op, "fetched", lambda re, im, f=f: f(input=number(re, im)), x, refused="dtype")
        spoilt = [a.copy() for a in x]
        spoilt[0][1, 3] = np.nan
        case(op, "nan_in_one_row", lambda re, im, f=f: tf.abs(f(input=number(re, im)))[::2], spoilt)
    for op, f in (("FFT2D", raw.FFT2D), ("IFFT2D", raw.IFFT2D), ("FFT3D", raw.FFT3D), ("IFFT3D", raw.IFFT3D)):
        def build(re, im, f=f):
            return parts(f(input=number(re, im)))
        for shape in ((4, 6, 5), (2, 8, 8), (7, 3, 10), (3, 37, 4), (2, 16, 33), (1, 1, 1), (2, 3, 4, 6), (2, 2, 8, 5, 9)):
            x = pair(op + str(shape), shape)
            tag = "_".join(map(str, shape))
            case(op, tag, build, x)
            case(op, f"{tag}_static", build, x, static(*x))
            case(op, f"{tag}_unknown", build, x, unknown(*x))
        case(op, "float64", build, pair(op, (3, 6, 10), F64), rtol=1e-11, reference=True)
        case(op, "large", build, pair(op + "l", (4, 64, 64)))


def real_transforms():
    op = "RFFT"

    def rfft(name, x, n, shapes=None, **how):
        case(op, name, lambda x: parts(raw.RFFT(input=x, fft_length=[n], Tcomplex=COMPLEX[x.dtype.as_numpy_dtype])), [x], shapes, **how)
    for n in LENGTHS:
        rfft(f"length_{n}", normal(f"rfft{n}", (3, n)), n)
        rfft(f"cropped_{n}", normal(f"rfftc{n}", (5, n + 7)), n)
    for n in LONG:
        rfft(f"length_{n}", normal(f"rfft{n}", (20, n)), n)
    x = normal("rfftx", (3, 20))
    for n in (20, 16, 7):
        rfft(f"static_{n}", x, n, static(x))
        rfft(f"unknown_{n}", x, n, unknown(x))
    rfft("vector", normal("rfftv", (24,)), 24)
    rfft("rank_4", normal("rfft4", (2, 3, 4, 10)), 10)
    rfft("empty", x[:0], 20)
    rfft("too_short", x, 21, unknown(x), error=True)
    rfft("float64", normal("rfftd", (3, 20), F64), 20, rtol=1e-11, reference=True)
    rfft("length_0", x, 0, refused="shape")
    case(op, "fetched", lambda x: raw.RFFT(input=x, fft_length=[20]), [x], refused="dtype")
    case(op, "fed_length", lambda x, n: parts(raw.RFFT(input=x, fft_length=n)), [x, I32([20])], [[None, 20], [1]], refused="shape")
    case(op, "length_of_the_shape", lambda x: parts(raw.RFFT(input=x, fft_length=tf.shape(x)[1:])), [x], unknown(x))
    case(op, "half_the_shape", lambda x: parts(raw.RFFT(input=x, fft_length=tf.shape(x)[1:] // 2)), [x], unknown(x))
    case(op, "magnitude", lambda x: tf.abs(raw.RFFT(input=x, fft_length=[512])), [normal("rfftm", (50, 512))])
    special = x.copy()
    special[1, 3] = np.nan
    case(op, "nan_in_one_row", lambda x: tf.abs(raw.RFFT(input=x, fft_length=[20]))[::2], [special])
    op = "IRFFT"

    def irfft(name, shape, n, shapes=None, dtype=F32, **how):
        case(op, name, lambda re, im: raw.IRFFT(input=number(re, im), fft_length=[n], Treal=re.dtype), pair(name, shape, dtype), shapes, **how)
    for n in LENGTHS:
        irfft(f"length_{n}", (3, n // 2 + 1), n)
        irfft(f"cropped_{n}", (5, n // 2 + 4), n)
    for n in LONG:
        irfft(f"length_{n}", (20, n // 2 + 1), n)
    z = pair("irfftz", (3, 11))
    for n in (20, 21, 6, 7):
        irfft(f"static_{n}", (3, 11), n, static(*z))
        irfft(f"unknown_{n}", (3, 11), n, unknown(*z))
    irfft("empty", (0, 11), 20)
    irfft("too_short", (3, 11), 22, unknown(*z), error=True)
    irfft("float64", (3, 11), 20, dtype=F64, rtol=1e-11, reference=True)
    irfft("length_0", (3, 11), 0, refused="shape")
    case(op, "mixed_precision", lambda re, im: raw.IRFFT(input=number(re, im), fft_length=[20], Treal=tf.float64), z, refused="dtype")
    case(op, "mixed_precision_down", lambda re, im: raw.IRFFT(input=number(re, im), fft_length=[20], Treal=tf.float32), pair("irm", (3, 11), F64), refused="dtype")
    case(op, "back_and_forth", lambda x: raw.IRFFT(input=raw.RFFT(input=x, fft_length=[200]), fft_length=[200]), [normal("irb", (9, 200))])
    for rank, forward, back in ((2, "RFFT2D", "IRFFT2D"), (3, "RFFT3D", "IRFFT3D")):
        for shape in ((4, 6, 5), (2, 8, 8), (7, 3, 10), (3, 37, 4), (2, 3, 4, 6)):
            x = normal(forward + str(shape), shape)
            for less in (0, 1):
                n = [max(1, e - less) for e in shape[-rank:]]
                tag = "_".join(map(str, shape)) + f"_less_{less}"
                for known, shapes in (("", None), ("_static", static(x)), ("_unknown", unknown(x))):
                    case(forward, tag + known, lambda x, n=n, op=forward: parts(getattr(raw, op)(input=x, fft_length=n)), [x], shapes)
                z = pair(back + str(shape), shape)
                m = [*n[:-1], (shape[-1] - 1 - less) * 2 + less]
                if m[-1] > 0:
                    for known, shapes in (("", None), ("_static", static(*z)), ("_unknown", unknown(*z))):
                        case(back, tag + known, lambda re, im, n=m, op=back: getattr(raw, op)(input=number(re, im), fft_length=n), z, shapes)
        case(forward, "float64", lambda x, op=forward, r=rank: parts(getattr(raw, op)(input=x, fft_length=[3, 6, 10][-r:], Tcomplex=tf.complex128)),
             [normal(forward, (3, 6, 10), F64)], rtol=1e-11, reference=True)
        case(forward, "too_short", lambda x, op=forward, r=rank: parts(getattr(raw, op)(input=x, fft_length=[4, 7, 10][-r:])), [normal(forward, (3, 6, 10))],
             [[None] * 3], error=True)
        for t, real in ((F32, tf.float64), (F64, tf.float32)):
            case(back, f"mixed_precision_{real.name}", lambda re, im, op=back, r=rank, real=real: getattr(raw, op)(
                input=number(re, im), fft_length=[3, 6, 10][-r:], Treal=real), pair(back, (3, 6, 6), t), refused="dtype")
        case(back, "float64", lambda re, im, op=back, r=rank: getattr(raw, op)(input=number(re, im), fft_length=[3, 6, 10][-r:], Treal=tf.float64),
             pair(back, (3, 6, 6), F64), rtol=1e-11, reference=True)


def helpers():
    x = pair("cx", (3, 5, 7))
    wide = [a * np.exp(rng("cw").uniform(-20, 20, a.shape)).astype(F32) for a in x]
    special = [np.tile(np.float32([np.nan, np.inf, -np.inf, 0, -0.0, 3e38, 1e-30]), 7), np.repeat(np.float32([np.nan, np.inf, -np.inf, 0, -0.0, 3e38, 1e-30]), 7)]
    views = {"Real": raw.Real, "Imag": raw.Imag, "ComplexAbs": raw.ComplexAbs, "Angle": raw.Angle}
    for op, f in views.items():
        key = "x" if op == "ComplexAbs" else "input"

        def build(re, im, f=f, key=key):
            return f(**{key: number(re, im)}, Tout=re.dtype)
        for tag, data in (("plain", x), ("wide", wide), ("special", special), ("scalar", [F32(-1.5), F32(2)]), ("vector", pair("cv", (9,))),
                          ("large", pair("cl", (300, 400))), ("empty", [a[:0] for a in x]), ("odd", pair("co", (3, 1, 33)))):
            case(op, tag, build, data)
            if np.ndim(data[0]):
                case(op, f"{tag}_unknown", build, data, unknown(*data))
        case(op, "static", build, x, static(*x))
        case(op, "float64", build, pair("cd", (3, 5), F64), rtol=1e-12, reference=True)
        case(op, "mixed_precision", lambda re, im, f=f, key=key: f(**{key: number(re, im)}, Tout=tf.float64), x, refused="dtype")
        case(op, "mixed_precision_down", lambda re, im, f=f, key=key: f(**{key: number(re, im)}, Tout=tf.float32), pair("cd", (3, 5), F64), refused="dtype")
        case(op, "of_a_fed_complex", lambda z, f=f, key=key: f(**{key: z}, Tout=tf.float32), [(x[0] + 1j * x[1]).astype(np.complex64)], refused="rank")
    for tag, (a, b) in {"equal": x, "row": [x[0], x[1][0, 0]], "column": [x[0], x[1][:, :1, :1]], "scalar": [x[0], F32(2)], "both": [x[0][:, :1], x[1][0]],
                        "scalar_first": [F32(2), x[0]], "special": special}.items():
        case("Complex", tag, lambda a, b: parts(number(a, b)), [a, b])
        case("Complex", f"{tag}_static", lambda a, b: parts(number(a, b)), [a, b], static(a, b))
        case("Complex", f"{tag}_unknown", lambda a, b: parts(number(a, b)), [a, b], unknown(a, b))
    case("Complex", "float64", lambda a, b: parts(number(a, b)), pair("cd", (3, 5), F64), reference=True)
    case("Complex", "fetched", lambda a, b: number(a, b), x, refused="dtype")
    for tag, data in (("plain", x), ("special", special), ("scalar", [F32(-1.5), F32(2)]), ("empty", [a[:0] for a in x])):
        case("Conj", tag, lambda a, b: parts(raw.Conj(input=number(a, b))), data)
    case("Conj", "large", lambda a, b: parts(raw.Conj(input=number(a, b))), pair("cl", (300, 400)))
    case("Conj", "static", lambda a, b: parts(raw.Conj(input=number(a, b))), x, static(*x))
    case("Conj", "unknown", lambda a, b: parts(raw.Conj(input=number(a, b))), x, unknown(*x))
    case("Conj", "float64", lambda a, b: parts(raw.Conj(input=number(a, b))), pair("cd", (3, 5), F64), reference=True)


def arithmetic():
    x, y = pair("ax", (3, 5, 7)), pair("ay", (3, 5, 7))
    others = {"equal": y, "row": [a[0, 0] for a in y], "column": [a[:, :1, :1] for a in y], "scalar": [F32(2), F32(-3)], "middle": [a[:, :1] for a in y]}
    for op in ("Mul", "Add", "AddV2", "Sub"):
        f = getattr(raw, op)
        for tag, other in others.items():
            def build(a, b, c, d, f=f):
                return parts(f(x=number(a, b), y=number(c, d)))
            case(op, f"complex_{tag}", build, [*x, *other])
            case(op, f"complex_{tag}_first", build, [*other, *x])
            case(op, f"complex_{tag}_unknown", build, [*x, *other], unknown(*x, *other))
        case(op, "complex_float64", build, [*pair("ad", (3, 5), F64), *pair("ae", (3, 5), F64)], rtol=1e-12, reference=True)
        case(op, "complex_constant", lambda a, b, f=f: parts(f(x=number(a, b), y=tf.constant(2 - 3j, tf.complex64))), x)
        case(op, "complex_constants", lambda a, b, f=f: parts(f(x=number(a, b), y=tf.constant((y[0] + 1j * y[1]).astype(np.complex64)))), x)
        case(op, "complex_splat", lambda a, b, f=f: parts(f(x=number(a, b), y=tf.constant(2 - 3j, tf.complex64, shape=[3, 5, 7]))), x)
        case(op, "complex_splat_of_equal_parts", lambda a, b, f=f: parts(f(x=number(a, b), y=tf.constant(2 + 2j, tf.complex64, shape=[3, 5, 7]))), x)
    for op, f in (("Neg", raw.Neg), ("Square", raw.Square), ("Exp", raw.Exp)):
        case(op, "complex", lambda a, b, f=f: parts(f(x=number(a, b))), x)
        case(op, "complex_unknown", lambda a, b, f=f: parts(f(x=number(a, b))), x, unknown(*x))
        case(op, "complex_float64", lambda a, b, f=f: parts(f(x=number(a, b))), pair("ad", (3, 5), F64), rtol=1e-12, reference=True)
    case("Cast", "to_complex", lambda a: parts(tf.cast(a, tf.complex64)), [x[0]])
    case("Cast", "integer_to_complex", lambda a: parts(tf.cast(a, tf.complex64)), [np.int32([1, 2, -3])])
    case("Cast", "to_complex128", lambda a: parts(tf.cast(a, tf.complex128)), [x[0]], reference=True)
    case("Cast", "complex_to_real", lambda a, b: tf.cast(number(a, b), tf.float32), x)
    case("Cast", "complex_to_double", lambda a, b: tf.cast(number(a, b), tf.float64), x)
    case("Cast", "complex_to_complex128", lambda a, b: parts(tf.cast(number(a, b), tf.complex128)), x, reference=True)
    case("Cast", "complex_to_integer", lambda a, b: tf.cast(number(a, b), tf.int32), x, refused="dtype")
    case("Tanh", "complex", lambda a, b: parts(raw.Tanh(x=number(a, b))), x, refused="dtype")
    case("RealDiv", "complex", lambda a, b: parts(raw.RealDiv(x=number(a, b), y=number(b, a))), x, refused="dtype")


def movement():
    x = pair("mx", (3, 5, 1, 8))
    moves = {
        "Shape": {"product": lambda z: z * tf.cast(tf.reduce_prod(raw.Shape(input=z)), tf.complex64)},
        "Reshape": {"flat": lambda z: tf.reshape(z, [-1]), "split": lambda z: tf.reshape(z, [-1, 5, 2, 4]), "joined": lambda z: tf.reshape(z, [tf.shape(z)[0], 40])},
        "Pad": {"around": lambda z: tf.pad(z, [[0, 1], [2, 0], [0, 0], [1, 1]])},
        "ExpandDims": {str(a): lambda z, a=a: tf.expand_dims(z, a) for a in (0, 2, 4, -1, -5)},
        "Squeeze": {"named": lambda z: tf.squeeze(z, [2]), "behind": lambda z: tf.squeeze(z, [-2])},
        "Transpose": {"swap": lambda z: tf.transpose(z, [1, 0, 2, 3]), "last": lambda z: tf.transpose(z, [3, 2, 1, 0]), "negative": lambda z: raw.Transpose(x=z, perm=[-1, 0, 1, 2])},
        "ConcatV2": {str(a): lambda z, a=a: tf.concat([z, z * 2, z], a) for a in (1, 3, -1, -2)},
        "StridedSlice": {"front": lambda z: z[1:], "step": lambda z: z[:, ::2], "last": lambda z: z[..., 3:], "last_index": lambda z: z[..., 0], "index": lambda z: z[0],
                         "reverse": lambda z: z[:, :, :, ::-1], "new": lambda z: z[:, tf.newaxis], "new_last": lambda z: z[..., tf.newaxis], "all": lambda z: z[1:, 1:4, 0, 2:6]},
    }
    for op, ways in moves.items():
        for tag, f in ways.items():
            def build(a, b, f=f):
                return parts(f(number(a, b)))
            case(op, f"complex_{tag}", build, x)
            case(op, f"complex_{tag}_static", build, x, static(*x))
            if op != "Squeeze":
                case(op, f"complex_{tag}_unknown", build, x, unknown(*x))
    case("Squeeze", "complex_all", lambda a, b: parts(tf.squeeze(number(a, b))), x, static(*x))
    case("Squeeze", "complex_all_unknown", lambda a, b: parts(tf.squeeze(number(a, b))), x, refused="shape")
    case("Reshape", "complex_float64", lambda a, b: parts(tf.reshape(number(a, b), [-1])), pair("md", (3, 4), F64), reference=True)
    for tag, (start, limit, delta) in {"up": (0.0, 10.0, 0.3), "down": (5.0, -3.0, -0.7), "none": (1.0, 1.0, 2.0)}.items():
        for dtype in (F32, F64):
            case("Range", f"{tag}_{np.dtype(dtype).name}", lambda x, a=start, b=limit, c=delta, t=dtype: x[:, None] + raw.Range(start=t(a), limit=t(b), delta=t(c)),
                 [normal("rg", (3,), dtype)], rtol=1e-7 if dtype == F32 else 1e-15, reference=dtype is F64)


def signal():
    x = normal("signal", (2, 2000))
    for name, f in {
        "stft": lambda x: tf.abs(tf.signal.stft(x, 400, 160, 512)),
        "stft_of_any_length": lambda x: tf.abs(tf.signal.stft(x, 256, 100)),
        "stft_to_the_end": lambda x: tf.abs(tf.signal.stft(x, 256, 100, pad_end=True)),
        "hamming": lambda x: tf.math.square(tf.abs(tf.signal.stft(x, 200, 80, 256, window_fn=tf.signal.hamming_window))),
        "no_window": lambda x: tf.math.angle(tf.signal.stft(x, 200, 80, window_fn=None)),
    }.items():
        case("RFFT", name, f, [x], rtol=2e-5 if name != "no_window" else 1e-3)
        case("RFFT", f"{name}_static", f, [x], static(x), rtol=2e-5 if name != "no_window" else 1e-3)
    case("IRFFT", "inverse_stft", lambda x: tf.signal.inverse_stft(tf.signal.stft(x, 400, 160, 512) * tf.constant(0.5 + 0.25j, tf.complex64), 400, 160, 512,
                                                                  window_fn=tf.signal.inverse_stft_window_fn(160)), [x], static(x))
    case("RFFT", "dct", lambda x: tf.signal.dct(x[:, :40], norm="ortho"), [x], rtol=2e-5)
    case("IRFFT", "idct", lambda x: tf.signal.idct(x[:, :40]), [x], rtol=2e-5)


def cases():
    for family in (transforms, real_transforms, helpers, arithmetic, movement, signal):
        family()
