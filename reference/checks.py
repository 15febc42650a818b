"""Checks of the command line, made before a framework is imported and before anything is written."""

from .backend import check_backend
from .download import DRAWN, find_data
from .errors import PipelineError
from .presets import find_base
from .run import Run
from .subset import index_images, scaled_split

ON_BASE = ("augmented", "features")  # stages that train on the base; fine-tuning prefers the first one's checkpoint


def check(run: Run) -> None:
    """Refuse a run that cannot succeed. The inputs of a finished stage may be gone."""
    check_backend(run.options.backend)
    unfinished = run.unfinished()
    if "data" in unfinished:
        check_data(run.options.data, run.options.scale)
    if not unfinished.isdisjoint(("data", *ON_BASE)):
        find_base(run.options.base)
    if "tune" in unfinished and not any(stage in run.options.stages or run.finished(stage) for stage in ON_BASE):
        raise PipelineError("the stage tune starts from a checkpoint: run the stage features or augmented before it")


def check_data(data: str, scale: float) -> None:
    """Raise PipelineError unless there are data, and enough images if they can be counted quickly."""
    needed = max(end for _, end in scaled_split(scale).values())
    counts = {}
    if data == "embedded":
        counts = {"each class": DRAWN}
    elif data != "kaggle" and (source := find_data(data)).is_dir():
        counts = {name: len(files) for name, files in index_images(source).items()}
    for name, count in counts.items():
        if count < needed:
            raise PipelineError(
                f"{data} holds {count:,} images of {name}, and a split of scale {scale:g} takes {needed:,}: "
                f"take a smaller one with --scale"
            )
