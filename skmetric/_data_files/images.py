"""Files of images and labels in the format of MNIST. Other arrays raise an error before they are read."""

import numpy as np

from . import arrays

N_ROWS = {"train": 60_000, "test": 10_000}  # largest number of images in a part
HEADER = 10_000  # largest number of bytes in the header of a .npy file


def read_part(images_file, labels_file, part):
    """Read the images (n, 784) and the labels (n,) of the part "train" or "test"."""
    X = _read_images(images_file, part)
    y = read_labels(labels_file, part)
    return check_part(X, y, " and ".join(dict.fromkeys([str(images_file), str(labels_file)])))


def _read_images(path, part):
    def check(dtype, shape):
        if dtype != np.uint8 or shape[1:] not in ((784,), (28, 28)) or shape[0] > N_ROWS[part]:
            raise _unexpected(path, part, "images (n, 784) or (n, 28, 28)", dtype, shape)

    return _read_array(path, "X", part, check)


def read_labels(path, part):
    """Read the labels of a part, without comparing them with the images."""

    def check(dtype, shape):
        if dtype != np.uint8 or len(shape) != 1 or shape[0] > N_ROWS[part]:
            raise _unexpected(path, part, "labels (n,)", dtype, shape)

    return _read_array(path, "y", part, check)


def _unexpected(path, part, what, dtype, shape):
    return arrays.UnexpectedArrayError(
        f"{path} must contain uint8 {what} with n <= {N_ROWS[part]}, got {dtype} {shape}."
    )


def _read_array(path, name, part, check):
    if path.suffix == ".npz":
        return arrays.read_npz(path, f"{name}_{part}", N_ROWS[part] * 784 + HEADER, check)
    if path.suffix == ".npy":
        return arrays.read_npy(path, check)
    return arrays.read_idx(path, check)


def check_part(X, y, source):
    """Return images (n, 784) and labels (n,); raise an error if they do not fit together."""
    fit = X.shape[1:] in ((784,), (28, 28)) and y.shape == X.shape[:1]
    if not fit or np.any(y > 9):
        raise ValueError(
            f"{source} must contain images (n, 784) or (n, 28, 28) and labels (n,) from 0 to 9, "
            f"got {X.shape} and {y.shape}, with labels up to {y.max(initial=0)}."
        )
    return X.reshape(len(X), 784), y
