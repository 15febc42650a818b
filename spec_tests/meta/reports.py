"""Reports made up for tests of what is said of a run."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from spec_tests.clauses.clause import Clause, Level
from spec_tests.reporting.record import Failure, Implementation, Outcome, Report, Result, Tolerance

ADVICE = "If this fails, check the sign of it."
SNIPPET = "from spec_tests.reproduce import reproduce\nreproduce('PAD-4', 'bad', case=(1, 2))"
HOSTILE = """ "'><img src=x onerror=alert(1)><script>alert(1)</script></style></script>{{ 7 * 7 }}`$"""
GOOD, BAD, BROKEN = "good", "package.of_a_long_name.adapter:implementation", "broken"

WINDOW: dict[str, Any] = {
    "kind": "window",
    "title": "case of PAD-4",
    "image": [5, 7],
    "size": [2, 3],
    "strides": [1, 2],
    "dilation": [2, 1],
    "padding": "same",
    "pads": [[1, 1], [1, 1]],
}
DIFFERENCE: dict[str, Any] = {
    "kind": "difference",
    "title": "what is wrong",
    "sample": 1,
    "channel": 0,
    "shape": [2, 3],
    "first": [0, 0],
    "worst": [1, 2],
    "expected": [[1, 2, 3], [4, 5, 6]],
    "got": [[1, 2, 3], [4, None, -6.5]],
    "wrong": [[0, 0, 0], [0, 1, 1]],
}
HISTOGRAM: dict[str, Any] = {
    "kind": "histogram",
    "title": "angles",
    "unit": "degrees",
    "edges": [-6, -4, -2, 0, 2, 4, 6],
    "counts": [0, 20, 25, 30, 24, 1],
    "low": -4,
    "high": 4,
}
CURVES: dict[str, Any] = {
    "kind": "curves",
    "title": "a run",
    "history": {
        "loss": [0.7, 0.5, 0.4],
        "val_loss": [0.7, 0.6, None],
        "accuracy": [0.5, 0.7, 0.8],
        "val_accuracy": [0.5, 0.6, 0.55],
    },
}

PREPROCESSING: dict[str, Any] = {
    "kind": "preprocessing",
    "title": "what the base receives",
    "subset": "training",
    "expected": {"scale": [1, 1, 1], "offset": [-100, -110, -120], "order": "bgr"},
    "got": {"scale": [1, 1, 0.5], "offset": [-100, -110, 0], "order": "rgb"},
}
MOVEMENT: dict[str, Any] = {
    "kind": "movement",
    "title": "how far layers moved",
    "layers": [
        {"name": "stem.conv", "normalization": False, "largest": 0.25},
        {"name": "stem.norm", "normalization": True, "largest": 12.5},
        {"name": f"blocks.{'x' * 60}.norm", "normalization": True, "largest": 0},
    ],
    "moved": 3,
    "count": 7,
}


def png(height: int = 4, width: int = 6, level: int = 100) -> str:
    """A grey image, base64."""
    encoded = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), level, np.uint8)).save(encoded, "PNG")
    return base64.b64encode(encoded.getvalue()).decode()


def images(expected: str, got: str) -> dict[str, Any]:
    """Evidence of two images."""
    return {"kind": "images", "title": "flip", "expected": expected, "got": got}


def clause(id: str, stage: str, level: Level = Level.MUST, sentence: str = "") -> Clause:
    """A clause of which nothing is tested."""
    return Clause(
        id, level, stage, "somewhere", sentence or f"What {id} says is `so`.", "To 1e-5.", ADVICE, "module", "test"
    )


CLAUSES = (
    clause("PAD-4", "layers", sentence="The odd zero is at the end."),
    clause("POOL-1", "layers"),
    clause("AUG-6", "augmentation"),
    clause("ROT-1", "augmentation", Level.STOCHASTIC),
    clause("TRAIN-4", "training"),
    clause("ACC-7", "tuning", Level.SHOULD),
)


def report() -> Report:
    """Three implementations: one that conforms, one with outcomes of many kinds, one whose adapter is broken."""
    pad, pool, aug, rot, train, acc = CLAUSES
    wrong = Failure("convolution at (0, 1)", "1.5", "-2", counterexample=("case = (1, 2)",), snippet=SNIPPET)
    lost = Failure("no answer after 60 s", output="epoch 1\nepoch 2")
    flipped = (images(png(), png(level=90)),)
    results = [
        Result(pad, GOOD, Outcome.PASSED, 0.2, tolerance=Tolerance(0.25)),
        Result(pool, GOOD, Outcome.PASSED, 0.1, reason="pooling is hard"),
        Result(aug, GOOD, Outcome.PASSED, 0.3, tolerance=Tolerance(0.5, 20, "bfloat16")),
        Result(rot, GOOD, Outcome.PASSED, 2, evidence=(HISTOGRAM,)),
        Result(train, GOOD, Outcome.PASSED, 9, evidence=(CURVES,)),
        Result(acc, GOOD, Outcome.REPORTED, 9, Failure("seconds a step", "below 3", "4")),
        Result(pad, BAD, Outcome.FAILED, 0.2, wrong, tolerance=Tolerance(614617.6), evidence=(WINDOW,)),
        Result(pool, BAD, Outcome.PASSED, 0.1),
        Result(aug, BAD, Outcome.EXCUSED, 0.3, Failure("flip", "1", "2"), "flips wait", evidence=flipped),
        Result(rot, BAD, Outcome.TIMED_OUT, 60, lost),
        *(Result(stated, BAD, Outcome.NOT_CLAIMED) for stated in (train, acc)),
        *(Result(stated, BROKEN, Outcome.BROKEN, reason="dense cannot be called") for stated in (pad, pool)),
        *(Result(stated, BROKEN, Outcome.NOT_CLAIMED) for stated in (aug, rot, train, acc)),
    ]
    implementations = (
        Implementation(GOOD, GOOD, "jax", "Good", "1.2", {"jax": "0.10.2"}, "3.12.1", "Linux"),
        Implementation(BAD, BAD),
        Implementation(BROKEN, BROKEN, name="Broken"),
    )
    return Report("0.1.0", 7, "quick", "2026-11-24T23:15:09+00:00", 125, CLAUSES, implementations, tuple(results))


def report_of_one() -> Report:
    """One implementation: one exception breaks two clauses, another clause is wrong, two stages are not claimed."""
    pad, pool, aug, rot, train, acc = CLAUSES
    at = "my_port.py:7 in conv2d: _check(images)\nmy_port.py:3 in _check: raise ValueError(images.shape)"
    raised = [
        Failure(raised=f"ValueError: ({n}, 2)", at=at, counterexample=(f"case = ({n}, 2)",), snippet=SNIPPET)
        for n in (1, 3)
    ]
    more = clause("PAD-5", "layers", sentence="The axes are independent.")
    wrong = Failure("pooling", "1", "2", also=(Failure("pooling: shape", "(1, 2)", "(2, 1)"),))
    results = [
        Result(pool, "my_port", Outcome.FAILED, failure=wrong, evidence=(WINDOW | {"worst": [1, 2]}, DIFFERENCE)),
        Result(more, "my_port", Outcome.FAILED, failure=raised[1]),
        Result(pad, "my_port", Outcome.FAILED, failure=raised[0]),
        *(Result(stated, "my_port", Outcome.NOT_CLAIMED) for stated in (aug, rot, train, acc)),
    ]
    implementations = (Implementation("my_port", "my_port", version="0.1"),)
    clauses = (pool, more, *CLAUSES[:1], *CLAUSES[2:])
    return Report("0.1.0", 7, "quick", "2026-11-24T23:15:09+00:00", 5, clauses, implementations, tuple(results))


def hostile(name: str) -> str:
    """Text that would run if it were not escaped."""
    return f"[{name}]{HOSTILE}"


def hostile_report() -> tuple[Report, list[str]]:
    """A report with such text wherever text may stand, and those that are to be seen."""
    shown = [
        *vars(Failure()),
        "source",
        "sentence",
        "notes",
        "advice",
        "column",
        "target",
        "backend",
        "name",
        "version",
    ]
    shown += ["first", "second", "subset"]  # of pictures
    shown += ["python", "platform", "package", "release", "reason", "widened", "title", "unit", "started", "spec"]
    text = {name: hostile(name) for name in shown}
    said = {name: text[name] for name in vars(Failure())} | {"at": f"a.py:1 in {text['at']}: x"}
    others = (Failure(violated=text["also"]),)
    failure = Failure(**said | {"counterexample": (text["counterexample"],), "also": others})  # type: ignore[arg-type]
    stated = [
        Clause(
            f"PAD-{n}", Level.MUST, "layers", text["source"], text["sentence"], text["notes"], text["advice"], "", ""
        )
        for n in (1, 2, 3, 4)
    ]
    evidence = (
        WINDOW | {"title": text["title"]},
        DIFFERENCE | {"title": text["title"]},
        HISTOGRAM | {"title": text["title"], "unit": text["unit"]},
        CURVES | {"history": {text["title"]: [1.0], "loss": [1.0]}},
        images(HOSTILE, HOSTILE) | {"title": text["title"]},
        images(png(), png(level=90)) | {"names": [text["first"], text["second"]]},
        PREPROCESSING | {"title": text["title"], "subset": text["subset"]},
        PREPROCESSING | {"got": PREPROCESSING["got"] | {"order": HOSTILE}},
        MOVEMENT | {"title": text["title"], "layers": [MOVEMENT["layers"][0] | {"name": HOSTILE}]},
    )
    outcomes = (Outcome.FAILED, Outcome.PASSED, Outcome.BROKEN, Outcome.FAILED)
    tolerance = Tolerance(0.5, 2, text["widened"])
    results = tuple(
        Result(clause, text["column"], outcome, 1, failure, text["reason"], tolerance, evidence)
        for clause, outcome in zip(stated, outcomes, strict=True)
    )
    implementation = Implementation(
        text["column"],
        text["target"],
        text["backend"],
        text["name"],
        text["version"],
        {text["package"]: text["release"]},
        text["python"],
        text["platform"],
    )
    made = Report(text["spec"], 0, "quick", text["started"], 1, tuple(stated), (implementation,), results)
    return made, list(text.values())
