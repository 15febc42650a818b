"""A topic of test vectors: cases, the arrays that they name, and its files.

Arrays are drawn from their names with the raw bits of PCG64, which NumPy keeps stable. A case that is
added or changed therefore changes no other, and the inputs are the same bits everywhere.
"""

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FORMAT = 1  # readers check it; README.md in fixtures/vectors says what changes it
RANDOM_BITS = 24  # of a value in [0, 1): as many as float32 represents
NOTHING: Mapping[str, Any] = {}

Numbers = NDArray[Any]
Shape = tuple[int, ...]
Case = dict[str, Any]


def draw(name: str, shape: Shape, low: float = -2, high: float = 2) -> NDArray[np.float32]:
    """Float32 values uniform in [low, high), determined by the name."""
    raw = np.random.PCG64(zlib.crc32(name.encode())).random_raw(math.prod(shape))
    share = (raw >> np.uint64(64 - RANDOM_BITS)).astype(np.float64) / 2**RANDOM_BITS
    return np.asarray((low + (high - low) * share).reshape(shape), np.float32)


def draw_weights(name: str, shape: Shape) -> NDArray[np.float32]:
    """Float32 values in [-2, -0.5) and [0.5, 2), so that the omission of any weight is noticed."""
    values = draw(name, shape, -1.5, 1.5)
    return np.asarray(values + np.copysign(np.float32(0.5), values))


def draw_pixels(name: str, shape: Shape) -> NDArray[np.float32]:
    """Whole numbers from 0 to 255 as float32."""
    return np.floor(draw(name, shape, 0, 256))


def drawn(id: str, **wanted: Shape | Numbers | None) -> dict[str, Numbers]:
    """The inputs of a case by name: arrays unchanged, weights drawn for shapes, and none for None."""
    return {
        name: draw_weights(f"{id}/{name}", values) if isinstance(values, tuple) else values
        for name, values in wanted.items()
        if values is not None
    }


@dataclass(frozen=True)
class Within:
    """The tolerance of an output: rtol × scale + atol. The scale is an array, each value, or the largest one."""

    rtol: float = 0
    atol: float = 0
    scale: Numbers | Literal["expected", "largest"] = "expected"


@dataclass
class Topic:
    """The cases of one topic, in order, and their arrays by name."""

    name: str
    about: str
    cases: list[Case] = field(default_factory=list)
    arrays: dict[str, Numbers] = field(default_factory=dict)

    def add(
        self,
        id: str,
        operation: str,
        note: str,
        *,
        expected: Mapping[str, Any],
        inputs: Mapping[str, Numbers] = NOTHING,
        parameters: Mapping[str, Any] = NOTHING,
        tolerance: Mapping[str, Within] = NOTHING,
        also: Sequence[str] = (),
        weights: tuple[str, str] | None = None,
    ) -> None:
        """Add a case of the clause in ``id`` and of those in ``also``. An output without a tolerance is exact.

        ``expected`` holds arrays and plain numbers. An array that the topic already has is stored once.
        ``weights`` are a file, relative to the vectors, and the prefix of the names of its arrays.
        """
        case: Case = {"id": id, "clauses": [id.partition("/")[0], *also], "note": note, "operation": operation}
        case["parameters"] = dict(parameters)
        case["inputs"] = {name: self._stored(f"{id}/{name}", values) for name, values in inputs.items()}
        if weights is not None:
            case["weights"] = dict(zip(("file", "prefix"), weights, strict=True))
        case["expected"] = {
            name: self._stored(f"{id}/{name}_expected", value) if isinstance(value, np.ndarray) else value
            for name, value in expected.items()
        }
        case["tolerance"] = {name: self._tolerance(f"{id}/{name}_scale", within) for name, within in tolerance.items()}
        self.cases.append(case)

    def compute(
        self, id: str, operation: str, note: str, outputs: Numbers, within: Within | None = None, **more: Any
    ) -> None:
        """Add a case with one output array, exact or within a tolerance."""
        tolerance = {} if within is None else {"outputs": within}
        self.add(id, operation, note, expected={"outputs": outputs}, tolerance=tolerance, **more)

    def refuse(
        self,
        id: str,
        operation: str,
        note: str,
        *,
        inputs: Mapping[str, Numbers] = NOTHING,
        parameters: Mapping[str, Any] = NOTHING,
        mentions: Sequence[int] = (),
        also: Sequence[str] = (),
    ) -> None:
        """Add a case that must raise an error, with numbers that its message contains."""
        expected = {"error": True} | ({"mentions": list(mentions)} if mentions else {})
        self.add(id, operation, note, inputs=inputs, parameters=parameters, expected=expected, also=also)

    def text(self) -> str:
        """The text of the topic's JSON file, with a line for each property of a case."""
        head = {"$schema": "schema.json", "format": FORMAT, "topic": self.name, "about": self.about}
        if self.arrays:
            head["arrays"] = f"{self.name}.safetensors"
        cases = ",\n".join(f"  {{\n{_lines(case, '   ')}\n  }}" for case in self.cases)
        return f'{{\n{_lines(head, " ")},\n "cases": [\n{cases}\n ]\n}}\n'

    def _stored(self, name: str, values: Numbers) -> str:
        """The name under which the topic stores this array."""
        known = next((known for known, array in self.arrays.items() if array is values), None)
        if known is None:
            self.arrays[name] = values
        return known or name

    def _tolerance(self, name: str, within: Within) -> dict[str, Any]:
        if isinstance(within.scale, str):
            return {"rtol": within.rtol, "atol": within.atol, "scale": within.scale}
        scale = self._stored(name, np.asarray(within.scale, np.float32))  # a bound, for which seven digits suffice
        return {"rtol": within.rtol, "atol": within.atol, "scale": scale}


def _lines(properties: Mapping[str, Any], indent: str) -> str:
    return ",\n".join(
        f"{indent}{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in properties.items()
    )
