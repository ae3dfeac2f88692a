"""Base calls of suppression, crops, maxima with their places, and bicubic and area resizing."""
import numpy as np
import tensorflow as tf

from variation import K, base, normal, rng


def boxes_of(name, *shape):
    corners = rng(name).uniform(0, 1, size=(*shape, 2, 2)).astype(np.float32)
    low, high = corners.min(-2), corners.max(-2)
    return np.concatenate([low, high], -1)


def scalar(*values):
    return K(np.float32(values[0]), *map(np.float32, values[1:]), dtype=np.float32)


def bases():
    boxes, scores = boxes_of("nms", 12), rng("scores").uniform(0, 1, 12).astype(np.float32)
    inputs = {"boxes": boxes, "scores": scores, "max_output_size": K(6, 3), "iou_threshold": scalar(0.3, 0.05), "score_threshold": scalar(0.1, 0.6)}
    base("NonMaxSuppressionV4", inputs, dtypes={"T_threshold": [np.float32]}, pad_to_max_output_size=True)
    base("NonMaxSuppressionV5", inputs | {"soft_nms_sigma": scalar(0, 0.5)}, pad_to_max_output_size=True)
    inputs = {"boxes": boxes_of("cnms", 2, 10, 1) * np.float32(1.4) - np.float32(0.2), "scores": rng("cs").uniform(0, 1, (2, 10, 3)).astype(np.float32),
              "max_output_size_per_class": K(4, 2), "max_total_size": K(20, 5), "iou_threshold": scalar(0.3, 0.05), "score_threshold": scalar(0.1, 0.6)}
    base("CombinedNonMaxSuppression", inputs, pad_per_class=False, clip_boxes=False)
    image = normal("crop", 3, 6, 7, 2)
    inputs = {"image": image, "boxes": boxes_of("cropb", 4) * np.float32(1.5) - np.float32(0.25), "box_ind": np.array([0, 2, 1, 2], np.int32),
              "crop_size": K([3, 4], [5, 2])}
    base("CropAndResize", inputs, {"extrapolation_value": [2.5]}, method="bilinear", extrapolation_value=0.0)
    base("MaxPoolWithArgmax", {"input": normal("argmax", 2, 7, 6, 3)}, {"ksize": [[1, 3, 2, 1]], "strides": [[1, 1, 2, 1]], "padding": ["VALID"]},
         ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", Targmax=tf.int64, include_batch_in_index=False)
    for op in ("ResizeBicubic", "ResizeArea"):
        base(op, {"images": normal(op, 2, 5, 6, 3), "size": K([7, 9], [3, 4])}, rtol=1e-5, align_corners=False)
