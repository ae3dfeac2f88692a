"""The data of the digits examples: scikit-learn's 1,797 images of 8x8 pixels, split once and for all."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def load():
    """(train images, train labels, test images, test labels); images [N, 8, 8, 1] float32 in [-1, 1]."""
    data = load_digits()
    images = (data.images[..., np.newaxis] / 8.0 - 1.0).astype(np.float32)
    train, test, train_labels, test_labels = train_test_split(
        images, data.target, test_size=0.25, random_state=7, stratify=data.target)
    return train, train_labels, test, test_labels
