"""The stages of a run, one function each, in the order of the notes."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from .base import calibrate, load_base, load_preprocessor
from .classifier import DROPOUT, build_convnet, classifier_on, head
from .download import obtain
from .errors import PipelineError
from .evaluation import judge
from .features import cached_features, feature_batches, fit_head
from .freezing import unfreeze_top
from .loading import IMAGE_SIZE
from .run import Result, Run, epoch_bar
from .subset import make_subset, scaled_split
from .training import FINE_TUNING_RATE, MONITOR, History, fit, load, predict

EPOCHS = {"features": 30, "augmented": 3, "tune": 3, "convnet": 20, "convnet-augmented": 20}
CALIBRATION_BATCHES = 2


def prepare_data(run: Run) -> Result:
    """Obtain the images and make the three subsets."""
    folder = run.folder / "images"
    source = obtain(run.config.data, run.cache)
    with tempfile.TemporaryDirectory(dir=run.folder, prefix=".images-") as partial:
        for name, (start, end) in scaled_split(run.config.scale).items():
            make_subset(source, Path(partial) / "images", name, start, end)
        if folder.exists():  # left by a run that was interrupted before this stage was finished
            shutil.rmtree(folder)
        Path(partial, "images").rename(folder)
    subsets = {"training": run.train, "validation": run.validation, "test": run.test}
    left_out = [str(path) for batches in subsets.values() for path in batches.left_out]
    summary = ", ".join(f"{len(batches.paths):,} {name}" for name, batches in subsets.items()) + " images"
    return {"summary": f"{summary}, {len(left_out)} unreadable left out" if left_out else summary, "left_out": left_out}


def train_on_features(run: Run) -> Result:
    """Feature extraction, the fast way: the base runs once, the head is trained on what it gave."""
    model = frozen_classifier(run)
    watch = partial(track, description="running the base", console=run.console, disable=not run.console.is_terminal)
    train, validation, test = (
        cached_features(model, batches, run.cache, watch) for batches in (run.train, run.validation, run.test)
    )
    trained, history = fit_head(
        model,
        feature_batches(*train, seed=run.config.seed),
        feature_batches(*validation),
        checkpoint=run.checkpoint("features"),
        **_training_options(run, "features"),
    )
    return _result(run, predict(head(trained), test[0]), history)


def train_augmented(run: Run) -> Result:
    """Feature extraction, the notes' way: the frozen base inside the model, under augmentation."""
    return _train(run, "augmented", frozen_classifier(run), augment=True)


def fine_tune(run: Run) -> Result:
    """Partial fine-tuning from the best epoch of feature extraction, augmented or not."""
    starts = [run.checkpoint(stage) for stage in ("augmented", "features") if run.finished(stage)]
    if not starts:
        raise PipelineError("the stage tune starts from a checkpoint: run the stage features or augmented before it")
    return _train(run, "tune", unfreeze_top(load(starts[0])), augment=True, learning_rate=FINE_TUNING_RATE)


def train_convnet(run: Run) -> Result:
    """The baseline: a convnet from scratch."""
    return _train(run, "convnet", build_convnet(seed=run.config.seed))


def train_convnet_augmented(run: Run) -> Result:
    """The baseline against overfitting: augmentation and dropout."""
    return _train(run, "convnet-augmented", build_convnet(dropout=DROPOUT, seed=run.config.seed), augment=True)


STAGES: dict[str, Callable[[Run], Result]] = {
    "data": prepare_data,
    "features": train_on_features,
    "augmented": train_augmented,
    "tune": fine_tune,
    "convnet": train_convnet,
    "convnet-augmented": train_convnet_augmented,
}


def frozen_classifier(run: Run) -> Any:
    """A new classifier on the run's base; the statistics of a random one are calibrated first."""
    base = load_base(run.config.base, weights=not run.config.random_base, seed=run.config.seed)
    preprocessor = load_preprocessor(run.config.base, image_size=IMAGE_SIZE)
    if run.config.random_base:
        some = [images for images, _ in islice(run.shuffled_train, CALIBRATION_BATCHES)]
        calibrate(base, preprocessor(np.concatenate(some)))
    return classifier_on(base, preprocessor, IMAGE_SIZE, run.config.seed)


def _train(run: Run, stage: str, model: Any, **options: Any) -> Result:
    """Train a model of images; judge its best epoch on the test set."""
    best = run.checkpoint(stage)
    options |= _training_options(run, stage)
    _, history = fit(model, run.shuffled_train, run.validation, checkpoint=best, **options)
    probabilities = load(best).predict(run.test.dataset, verbose=0)[:, 0]
    return _result(run, probabilities, history)


def _training_options(run: Run, stage: str) -> dict[str, Any]:
    epochs = run.config.epochs or EPOCHS[stage]
    return {"epochs": epochs, "seed": run.config.seed, "callbacks": [epoch_bar(stage, epochs, run.console)]}


def _result(run: Run, probabilities: Any, history: History) -> Result:
    labels = np.concatenate([labels for _, labels in run.test])
    evaluation = judge(probabilities, labels, run.test.paths)
    best_epoch = int(np.argmin(history[MONITOR])) + 1
    summary = f"test accuracy {evaluation.accuracy:.3f}, best epoch {best_epoch} of {len(history[MONITOR])}"
    return {"summary": summary, "evaluation": asdict(evaluation), "history": history, "best_epoch": best_epoch}
