"""Cases of test_ops_vs_tf: suppression of boxes, crops, maxima with their places, and bicubic and area resizing."""
import itertools

import numpy as np
import tensorflow as tf
from op_cases import BF16, EXACT, F16, F32, F64, I32, I64, case, integers, normal, raw, rng, static, unknown

# Their cast to float32, that is.
CAST_BY_REFERENCE = (np.uint16, np.int16)


def boxes(name, *shape, dtype=F32):
    """Boxes of which many overlap, some with flipped corners and some without area."""
    r = rng(name)
    corner = r.uniform(0, 0.7, (*shape, 2))
    corners = np.concatenate([corner, corner + r.uniform(0.05, 0.5, (*shape, 2))], -1)
    flip = r.uniform(size=shape) < 0.2
    corners[flip] = corners[flip][..., [2, 3, 0, 1]]
    empty = r.uniform(size=shape) < 0.05
    corners[empty, 2] = corners[empty, 0]
    return corners.astype(dtype)


def scores(name, *shape, dtype=F32):
    return rng(name).uniform(0, 1, shape).astype(dtype)


def ties(name, *shape):
    return (rng(name).integers(0, 6, shape) / 5).astype(F32)


def suppression():
    def nms(name, b, s, size=10, iou=0.5, score=0.0, sigma=None, pad=True, shapes=None, threshold=None, **how):
        t = (threshold or b.dtype).type if hasattr(threshold or b.dtype, "type") else threshold
        if sigma is None:
            op = "NonMaxSuppressionV4"

            def build(b, s):
                return list(raw.NonMaxSuppressionV4(boxes=b, scores=s, max_output_size=size, iou_threshold=t(iou), score_threshold=t(score),
                                                    pad_to_max_output_size=pad))
        else:
            op = "NonMaxSuppressionV5"

            def build(b, s):
                return list(raw.NonMaxSuppressionV5(boxes=b, scores=s, max_output_size=size, iou_threshold=t(iou), score_threshold=t(score),
                                                    soft_nms_sigma=t(sigma), pad_to_max_output_size=pad))
        case(op, name, build, [b, s], shapes, EXACT, **how)

    b, s = boxes("nms", 60), scores("nms", 60)
    for sigma in (None, 0.0, 0.5):
        soft = "" if sigma is None else f"_sigma_{sigma}"
        for iou in (0.0, 0.3, 0.5, 0.9, 1.0):
            nms(f"iou_{iou}{soft}", b, s, iou=iou, sigma=sigma)
        for score in (0.5, 0.9, 2.0, -1.0, -np.inf, np.inf, np.nan):
            nms(f"score_{score}{soft}", b, s, score=score, size=40, sigma=sigma)
        for size in (0, 1, 60, 100):
            nms(f"size_{size}{soft}", b, s, size=size, sigma=sigma)
        nms(f"static{soft}", b, s, sigma=sigma, shapes=static(b, s))
        nms(f"unknown{soft}", b, s, sigma=sigma, shapes=unknown(b, s))
        nms(f"ties{soft}", b, ties("nmst", 60), size=40, sigma=sigma)
        nms(f"equal_boxes{soft}", np.tile(b[:6], (10, 1)), s, size=40, sigma=sigma)
        nms(f"equal_all{soft}", np.tile(b[:1], (60, 1)), np.full(60, 0.5, F32), size=40, sigma=sigma)
        nms(f"none{soft}", b[:0], s[:0], sigma=sigma)
        nms(f"one{soft}", b[:1], s[:1], sigma=sigma)
        nms(f"many{soft}", boxes("nmsm", 3000), scores("nmsm", 3000), size=200, sigma=sigma)
        nms(f"many_apart{soft}", boxes("nmsa", 2000) * F32(40) + rng("nmsb").uniform(0, 900, (2000, 1)).astype(F32), scores("nmsa", 2000), size=700, iou=0.1,
            sigma=sigma)
        nms(f"pixels{soft}", np.round(b * 300), s, size=40, sigma=sigma)
        special = s.copy()
        special[::7], special[3], special[4], special[5] = np.nan, np.inf, -np.inf, -0.0
        nms(f"special_scores{soft}", b, special, size=60, score=-np.inf, sigma=sigma)
        odd = b.copy()
        odd[::9, 0], odd[4, 1], odd[5, 2], odd[6, 3], odd[7] = np.nan, np.nan, np.inf, -np.inf, np.inf
        odd[8, 2], odd[10] = np.nan, 1e30
        nms(f"special_boxes{soft}", odd, s, size=60, sigma=sigma)
        nms(f"special_boxes_negative{soft}", odd, s, size=60, score=-1.0, sigma=sigma)
        nms(f"half{soft}", boxes("nmsh", 60, dtype=F16), scores("nmsh", 60, dtype=F16), size=40, sigma=sigma, reference=True)
        nms(f"half_negative{soft}", boxes("nmsh", 60, dtype=F16), scores("nmsh", 60, dtype=F16), size=60, score=-1.0, iou=0.3, sigma=sigma, reference=True)
        for iou in (-0.1, 1.5, np.nan):
            nms(f"bad_iou_{iou}{soft}", b, s, iou=iou, sigma=sigma, error=True)
        nms(f"unpadded{soft}", b, s, sigma=sigma, pad=False, refused="data_dependent_shape")
        nms(f"misfit{soft}", b, s[:50], sigma=sigma, shapes=unknown(b, s), error=True)
        nms(f"five_numbers{soft}", np.zeros((60, 5), F32), s, sigma=sigma, shapes=unknown(b, s), error=True)
    for sigma in (0.01, 0.1, 1.0, 10.0, np.inf):
        nms(f"soft_{sigma}", b, s, size=60, score=0.001, sigma=sigma)
        nms(f"soft_ties_{sigma}", b, ties("nmst", 60), size=60, score=0.001, sigma=sigma)
    nms("soft_half", boxes("nmsh", 60, dtype=F16), scores("nmsh", 60, dtype=F16), size=60, score=0.01, sigma=0.3, reference=True)
    for sigma in (-1.0, np.nan):
        nms(f"bad_sigma_{sigma}", b, s, sigma=sigma, error=True)
    case("NonMaxSuppressionV5", "fed_thresholds", lambda b, s, i, t, g: list(raw.NonMaxSuppressionV5(
        boxes=b, scores=s, max_output_size=9, iou_threshold=i, score_threshold=t, soft_nms_sigma=g, pad_to_max_output_size=True)),
         [b, s, F32(0.4), F32(0.1), F32(0.2)], rtol=EXACT)
    case("NonMaxSuppressionV4", "fed_bad_threshold", lambda b, s, i: list(raw.NonMaxSuppressionV4(
        boxes=b, scores=s, max_output_size=9, iou_threshold=i, score_threshold=0.1, pad_to_max_output_size=True)), [b, s, F32(1.4)], error=True)
    case("NonMaxSuppressionV4", "size_of_a_shape", lambda b, s: list(raw.NonMaxSuppressionV4(
        boxes=b, scores=s, max_output_size=tf.shape(s)[0], iou_threshold=0.5, score_threshold=0.1, pad_to_max_output_size=True)), [b, s], rtol=EXACT)
    case("NonMaxSuppressionV4", "fed_size", lambda b, s, k: list(raw.NonMaxSuppressionV4(
        boxes=b, scores=s, max_output_size=k, iou_threshold=0.5, score_threshold=0.1, pad_to_max_output_size=True)), [b, s, I32(4)], refused="shape")
    case("NonMaxSuppressionV4", "negative_size", lambda b, s, k: list(raw.NonMaxSuppressionV4(
        boxes=b, scores=s, max_output_size=tf.shape(k)[0] - 5, iou_threshold=0.5, score_threshold=0.1, pad_to_max_output_size=True)), [b, s, I32([4, 3])],
         error=True)
    case("NonMaxSuppressionV4", "other_threshold_type", lambda b, s: list(raw.NonMaxSuppressionV4(
        boxes=b, scores=s, max_output_size=4, iou_threshold=F16(0.5), score_threshold=F16(0.1), pad_to_max_output_size=True)), [b, s], refused="dtype")
    for op, build in (
            ("NonMaxSuppression", lambda b, s: raw.NonMaxSuppression(boxes=b, scores=s, max_output_size=5)),
            ("NonMaxSuppressionV2", lambda b, s: raw.NonMaxSuppressionV2(boxes=b, scores=s, max_output_size=5, iou_threshold=0.5)),
            ("NonMaxSuppressionV3", lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, max_output_size=5, iou_threshold=0.5, score_threshold=0.5)),
            ("NonMaxSuppressionWithOverlaps", lambda b, s: raw.NonMaxSuppressionWithOverlaps(
                overlaps=tf.matmul(b, b, transpose_b=True), scores=s, max_output_size=5, overlap_threshold=0.5, score_threshold=0.5))):
        for i, (n, shapes) in enumerate(itertools.product((1, 7, 60, 0), (None, "static"))):
            case(op, f"native_{i}", build, [b[:n], s[:n]], static(b[:n], s[:n]) if shapes else None, EXACT, refused="data_dependent_shape")


def combined():
    op = "CombinedNonMaxSuppression"

    def nms(name, b, s, per_class=5, total=20, iou=0.5, score=0.1, pad=False, clip=True, shapes=None, **how):
        case(op, name, lambda b, s: list(raw.CombinedNonMaxSuppression(
            boxes=b, scores=s, max_output_size_per_class=per_class, max_total_size=total, iou_threshold=iou, score_threshold=score,
            pad_per_class=pad, clip_boxes=clip)), [b, s], shapes, EXACT, **how)

    shared, own, s = boxes("cb", 3, 40, 1), boxes("cbq", 3, 40, 6), scores("cb", 3, 40, 6)
    for pad, clip, (kind, b) in itertools.product((False, True), (False, True), (("shared", shared), ("own", own))):
        tag = f"{kind}_{'pad_per_class' if pad else 'pad_total'}_{'clip' if clip else 'raw'}"
        nms(tag, b, s, pad=pad, clip=clip)
        nms(tag + "_unknown", b, s, pad=pad, clip=clip, shapes=unknown(b, s))
        nms(tag + "_beyond_the_image", b * F32(3) - F32(1), s, pad=pad, clip=clip, shapes=static(b, s))
        nms(tag + "_ties", b, ties("cbt", 3, 40, 6), pad=pad, clip=clip, total=100, per_class=30)
    for iou in (0.0, 0.3, 1.0):
        nms(f"iou_{iou}", own, s, iou=iou)
    for score in (0.0, 0.7, 2.0, -1.0, -np.inf, np.inf, np.nan):
        nms(f"score_{score}", own, s, score=score, total=70, per_class=40)
    for per_class, total in ((1, 1), (1, 100), (100, 3), (100, 1000), (40, 240), (5, 30), (5, 31)):
        for pad in (False, True):
            nms(f"sizes_{per_class}_{total}_{pad:d}", own, s, per_class, total, pad=pad)
    # Places that no box took have the score -1, and so go before worse ones.
    for low in (-3.0, -0.5):
        nms(f"negative_scores_{low}", own, s * F32(2) + F32(low), score=-5.0, total=50, iou=0.2)
        nms(f"negative_scores_{low}_raw", own, s * F32(2) + F32(low), score=-5.0, total=50, iou=0.2, clip=False, pad=True)
    for n in (1, 2, 5, 16, 17, 33, 64, 100, 257, 1000):
        nms(f"heap_of_ties_{n}", boxes(f"cbh{n}", 2, n, 1), ties(f"cbh{n}", 2, n, 3), per_class=n, total=3 * n, iou=0.6, score=-1.0)
        nms(f"all_equal_{n}", boxes(f"cbh{n}", 2, n, 1), np.full((2, n, 3), 0.5, F32), per_class=n, total=3 * n, iou=0.6, score=-1.0)
    nms("apart", boxes("cba", 2, 500, 1) * F32(9) + rng("cba").uniform(0, 300, (2, 500, 1, 1)).astype(F32), scores("cba", 2, 500, 4), 300, 1000, iou=0.05,
        clip=False)
    nms("ssd", boxes("ssd", 4, 1900, 1), scores("ssd", 4, 1900, 30), 100, 100, iou=0.6, score=0.3)
    nms("one_class", own[:, :, :1], s[:, :, :1])
    nms("one_image", own[:1], s[:1])
    nms("no_image", own[:0], s[:0])
    nms("no_boxes", own[:, :0], s[:, :0])
    nms("no_class", shared, s[:, :, :0])
    special = s.copy()
    special[0, ::7], special[1, 3], special[1, 4], special[2, 5] = np.nan, np.inf, -np.inf, -0.0
    nms("special_scores", own, special, score=-np.inf, per_class=40, total=240)
    odd = own.copy()
    odd[0, ::9, :, 0], odd[1, 4, :, 1], odd[1, 5, :, 2], odd[2, 6, :, 3], odd[2, 7], odd[2, 8] = np.nan, np.nan, np.inf, -np.inf, np.inf, 1e30
    for clip in (False, True):
        nms(f"special_boxes_{clip:d}", odd, s, per_class=40, total=240, clip=clip)
    for iou in (-0.1, 1.1, np.nan):
        nms(f"bad_iou_{iou}", own, s, iou=iou, error=True)
    nms("boxes_of_other_classes", own[:, :, :4], s, shapes=unknown(own, s), error=True)
    nms("other_batch", own[:2], s, shapes=unknown(own, s), error=True)
    nms("other_number_of_boxes", own[:, :20], s, shapes=unknown(own, s), error=True)
    case(op, "fed_thresholds", lambda b, s, i, t: list(raw.CombinedNonMaxSuppression(
        boxes=b, scores=s, max_output_size_per_class=4, max_total_size=9, iou_threshold=i, score_threshold=t)), [own, s, F32(0.4), F32(0.3)], rtol=EXACT)
    case(op, "fed_size", lambda b, s, k: list(raw.CombinedNonMaxSuppression(
        boxes=b, scores=s, max_output_size_per_class=4, max_total_size=k, iou_threshold=0.5, score_threshold=0.3)), [own, s, I32(4)], refused="shape")
    case(op, "fed_size_per_class", lambda b, s, k: list(raw.CombinedNonMaxSuppression(
        boxes=b, scores=s, max_output_size_per_class=k, max_total_size=9, iou_threshold=0.5, score_threshold=0.3)), [own, s, I32(4)], refused="shape")
    case(op, "size_of_a_shape", lambda b, s: list(raw.CombinedNonMaxSuppression(
        boxes=b, scores=s, max_output_size_per_class=tf.shape(s)[1], max_total_size=tf.shape(s)[1] * 2, iou_threshold=0.5, score_threshold=0.3)),
         [own, s], unknown(own, s), rtol=EXACT)
    case(op, "size_of_no_boxes", lambda b, s: list(raw.CombinedNonMaxSuppression(
        boxes=b, scores=s, max_output_size_per_class=tf.shape(s)[1], max_total_size=5, iou_threshold=0.5, score_threshold=0.3)),
         [own[:, :0], s[:, :0]], unknown(own, s), error=True)


def crops():
    op = "CropAndResize"

    def crop(name, image, b, index, size=(5, 4), shapes=None, method="bilinear", outside=0.0, rtol=1e-6, **how):
        case(op, name, lambda x, b, i: raw.CropAndResize(image=x, boxes=b, box_ind=i, crop_size=list(size), method=method, extrapolation_value=outside),
             [image, b, np.asarray(index, I32)], shapes, rtol, **how)

    x = normal("crop", (3, 9, 11, 4))
    b, index = boxes("crop", 7), [0, 2, 1, 1, 0, 2, 2]
    wide = b * F32(2) - F32(0.5)
    for method in ("bilinear", "nearest"):
        crop(f"{method}", x, b, index, method=method)
        crop(f"{method}_static", x, b, index, method=method, shapes=static(x, b, index))
        crop(f"{method}_unknown", x, b, index, method=method, shapes=unknown(x, b, index))
        for outside in (0.0, 2.5, -1.0, np.inf):
            crop(f"{method}_outside_{outside}", x, wide, index, method=method, outside=outside)
        for size in ((1, 1), (1, 7), (7, 1), (9, 11), (20, 30)):
            crop(f"{method}_size_{size[0]}_{size[1]}", x, wide, index, size, method=method, outside=0.5)
        for channels in (1, 3, 16, 33):
            crop(f"{method}_channels_{channels}", normal("cropc", (2, 9, 11, channels)), wide, [0, 1, 1, 0, 1, 0, 0], method=method)
        crop(f"{method}_whole", x, np.tile(F32([[0, 0, 1, 1]]), (3, 1)), [0, 1, 2], (9, 11), method=method, rtol=EXACT)
        crop(f"{method}_halves", x, np.tile(F32([[0, 0, 1, 1]]), (3, 1)), [0, 1, 2], (17, 21), method=method)
        crop(f"{method}_backwards", x, np.tile(F32([[1, 1, 0, 0]]), (3, 1)), [0, 1, 2], (9, 6), method=method)
        crop(f"{method}_one_pixel", x[:, :1, :1], wide, index, method=method, outside=9.0)
        crop(f"{method}_one_row", x[:, :1], wide, index, method=method, outside=9.0)
        crop(f"{method}_large", normal("cropl", (2, 64, 64, 32)), boxes("cropl", 50), rng("cropl").integers(0, 2, 50), (14, 14), method=method)
        for dtype in (F64, F16, np.uint8, np.int8, np.uint16, np.int16, I32, I64):
            crop(f"{method}_{np.dtype(dtype).name}", integers("cropt", (3, 9, 11, 4), dtype, -100, 100), wide, index, method=method,
                 reference=dtype in CAST_BY_REFERENCE)
        crop(f"{method}_no_boxes", x, b[:0], [], method=method)
        crop(f"{method}_no_channels", x[..., :0], b, index, method=method, refused="shape")
        nan = x.copy()
        nan[:, 3, 4], nan[1, 5], nan[2, :, 7] = np.nan, np.inf, -np.inf
        crop(f"{method}_special", nan, b, index, method=method)
    for bad in (3, -1, 2**31 - 1):
        crop(f"image_{bad}", x, b[:2], [0, bad], error=True)
    for edge in (np.nan, np.inf, -np.inf):
        odd = b.copy()
        odd[4, 2] = edge
        crop(f"edge_{edge}", x, odd, index, error=True)
        crop(f"edge_{edge}_of_no_pixels", x[..., :0], odd, index, shapes=unknown(x, odd, index), error=True)
    crop("no_images", x[:0], b, index, error=True)
    crop("no_rows", x[:, :0], b, index, shapes=unknown(x, b, index), error=True)
    crop("misfit", x, b[:5], index, shapes=unknown(x, b, index), error=True)
    crop("outside_is_nan", x, wide, index, outside=np.nan, refused="unsupported_attr")
    case(op, "fed_size", lambda x, b, i, k: raw.CropAndResize(image=x, boxes=b, box_ind=i, crop_size=k), [x, b, I32(index), I32([4, 4])],
         [[None, 9, 11, 4], [None, 4], [None], [2]], refused="shape")
    case(op, "size_of_a_shape", lambda x, b, i: raw.CropAndResize(image=x, boxes=b, box_ind=i, crop_size=tf.shape(x)[1:3] * 2), [x, b, I32(index)],
         unknown(x, b, index), rtol=1e-6)
    case(op, "constant_boxes", lambda x: raw.CropAndResize(image=x, boxes=tf.constant(b), box_ind=tf.constant(index), crop_size=[3, 3]), [x], rtol=1e-6)


def argmax():
    op = "MaxPoolWithArgmax"

    def pool(name, x, k=(2, 2), s=(2, 2), padding="VALID", to=tf.int64, batch=False, shapes=None, **how):
        case(op, name, lambda x: list(raw.MaxPoolWithArgmax(input=x, ksize=[1, *k, 1], strides=[1, *s, 1], padding=padding, Targmax=to,
                                                            include_batch_in_index=batch)), [x], shapes, EXACT, **how)

    x = normal("am", (3, 8, 9, 5))
    for padding, to, batch in itertools.product(("VALID", "SAME"), (tf.int32, tf.int64), (False, True)):
        tag = f"{padding}_{to.name}_{'batch' if batch else 'image'}"
        pool(tag, x, padding=padding, to=to, batch=batch)
        pool(tag + "_3_2", x, (3, 3), (2, 2), padding, to, batch, unknown(x))
        pool(tag + "_wide", normal("amw", (2, 20, 20, 130)), (3, 3), (2, 2), padding, to, batch)
        pool(tag + "_ties", integers("amt", (2, 9, 9, 7), F32, 0, 3), (3, 3), (2, 2), padding, to, batch)
    for k, s in (((1, 1), (1, 1)), ((1, 3), (1, 2)), ((5, 2), (3, 1)), ((8, 9), (1, 1)), ((2, 2), (4, 4)), ((7, 7), (1, 1)), ((1, 1), (3, 3))):
        for padding in ("VALID", "SAME"):
            pool(f"window_{k[0]}{k[1]}_{s[0]}{s[1]}_{padding}", x, k, s, padding, shapes=static(x))
    pool("larger_than_the_image", x, (11, 12), (2, 2), "SAME")
    special = normal("ams", (2, 8, 8, 3))
    special[:, ::2, ::2] = np.nan
    special[0, 1], special[1, 3:5] = np.nan, -np.inf
    special[1, 6:, :, 1], special[0, 5:, :, 2] = -np.inf, np.inf
    for k in (2, 3):
        for padding in ("VALID", "SAME"):
            pool(f"special_{k}_{padding}", special, (k, k), (2, 2), padding)
            pool(f"special_{k}_{padding}_wide", np.tile(special, (1, 1, 1, 30)), (k, k), (1, 1), padding)
    pool("zeros", np.float32([[0.0, -0.0], [-0.0, 0.0]]).reshape(1, 2, 2, 1), batch=True)
    for dtype in (F64, F16, BF16, np.uint8, np.int8, np.uint16, np.int16, I32, I64):
        pool(np.dtype(dtype).name, integers("amd", (2, 6, 6, 3), dtype, -100, 100), reference=True)
    for channels in (1, 2, 64, 65, 200):
        pool(f"channels_{channels}", normal(f"amc{channels}", (2, 6, 7, channels)), (3, 3), (1, 1), "SAME", batch=True)
    pool("empty_batch", x[:0], error=True)
    pool("empty_batch_static", x[:0], shapes=static(x[:0]), refused="shape")
    pool("no_channels", x[..., :0], shapes=unknown(x), error=True)
    pool("large", normal("aml", (4, 56, 56, 64)), (3, 3), (2, 2), "SAME", batch=True)
    case(op, "depth_window", lambda x: list(raw.MaxPoolWithArgmax(input=x, ksize=[1, 1, 1, 5], strides=[1, 1, 1, 5], padding="VALID")), [x],
         refused="unsupported_attr")


def resizing():
    x = normal("rs", (2, 7, 9, 3))
    sizes = ((7, 9), (14, 18), (3, 4), (13, 5), (1, 1), (1, 20), (20, 1), (2, 2), (40, 50))
    for op, options in (("ResizeBicubic", ({}, {"align_corners": True}, {"half_pixel_centers": True})), ("ResizeArea", ({}, {"align_corners": True}))):
        f = getattr(raw, op)
        for how in options:
            tag = next(iter(how), "plain")
            for size in sizes:
                case(op, f"{tag}_{size[0]}_{size[1]}", lambda t, f=f, h=how, z=size: f(images=t, size=list(z), **h), [x])

            def build(t, f=f, h=how):
                return f(images=t, size=[10, 6], **h)
            case(op, f"{tag}_unknown", build, [x], unknown(x))
            case(op, f"{tag}_static", build, [x], static(x))
            for h, w in ((1, 1), (1, 9), (7, 1), (2, 2), (3, 3)):
                case(op, f"{tag}_of_{h}_{w}", build, [x[:, :h, :w]])
            for channels in (1, 2, 4, 5, 16, 67):
                case(op, f"{tag}_channels_{channels}", build, [normal("rsc", (2, 8, 7, channels))])
            for dtype in (F64, F16, BF16, np.uint8, np.int8, np.uint16, np.int16, I32, I64):
                case(op, f"{tag}_{np.dtype(dtype).name}", build, [integers("rst", (2, 7, 9, 3), dtype, -100, 100)], reference=dtype in CAST_BY_REFERENCE)
            case(op, f"{tag}_large_up", lambda t, f=f, h=how: f(images=t, size=[90, 101], **h), [normal("rsu", (2, 40, 33, 8))])
            case(op, f"{tag}_large_down", lambda t, f=f, h=how: f(images=t, size=[40, 31], **h), [normal("rsd", (2, 123, 101, 8))])
            case(op, f"{tag}_empty_batch", build, [x[:0]])
            case(op, f"{tag}_no_channels", build, [x[..., :0]], unknown(x), error=True)
            case(op, f"{tag}_no_channels_static", build, [x[..., :0]], static(x[..., :0]), refused="shape")
            special = x.copy()
            special[0, 2, 3], special[1, 5, 5], special[1, 1, 1] = np.nan, np.inf, -np.inf
            for size in ((14, 18), (3, 4), (7, 9)):
                case(op, f"{tag}_special_{size[0]}_{size[1]}", lambda t, f=f, h=how, z=size: f(images=t, size=list(z), **h), [special])
            case(op, f"{tag}_fed_size", lambda t, z, f=f, h=how: f(images=t, size=z, **h), [x, I32([4, 4])], [[None, 7, 9, 3], [2]], refused="shape")
            case(op, f"{tag}_size_of_a_shape", lambda t, f=f, h=how: f(images=t, size=tf.shape(t)[1:3] * 2, **h), [x], unknown(x))
            case(op, f"{tag}_no_rows", build, [x[:, :0]], unknown(x), error=True)
    case("ResizeBicubic", "both", lambda t: raw.ResizeBicubic(images=t, size=[4, 4], align_corners=False, half_pixel_centers=True), [x], static(x))


def cases():
    for family in (suppression, combined, crops, argmax, resizing):
        family()
