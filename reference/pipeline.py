"""The stages of a run, in the order of the notes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from .base import calibrate, find_preset, load_base, load_preprocessor
from .checks import ON_BASE
from .classifier import DROPOUT, build_convnet, classifier_on, head
from .download import obtain
from .errors import PipelineError, printable
from .evaluation import judge
from .features import cached_features, feature_batches, fit_head
from .files import whole
from .freezing import unfreeze_top
from .loading import IMAGE_SIZE, ImageBatches, UnreadableImageError
from .report import write_report
from .run import Result, Run
from .subset import make_subset, originals, scaled_split
from .training import FINE_TUNING_RATE, MONITOR, History, fit, load, predict, predict_batches

EPOCHS = {"features": 30, "augmented": 3, "tune": 3, "convnet": 20, "convnet-augmented": 20}
CALIBRATION_BATCHES = 2


def run_pipeline(run: Run) -> None:
    """Run the requested stages, always including that of the data, and finally write the report."""
    check_base(run)
    run.begin()
    asked = [stage for stage in STAGES if stage in ("data", *run.options.stages)]
    write_report(run, {stage: run.execute(stage, STAGES[stage]) for stage in asked})


def check_base(run: Run) -> None:
    """Check that the base exists and is intact before the data are made, which takes longer."""
    unfinished = run.unfinished()
    if "data" in unfinished:
        find_preset(run.options.base)
    if not unfinished.isdisjoint(ON_BASE):
        base_and_preprocessor(run)


def prepare_data(run: Run) -> Result:
    """Obtain the images and make the three subsets; returns the stage's result."""
    source = obtain(run.options.data, run.cache)
    with _naming_the_users_files(run, source):
        with whole(run.folder / "images") as folder:
            for name, (start, end) in scaled_split(run.options.scale).items():
                make_subset(source, folder, name, start, end)
        train, validation, test = (len(batches.paths) for batches in run.images.values())
        left_out = _of_the_user([path for batches in run.images.values() for path in batches.left_out], run, source)
    summary = f"{train:,} training, {validation:,} validation, {test:,} test images"
    return {"summary": f"{summary}, {len(left_out)} unreadable left out" if left_out else summary, "left_out": left_out}


@contextmanager
def _naming_the_users_files(run: Run, source: Path) -> Iterator[None]:
    """Make errors name the user's files instead of unpacked files or copies."""
    try:
        yield
    except PipelineError as error:
        text = str(error)
        if isinstance(error, UnreadableImageError):
            (file,) = _of_the_user([error.file], run, source)
            text = text.replace(printable(str(error.file)), printable(file))
        raise PipelineError(text.replace(printable(str(source)), run.options.data)) from error


def _of_the_user(copies: list[Path], run: Run, source: Path) -> list[str]:
    """The files in the user's data from which the run's images (images/subset/class/name) were copied."""
    found = originals(source) if copies else {}
    places = (Path(*copy.relative_to(run.folder / "images").parts[1:]) for copy in copies)
    return [str(found[place]).replace(str(source), run.options.data) for place in places]


def train_on_features(run: Run) -> Result:
    """Feature extraction in its fast form: the base runs once, and the head is trained on its features."""
    model = frozen_classifier(run)
    train, validation, test = (cached_features(model, batches, run.cache) for batches in run.images.values())
    shuffled = feature_batches(*train, seed=run.options.seed)
    model, history = fit_head(model, shuffled, feature_batches(*validation), **_training_options(run, "features"))
    return _result(run, predict(head(model), test[0]), history)


def fine_tune(run: Run) -> Result:
    """Partial fine-tuning from the best epoch of feature extraction, with or without augmentation."""
    start = next(run.checkpoint(stage) for stage in ON_BASE if run.finished(stage))
    return _train(run, "tune", unfreeze_top(load(start)), augment=True, learning_rate=FINE_TUNING_RATE)


def frozen_classifier(run: Run) -> Any:
    """A new classifier on the run's base; the statistics of a random one are calibrated first."""
    base, preprocessor = base_and_preprocessor(run)
    if run.options.random_base:
        some = [images for images, _ in islice(_shuffled(run), CALIBRATION_BATCHES)]
        calibrate(base, preprocessor(np.concatenate(some)))
    return classifier_on(base, preprocessor, IMAGE_SIZE, run.options.seed)


def base_and_preprocessor(run: Run) -> tuple[Any, Any]:
    """The run's base, newly loaded, and its preprocessor."""
    base = load_base(run.options.base, weights=not run.options.random_base, seed=run.options.seed)
    return base, load_preprocessor(run.options.base, image_size=IMAGE_SIZE)


def _train(run: Run, stage: str, model: Any, **options: Any) -> Result:
    """Train a model of images, and evaluate its best epoch on the test set; returns the stage's result."""
    options |= _training_options(run, stage)
    _, history = fit(model, _shuffled(run), run.images["validation"], **options)
    probabilities = predict_batches(load(options["checkpoint"]), run.images["test"])
    return _result(run, probabilities, history)


def _shuffled(run: Run) -> ImageBatches:
    return replace(run.images["train"], shuffle_seed=run.options.seed)


def _training_options(run: Run, stage: str) -> dict[str, Any]:
    epochs = run.options.epochs or EPOCHS[stage]
    return {"epochs": epochs, "seed": run.options.seed, "checkpoint": run.checkpoint(stage)}


def _result(run: Run, probabilities: Any, history: History) -> Result:
    test = run.images["test"]
    evaluation = judge(probabilities, np.asarray(test.labels), test.paths)
    best_epoch = int(np.argmin(history[MONITOR])) + 1
    summary = f"test accuracy {evaluation.accuracy:.3f}, best epoch {best_epoch} of {len(history[MONITOR])}"
    return {"summary": summary, "evaluation": asdict(evaluation), "history": history, "best_epoch": best_epoch}


STAGES: dict[str, Callable[[Run], Result]] = {
    "data": prepare_data,
    "features": train_on_features,
    "augmented": lambda run: _train(run, "augmented", frozen_classifier(run), augment=True),
    "tune": fine_tune,
    "convnet": lambda run: _train(run, "convnet", build_convnet(seed=run.options.seed)),
    "convnet-augmented": lambda run: _train(
        run, "convnet-augmented", build_convnet(dropout=DROPOUT, seed=run.options.seed), augment=True
    ),
}
