"""Peak memory of an epoch, and of one with ten times the images: ``python -m spec_tests.benchmarks.streaming``.

In a separate process for each, drawn images are loaded at 180 × 180 and the convnet is trained for one epoch with
augmentation. The memory must not grow with the number of images.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from fixtures.dataset import drawn_jpeg

from ..adapter.implementation import BrokenAdapter, load
from ..adapter.targets import DEFAULT_IMPLEMENTATION, default_backend
from .memory import peak
from .work import DROPOUT, LEARNING_RATE

IMAGES, TIMES = 1000, 10
DRAWN = 20  # images drawn for a class; further ones are copies
IMAGE_SIZE, BATCH_SIZE = (180, 180), 64


def write_images(folder: Path, count: int) -> None:
    """Write so many images to two class folders."""
    drawn = {(name, index): drawn_jpeg(name, index) for name in ("cat", "dog") for index in range(DRAWN)}
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for index in range(count // 2):
            (folder / name / f"{name}.{index}.jpg").write_bytes(drawn[name, index % DRAWN])


def train(folder: Path, target: str, backend: str | None) -> int:
    """Train for one epoch; returns the peak of this process in bytes."""
    implementation = load(target, backend)
    batches = implementation.load_images(folder, image_size=IMAGE_SIZE, batch_size=BATCH_SIZE, shuffle=True, seed=0)
    model = implementation.build_convnet(image_size=IMAGE_SIZE, dropout=DROPOUT, seed=0)
    implementation.fit(
        model, batches, batches,
        epochs=1, learning_rate=LEARNING_RATE, checkpoint=folder.parent / "best.keras", seed=0, augment=True,
    )  # fmt: skip
    return peak()


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 if measured, 2 for an error that the user can correct."""
    options = parser().parse_args(arguments)
    if options.folder:
        return _measure(options)
    peaks = []
    for images in (IMAGES, TIMES * IMAGES):
        with tempfile.TemporaryDirectory() as scratch:
            write_images(Path(scratch, "images"), images)
            command = [sys.executable, "-m", f"{__package__}.streaming", "--folder", str(Path(scratch, "images"))]
            command += ["--implementation", options.implementation, "--backend", options.backend]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
        if done.returncode:  # the process printed the reason
            return done.returncode
        peaks.append(int(done.stdout.split()[-1]))
        print(f"{images:,} images: {peaks[-1] / 2**20:,.0f} MiB")
    print(f"ratio {peaks[1] / peaks[0]:.3f}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The parser of the options."""
    top = argparse.ArgumentParser("python -m spec_tests.benchmarks.streaming", description=__doc__)
    add = top.add_argument
    add("--implementation", default=DEFAULT_IMPLEMENTATION, metavar="NAME", help="default: %(default)s")
    add("--backend", default=default_backend(), metavar="NAME",
        help="for implementations that run on several (default: %(default)s)")  # fmt: skip
    add("--folder", type=Path, help=argparse.SUPPRESS)  # for a process that measures
    return top


def _measure(options: argparse.Namespace) -> int:
    """Print the peak of this process; returns the exit code."""
    try:
        print(train(options.folder, options.implementation, options.backend))
    except BrokenAdapter as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
