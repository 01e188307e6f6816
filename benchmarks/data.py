"""Data that more than one benchmark takes."""

import os
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def images(fetch):
    """Training and test rows of a loader of images, on [0, 1]."""
    X, y = fetch(return_X_y=True)
    X_test, y_test = fetch(subset="test", return_X_y=True)
    return X / np.float32(255), y, X_test / np.float32(255), y_test


def digits():
    """Digits in two halves."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    return X_train, y_train, X_test, y_test


def flowers(*parts):
    """Rows (float32, 0 to 255) and classes of parts "train", "val", "test" of the photos of flowers."""
    with np.load(Path(os.environ["SKMETRIC_DATA"]) / "flowers12.npz") as data:
        return [(data[f"X_{part}"].astype(np.float32), data[f"y_{part}"]) for part in parts]


def archive(name, *keys):
    """Arrays of an archive in the folder of the data."""
    with np.load(Path(os.environ["SKMETRIC_DATA"]) / f"{name}.npz") as data:
        return [data[key] for key in keys]
