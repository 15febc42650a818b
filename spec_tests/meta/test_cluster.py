"""The same jobs on a Ray cluster of several machines, here several groups of processes, one of which is lost."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import spec_tests
from spec_tests.jobs.cluster import NoCluster, installed, refuse_unlike
from spec_tests.jobs.job import GIB, Job
from spec_tests.jobs.runner import Runner
from spec_tests.proof.__main__ import main

ROOT = Path(spec_tests.__file__).parents[1]
COUNT = 6
LIMIT = 120  # seconds for what takes one


def held(folder: str, number: int) -> int:
    """Says on which machine it is, and waits until one is lost; on that one it waits on."""
    import ray

    machine, begun = ray.get_runtime_context().get_node_id(), time.monotonic()
    Path(folder, f"{number} {machine}").touch()
    while not [*Path(folder).glob("lost *")] or Path(folder, f"lost {machine}").exists():
        if time.monotonic() - begun > LIMIT:
            raise TimeoutError(f"no machine was lost within {LIMIT} s")
        time.sleep(0.02)
    return number**2


def started(start: Callable[[], Any]) -> Any:
    """What Ray starts, for which it takes more than its 30 seconds on busy cores."""
    for _ in range(4):
        with suppress(Exception):  # Ray raises no other
            return start()
    return start()


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of two with a core each, beside one that does no jobs."""
    utilities = pytest.importorskip("ray.cluster_utils", reason="Ray is an extra: pip install 'convspec[ray]'")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    small = {"object_store_memory": 100 * 2**20, "memory": 4 * GIB}
    head = {"num_cpus": 0, "include_dashboard": False, **small}
    made = started(lambda: utilities.Cluster(initialize_head=True, head_node_args=head))
    nodes = [started(lambda: made.add_node(num_cpus=1, **small)) for _ in range(2)]
    yield SimpleNamespace(cluster=made, nodes=nodes, address=made.address)
    made.shutdown()


def test_with_a_machine_lost_in_the_middle_no_job_is_lost_or_done_twice(machines: Any, tmp_path: Path) -> None:
    with pytest.raises(
        NoCluster, match=r"^large needs 1 cores and 64.0 GiB of memory, which no machine of the cluster"
    ):
        list(Runner(tmp_path, 1, machines.address).run([Job("large", "os:getpid", {}, memory=64 * GIB)]))
    seen, lost = tmp_path / "seen", machines.nodes[1]
    seen.mkdir()

    def lose() -> None:
        begun = time.monotonic()
        while len(where(seen)) < 2 and time.monotonic() - begun < LIMIT:
            time.sleep(0.02)
        machines.cluster.remove_node(lost, allow_graceful=False)
        (seen / f"lost {lost.node_id}").touch()

    jobs = [Job(str(number), f"{__name__}:held", {"folder": str(seen), "number": number}) for number in range(COUNT)]
    thread = threading.Thread(target=lose)
    thread.start()
    found = list(Runner(tmp_path / "results", 1, machines.address).run(jobs))
    thread.join()
    assert sorted((done.job.name, done.result) for done in found) == [(str(n), n**2) for n in range(COUNT)]
    on_lost = {number for number, machine in where(seen) if machine == lost.node_id}
    assert {done.job.name for done in found if done.tries > 1} == on_lost != set()
    assert {done.kept for done in Runner(tmp_path / "results", 1, resume=True).run(jobs)} == {True}


def where(seen: Path) -> set[tuple[str, str]]:
    """(job, machine) of those that were begun."""
    return {(name, machine) for name, machine in (file.name.split() for file in seen.iterdir()) if name != "lost"}


def test_an_address_that_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace())
    with socket.socket() as silent:  # nobody listens at its port
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert main(["mutants", "padding", "--address", address]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: no Ray cluster answers at {address}: ")
    assert said.count("\n") == 1


def test_without_ray_an_address_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert main(["alarms", "numpy_port"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --address needs Ray (")
    assert said.endswith("run pip install 'convspec[ray]'\n")


class Asked:
    """Stands in for Ray: what each machine says it has, or an error."""

    def __init__(self, *answers: dict[str, str] | Exception) -> None:
        self._answers = list(answers)

    def remote(self, **options: object) -> Any:
        """A function that is not called."""
        return lambda function: SimpleNamespace(remote=lambda: self._answers.pop(0))

    def get(self, answer: Any, timeout: float) -> Any:
        """The answer of a machine."""
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (installed() | {"numpy": "0.1"}, "the machine b has numpy 0.1 where this one has numpy "),
        ({"Python": "3.0"}, "the machine b has Python 3.0, no modules of convspec, no "),
        (
            ModuleNotFoundError("No module named 'spec_tests'"),
            "b cannot do jobs (No module named 'spec_tests'): install",
        ),
        (TimeoutError("no answer\nwithin 120 s"), "the machine b cannot do jobs (no answer within 120 s): install"),
    ],
)
def test_a_machine_that_lacks_packages_is_named_in_one_line(
    answer: dict[str, str] | Exception, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ray", "ray.util"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())
    strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda *_, **__: None)
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
    machines = [{"NodeManagerAddress": name, "NodeID": name} for name in "ab"]
    refuse_unlike(Asked(installed(), installed()), machines)
    with pytest.raises(NoCluster) as refused:
        refuse_unlike(Asked(installed(), answer), machines)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
