"""See the failure of a clause again, outside pytest where that is possible."""

from typing import Any

import pytest

from .adapter.implementation import load
from .clauses.catalogue import tests
from .running.snippets import stands_alone


def reproduce(id: str, target: str, backend: str | None = None, **arguments: Any) -> None:
    """Check a clause once, with these arguments; raises what its body raises.

    A clause that needs more than the implementation and the seed, a folder for example, is run by
    pytest; the only argument is then its ``seed``.
    """
    test = tests()[id]
    if stands_alone(test):
        body = test.hypothesis.inner_test if hasattr(test, "hypothesis") else test
        body(implementation=load(target, backend), **arguments)
        print(f"{id} holds for {target} here")
        return
    options = {"clause": id, "implementation": target, "backend": backend, **arguments}
    words = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    raise SystemExit(pytest.main(["-p", f"{__package__}.plugin", "--pyargs", f"{__package__}.clauses", *words]))
