"""See the failure of a clause again, outside pytest where that is possible."""

import inspect
from typing import Any

from spec_tests.catalogue import tests
from spec_tests.clause import Clause
from spec_tests.implementation import load


def reproduce(id: str, target: str, backend: str | None = None, **arguments: Any) -> None:
    """Run the body of a clause once, with these arguments; raises what it raises."""
    test = tests()[id]
    body = test.hypothesis.inner_test if hasattr(test, "hypothesis") else test
    body(implementation=load(target, backend), **arguments)
    print(f"{id} holds for {target} here")


def arguments_of(clause: Clause, test: Any) -> dict[str, Any]:
    """The drawn arguments of the smallest counterexample."""
    drawn = clause.arguments.keys() - inspect.signature(test).parameters.keys()
    return {name: value for name, value in clause.arguments.items() if name in drawn}


def snippet(clause: Clause, test: Any, target: str, backend: str, seed: int) -> list[str]:
    """Lines of Python that fail as the clause failed."""
    if set(inspect.signature(test).parameters) == {"implementation"} :
        words = "".join(f", {name}={value!r}" for name, value in arguments_of(clause, test).items())
        return [
            "from spec_tests.reproduce import reproduce",
            "from spec_tests.strategies import *",
            f"reproduce({clause.id!r}, {target!r}, {backend!r}{words})",
        ]
    options = ["--clause", clause.id, "--implementation", target, "--backend", backend, "--seed", str(seed)]
    return [
        "import pytest",
        f"pytest.main(['-p', 'spec_tests.plugin', '--pyargs', 'spec_tests.clauses', *{options!r}])",
    ]
