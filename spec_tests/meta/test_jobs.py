"""Lists of jobs on this machine: what is kept, what is done again, and what is told of it."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import spec_tests
from spec_tests.jobs import job as jobs
from spec_tests.jobs.job import Failed, Job
from spec_tests.jobs.results import NotKept, Results
from spec_tests.jobs.runner import TRIES, Done, Lost, Runner
from spec_tests.support.texts import Told

ROOT = Path(spec_tests.__file__).parents[1]


def appended(folder: str, name: str, times_lost: int = 0, how: str = "failed") -> int:
    """A line for each time that it is called; it is lost so many times before it answers with its process."""
    file = Path(folder, name)
    with file.open("a") as lines:
        lines.write("called\n")
    if len(file.read_text().splitlines()) > times_lost:
        return os.getpid()
    if how == "lost":
        os._exit(9)
    raise {"failed": Failed, "refused": Told}[how](f"{name} is {how}")


def waiting(seconds: float) -> str:
    """Until the run is to end, or so long."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds and not jobs.stopped():
        time.sleep(0.01)
    return jobs.stopped()


def calls(folder: Path, name: str) -> int:
    file = folder / name
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    folder = tmp_path / "seen"
    folder.mkdir()
    return folder


@pytest.fixture
def listed(seen: Path) -> Callable[..., Job]:
    """A job that leaves a line in a file of its name."""

    def make(name: str, times_lost: int = 0, how: str = "failed", apart: bool = False) -> Job:
        given = {"folder": str(seen), "name": name, "times_lost": times_lost, "how": how}
        return Job(name, f"{__name__}:appended", given, apart=apart)

    return make


def run(folder: Path, *chosen: Job, resume: bool = True, workers: int = 2) -> dict[str, Done]:
    return {done.job.name: done for done in Runner(folder / "results", workers, resume=resume).run(chosen)}


def test_each_is_done_once_and_not_again_where_it_is_there(
    tmp_path: Path, seen: Path, listed: Callable[..., Job]
) -> None:
    chosen = [listed("a"), listed("b", apart=True), listed("c", apart=True)]
    first = run(tmp_path, *chosen)
    assert first["a"].result == os.getpid()
    assert os.getpid() not in {first["b"].result, first["c"].result}
    assert {done.kept for done in first.values()} == {False}
    assert len(list((tmp_path / "results").iterdir())) == len(chosen)
    again = run(tmp_path, *chosen, listed("d"))
    assert {name: done.kept for name, done in again.items()} == {"a": True, "b": True, "c": True, "d": False}
    assert {name: done.result for name, done in again.items() if name != "d"} == {
        name: done.result for name, done in first.items()
    }
    assert [calls(seen, name) for name in "abcd"] == [1, 1, 1, 1]


def test_without_resume_a_run_begins_anew(tmp_path: Path, seen: Path, listed: Callable[..., Job]) -> None:
    for count in (1, 2):
        assert not run(tmp_path, listed("a"), resume=False)["a"].kept
        assert calls(seen, "a") == count


@pytest.mark.parametrize("how", ["failed", "lost"])
@pytest.mark.parametrize("times", [TRIES - 1, TRIES])
def test_one_that_is_lost_is_done_again_and_then_told(
    how: str, times: int, tmp_path: Path, seen: Path, listed: Callable[..., Job]
) -> None:
    lost, other = listed("lost", times, how, apart=how == "lost"), listed("other", apart=True)
    found = run(tmp_path, lost, other)
    assert calls(seen, "lost") == found["lost"].tries == TRIES
    assert (calls(seen, "other"), found["other"].missing) == (1, "")  # its process is another one
    why = "its process ended before it was done" if how == "lost" else "lost is failed"
    assert found["lost"].missing == ("" if times < TRIES else f"{why} ({TRIES} times)")
    assert len(list((tmp_path / "results").iterdir())) == (2 if times < TRIES else 1)


def test_what_is_refused_is_not_done_again(tmp_path: Path, seen: Path, listed: Callable[..., Job]) -> None:
    assert run(tmp_path, listed("no", TRIES, "refused"))["no"].missing == "no is refused"
    assert calls(seen, "no") == 1


def test_a_whole_list_names_what_has_no_result_and_gives_the_rest(tmp_path: Path, listed: Callable[..., Job]) -> None:
    found = list[Done]()
    chosen = [listed("a"), *(listed(f"no-{number}", 1, "refused") for number in range(4))]
    with pytest.raises(
        Lost, match=r"^4 of 5 jobs have no result; --resume tries them again: no-.* is refused; 1 more$"
    ):
        found.extend(Runner(tmp_path, 1).whole(chosen))
    assert [done.job.name for done in found] == ["a"]


def test_two_of_a_name_are_refused(tmp_path: Path, listed: Callable[..., Job]) -> None:
    with pytest.raises(ValueError, match="two jobs have the name a"):
        run(tmp_path, listed("a"), listed("a", 1))


def test_a_run_that_is_killed_goes_on_with_what_is_left(tmp_path: Path, seen: Path, listed: Callable[..., Job]) -> None:
    names = [f"job-{number}" for number in range(40)]
    program = f"""
import os
from pathlib import Path
from spec_tests.jobs.job import Job
from spec_tests.jobs.runner import Runner
given = dict(folder={str(seen)!r}, times_lost=0, how="failed")
jobs = [Job(name, "{__name__}:appended", given | dict(name=name)) for name in {names}]
for count, done in enumerate(Runner(Path({str(tmp_path / "results")!r}), 1, resume=True).run(jobs), 1):
    if count == 7:
        os.kill(os.getpid(), 9)
"""
    killed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)  # noqa: S603 - our own
    assert killed.returncode == -9
    assert len(list((tmp_path / "results").iterdir())) == 7
    before = {name: calls(seen, name) for name in names}
    found = run(tmp_path, *map(listed, names))
    assert sum(done.kept for done in found.values()) == 7
    assert {name: calls(seen, name) - before[name] for name in names} == {name: not found[name].kept for name in names}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"result": ', '"result": 1'),
        lambda text: text.replace('"tries": 1', '"twice": 1'),
        lambda text: json.dumps(json.loads(text) | {"version": 2}),
    ],
    ids=["half", "empty", "list", "deep", "result", "name", "version"],
)
def test_a_file_that_was_changed_is_made_anew(
    damage: Callable[[str], str], tmp_path: Path, seen: Path, listed: Callable[..., Job]
) -> None:
    run(tmp_path, listed("a"))
    (file,) = (tmp_path / "results").iterdir()
    text = file.read_text()
    assert damage(text) != text
    file.write_text(damage(text))
    assert not run(tmp_path, listed("a"))["a"].kept
    assert calls(seen, "a") == 2
    assert run(tmp_path, listed("a"))["a"].kept


def test_a_result_is_of_all_that_it_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Job("a", "m:f", {"x": 1})
    others = [Job("a", "m:f", {"x": 2}), Job("a", "m:g", {"x": 1}), Job("a", "m:f", {"x": 1}, depends="diff")]
    assert len({one.digest, *(other.digest for other in others)}) == 4
    assert Job("a", "m:f", {"x": 1}, cores=8, apart=True).digest == one.digest  # how it is done changes nothing
    before = one.digest
    monkeypatch.setattr(jobs, "sources", lambda: "others")
    assert one.digest != before


def test_a_name_is_no_path() -> None:
    file = Job("../a/b c", "m:f", {}).file
    assert Path(file).name == file
    assert file.startswith("..-a-b-c-")


def test_a_full_disk_is_one_line_and_what_was_there_is_kept(
    tmp_path: Path, seen: Path, monkeypatch: pytest.MonkeyPatch, listed: Callable[..., Job]
) -> None:
    class Full(type(tmp_path)):  # type: ignore[misc]
        """A path on a disk that holds two results."""

        def write_text(self, *rest: object, **options: object) -> int:
            """Half of it, where there is no room."""
            if len(list(self.parent.iterdir())) < 2:
                return int(super().write_text(*rest, **options))
            super().write_text(str(rest[0])[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    runner, chosen = Runner(Full(tmp_path / "results"), 1, resume=True), [listed(name) for name in "abcd"]
    with pytest.raises(NotKept, match=r"the result of c cannot be written to .*: No space left on device; the results"):
        list(runner.run(chosen))
    assert sorted(file.name[0] for file in (tmp_path / "results").iterdir()) == ["a", "b"]  # and nothing half written
    found = run(tmp_path, *chosen)
    assert [name for name, done in found.items() if done.kept] == ["a", "b"]
    assert [calls(seen, name) for name in "ab"] == [1, 1]


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path, listed: Callable[..., Job]) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(NotKept, match="the result of a cannot be written to"):
        run(tmp_path, listed("a"))


def test_jobs_that_are_being_done_are_asked_to_end(tmp_path: Path) -> None:
    begun = time.monotonic()
    slow = [Job(f"slow-{number}", f"{__name__}:waiting", {"seconds": 600}) for number in range(3)]
    told = list(Runner(tmp_path, 2).run(slow, lambda: "enough" if time.monotonic() - begun > 0.5 else ""))
    assert told == []
    assert time.monotonic() - begun < 60
    assert not list(tmp_path.iterdir())


def test_a_process_of_its_own_is_ended_with_the_run(tmp_path: Path) -> None:
    begun = time.monotonic()
    slow = Job("slow", f"{__name__}:waiting", {"seconds": 600}, apart=True)
    assert list(Runner(tmp_path, 2).run([slow], lambda: "enough" if time.monotonic() - begun > 2 else "")) == []
    assert time.monotonic() - begun < 60


def test_results_are_read_as_they_were_kept(tmp_path: Path) -> None:
    one, results = Job("a", "m:f", {}), Results(tmp_path)
    assert results.read(one) is None
    results.keep(one, {"result": {"ä": [1.5, None]}})
    assert results.read(one) == {"result": {"ä": [1.5, None]}}
    results.forget(one)
    assert results.read(one) is None
