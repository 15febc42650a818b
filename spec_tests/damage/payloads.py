"""Configurations of layers that would run code, read a file or import a module if their loader allowed it.

Each function takes the path of a file that its configuration would create. If that file does not exist after loading,
nothing ran.
"""

# ruff: noqa: ARG001 - functions that are called alike share a signature

import base64
import marshal
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

Config = dict[str, Any]


class Touch:
    """An object that creates a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.file}",)


def pickled(canary: Path) -> bytes:
    """A pickle that creates a file when it is loaded."""
    return pickle.dumps(Touch(canary))


def _of(class_name: str, module: str | None, config: Any, registered: str | None = None) -> Config:
    return {"class_name": class_name, "module": module, "config": config, "registered_name": registered}


def _function(module: str, name: str) -> Config:
    return _of("function", module, name, name)


def python_lambda(canary: Path) -> Config:
    """A Lambda layer with the bytecode of a function."""
    source = f"def touch(x):\n    open({str(canary)!r}, 'w').close()\n    return x\n"
    code = next(constant for constant in compile(source, "x", "exec").co_consts if hasattr(constant, "co_code"))
    encoded = base64.b64encode(marshal.dumps(code)).decode()
    function = {"class_name": "__lambda__", "config": {"code": encoded, "defaults": None, "closure": None}}
    return _of("Lambda", "keras.layers", {"name": "x", "function": function})


def lambda_of_system(canary: Path) -> Config:
    """A Lambda layer that calls os.system."""
    config = {"name": "x", "function": _function("os", "system"), "arguments": {"command": f"touch {canary}"}}
    return _of("Lambda", "keras.layers", config)


def activation_eval(canary: Path) -> Config:
    """A layer whose activation is the built-in eval."""
    return _of("Activation", "keras.layers", {"name": "x", "activation": _function("builtins", "eval")})


def initializer_system(canary: Path) -> Config:
    """A layer whose initialiser, which is called with a shape, is os.system."""
    config = {"name": "x", "units": 1, "kernel_initializer": _function("os", "system")}
    return _of("Dense", "keras.layers", config)


def process(canary: Path) -> Config:
    """A class whose construction runs a program."""
    return _of("Popen", "subprocess", {"args": ["touch", str(canary)]})


def registered_process(canary: Path) -> Config:
    """A class whose construction runs a program, under a name as if it were registered."""
    return _of("Popen", None, {"args": ["touch", str(canary)]}, "subprocess>Popen")


def torch_module(canary: Path) -> Config:
    """A layer that unpickles a torch module."""
    return _of(
        "TorchModuleWrapper", "keras.layers", {"name": "x", "module": base64.b64encode(pickled(canary)).decode()}
    )


def saved_model(canary: Path) -> Config:
    """A layer that loads a TensorFlow graph from a folder."""
    return _of("TFSMLayer", "keras.layers", {"name": "x", "filepath": str(canary.parent)})


def download(canary: Path) -> Config:
    """A function of Keras itself that downloads files and unpacks them."""
    config = {"name": "x", "activation": _function("keras.utils", "get_file")}
    return _of("Activation", "keras.layers", config)


def vocabulary(canary: Path) -> Config:
    """A layer that reads a file on this machine."""
    return _of("StringLookup", "keras.layers", {"name": "x", "vocabulary": "/etc/passwd"})


def module(canary: Path) -> Config:
    """A class of a module that lies beside the file, where Python finds it."""
    return _of("Layer", f"{canary.stem}_module", {"name": "x"})


PAYLOADS: dict[str, Callable[[Path], Config]] = {
    payload.__name__: payload
    for payload in (
        python_lambda, lambda_of_system, activation_eval, initializer_system, process, registered_process, torch_module,
        saved_model, download, vocabulary, module,
    )
}  # fmt: skip


def lay_module(canary: Path) -> Path:
    """Write the module that ``module`` names, and return the folder to put on Python's path."""
    source = f"open({str(canary)!r}, 'w').close()\n\nclass Layer:\n    pass\n"
    canary.with_name(f"{canary.stem}_module.py").write_text(source)
    return canary.parent
