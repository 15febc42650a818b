"""One call of a function of the contract, and the faults that prevent it."""

import inspect
from contextlib import suppress
from typing import Any

from ...adapter.contract import PROTOCOLS
from ...adapter.implementation import Implementation, one_line
from .answers import Answer


class Fault(Exception):  # noqa: N818 - not an error of this program
    """A function of the adapter cannot be used: one line that begins with its name."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"{name}{words}")
        self.name = name


class Unfilled(Fault):
    """A function only raises NotImplementedError."""


def call(implementation: Implementation, name: str, answer: Answer, *arguments: Any, **options: Any) -> Any:
    """The value that a function returns; Fault if it does not take these arguments or returns another kind of value.

    Unfilled if it only raises NotImplementedError. Undecided if it is not offered, or does not support this input.
    """
    function = getattr(implementation, name)
    with suppress(ValueError):  # a function without a signature is called unchecked
        try:
            inspect.signature(function).bind(*arguments, **options)
        except TypeError as error:
            raise Fault(name, f": {error}; it must take {_signature(name)}") from error
    try:
        came = function(*arguments, **options)
    except NotImplementedError as error:
        raise Unfilled(name, " is not filled in yet") from error
    except (Exception, SystemExit) as error:
        raise Fault(name, f" raised {one_line(error)} for the simplest input: fix that first") from error
    if wrong := answer(came):
        raise Fault(name, f" {wrong}")
    return came


def _signature(name: str) -> str:
    """The signature of a function of the contract, without annotations."""
    protocol = next(protocol for protocol in PROTOCOLS.values() if hasattr(protocol, name))
    signature = inspect.signature(getattr(protocol, name))
    parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values() if p.name != "self"]
    return f"{name}{signature.replace(parameters=parameters, return_annotation=signature.empty)}"
