"""Reference implementation of transfer learning for image classification, with a module for each stage.

The functions of the contract can be imported from here by name. The module behind a name is
imported when it is first asked for, so that a backend can be selected before Keras loads.
"""

import importlib
from typing import Any

CONTRACT = {
    "backend": ("select_backend", "register_magic"),
    "layers": (
        "conv2d", "separable_conv2d", "max_pooling2d", "average_pooling2d", "global_average_pooling2d", "dense",
        "batch_normalization", "dropout",
    ),
    "download": ("extract_archive",),
    "subset": ("make_subset", "SPLIT"),
    "loading": ("load_images",),
    "augmentation": ("random_flip", "random_rotation", "random_zoom", "augment"),
    "base": ("preprocess",),
    "classifier": ("build_classifier", "build_convnet"),
    "freezing": ("freeze_base", "unfreeze_top", "variables"),
    "features": ("extract_features", "fit_head"),
    "training": ("predict", "train_step", "fit", "evaluate", "save", "load"),
}  # fmt: skip

__all__ = [name for names in CONTRACT.values() for name in names]


def __getattr__(name: str) -> Any:
    for module, names in CONTRACT.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
