"""The GitHub actions: their scripts are run as a runner would, with programs that only tell what they were asked."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from spec_tests.benchmarks.gate import command

ROOT = Path(__file__).parents[2]
ACTIONS = {file.parent.name: file for file in sorted((ROOT / ".github" / "actions").glob("*/action.yml"))}
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
PINNED = re.compile(r"\./|[\w./-]+@[0-9a-f]{40}$")  # an action of this repository, or a commit of another one

STUB = """\
#!/usr/bin/env bash
printf '%s\\n' "$@" > "$TOLD"
echo "*what* is said"
for word in "$@"; do
  case $word in --json=* | --html=* | --junit=* | --markdown=* | --badge=* | --annotations=*)
    [[ $ANSWER == 2 ]] || echo "the form ${word%%=*}" > "${word#*=}" ;;
  esac
done
exit "$ANSWER"
"""
MINIMAL = {"implementations": "my_port"}
HARMFUL = ("$(touch made)", "`touch made`", "x; touch made", 'x" && touch made && echo "', "x\ntouch made")

actions: dict[str, dict[str, Any]] = {
    name: yaml.safe_load(file.read_text(encoding="utf-8")) for name, file in ACTIONS.items()
}

each_action = pytest.mark.parametrize("name", ACTIONS)
needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="no bash")


class Runner:
    """A folder in which the steps of an action are run; ``variables`` are a runner's for this job."""

    def __init__(self, folder: Path, name: str = "check", minimal: dict[str, str] = MINIMAL, **variables: str) -> None:
        self.folder, self.name, self.minimal, self.variables = folder, name, minimal, variables
        self.action = actions[name]
        self._steps = {step["name"]: step for step in self.action["runs"]["steps"]}
        self.told, self.summary, self._output = (folder / name for name in ("told", "summary", "output"))
        (folder / "bin").mkdir()
        for name in ("convspec", "python"):
            (folder / "bin" / name).write_text(STUB, encoding="utf-8")
            (folder / "bin" / name).chmod(0o755)

    def run(self, step: str, inputs: dict[str, str] | None = None, answer: int = 0) -> int:
        """The exit code of a step, with these inputs and the outputs so far; that of the programs is ``answer``."""
        script = self.folder / "script.sh"
        script.write_text(self._steps[step]["run"], encoding="utf-8")
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        environment = self._environment(answer) | self._own(self._steps[step].get("env", {}), inputs)
        return subprocess.run(bash, cwd=self.folder, env=environment, check=False).returncode  # noqa: S603

    def _environment(self, answer: int) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(ACTIONS[self.name].parent),
            "GITHUB_OUTPUT": str(self._output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.folder),
            "TOLD": str(self.told),
            "ANSWER": str(answer),
            **self.variables,
        }

    def _own(self, variables: dict[str, str], inputs: dict[str, str] | None) -> dict[str, str]:
        """The variables of a step, their expressions replaced."""
        given = self.minimal if inputs is None else inputs
        defaults = {name: value.get("default", "") for name, value in self.action["inputs"].items()}
        known = {f"inputs.{name}": value for name, value in (defaults | given).items()}
        known |= {f"steps.{self.name}.outputs.{name}": value for name, value in self.outputs.items()}
        return {name: EXPRESSION.sub(lambda found: known[found[1]], value) for name, value in variables.items()}

    @property
    def outputs(self) -> dict[str, str]:
        """Those that were written."""
        lines = self._output.read_text(encoding="utf-8").splitlines() if self._output.exists() else []
        return dict(line.split("=", 1) for line in lines)

    @property
    def words(self) -> list[str]:
        """What the program was called with, the files of the report and folders left out."""
        lines = self.told.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if str(self.folder) not in line]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """An empty one."""
    return Runner(tmp_path)


def test_no_script_holds_an_expression() -> None:
    workflows = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in WORKFLOWS]
    jobs = [job for workflow in workflows for job in workflow["jobs"].values()]
    runs = [action["runs"] for action in actions.values()]
    scripts = [step["run"] for steps_of in (*runs, *jobs) for step in steps_of["steps"] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


@pytest.mark.parametrize("file", [*ACTIONS.values(), *WORKFLOWS], ids=lambda file: f"{file.parent.name}/{file.name}")
def test_actions_of_others_are_named_by_their_commit(file: Path) -> None:
    used = re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8"))
    assert used
    assert not [name for name in used if not PINNED.match(name)]


@each_action
def test_an_input_is_used_and_may_be_left_out(name: str) -> None:
    text = ACTIONS[name].read_text(encoding="utf-8")
    for known, about in actions[name]["inputs"].items():
        assert text.count(f"${{{{ inputs.{known} }}}}") == 1
        assert about.get("required") or isinstance(about["default"], str)


@needs_bash
@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0, "conforms"), (1, "does not conform"), (2, "cannot be carried out"), (3, "nothing can be said")],
)
def test_the_exit_code_comes_after_the_report(runner: Runner, code: int, verdict: str) -> None:
    assert runner.run("Check", answer=code) == 0
    report = Path(runner.outputs["report"])
    assert runner.outputs == {"report": str(report), "exit-code": str(code), "verdict": verdict}
    named = {EXPRESSION.sub(str(report), output["value"]) for output in runner.action["outputs"].values()}
    made = {str(file) for file in report.iterdir()}
    assert made == ({name for name in named if name.startswith(f"{report}/")} if code != 2 else set())
    assert (
        runner.summary.read_text(encoding="utf-8") if code != 2 else "the form --markdown\n"
    ) == "the form --markdown\n"
    assert runner.run("Conclude") == code


@needs_bash
def test_annotations_are_printed_where_the_runner_reads_them(runner: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    assert runner.run("Check", answer=1) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "the form --annotations"
    assert runner.run("Check", answer=2) == 0
    assert "annotations" not in capfd.readouterr().out


@needs_bash
def test_two_checks_of_a_job_have_a_report_each(runner: Runner) -> None:
    reports = []
    for name in ("one", "other"):
        assert runner.run("Check", {"implementations": name}) == 0
        reports.append(runner.outputs["report"])
    assert len(set(reports)) == 2
    assert runner.summary.read_text(encoding="utf-8") == 2 * "the form --markdown\n"


@needs_bash
def test_inputs_become_options(runner: Runner) -> None:
    assert runner.run("Check") == 0
    assert runner.words == ["check", "my_port"]
    inputs = {
        "implementations": "my_port:fast@jax\n  reference@torch",
        "stage": "layers data",
        "clause": "PAD PAD-4\n",
        "expectations": "known faults.toml",
        "profile": "quick",
        "seed": "7",
        "time-limit": "60",
    }
    assert runner.run("Check", inputs) == 0
    options = ["--expectations=known faults.toml", "--profile=quick", "--seed=7", "--time-limit=60"]
    names = ["my_port:fast@jax", "reference@torch"]
    assert runner.words == ["check", *names, "--stage", "layers", "data", "--clause", "PAD", "PAD-4", *options]


@needs_bash
@pytest.mark.parametrize("harmful", HARMFUL)
@pytest.mark.parametrize("name", ["implementations", "clause", "expectations", "seed", "convspec"])
def test_an_input_is_never_run(runner: Runner, name: str, harmful: str) -> None:
    runner.run("Install convspec" if name == "convspec" else "Check", MINIMAL | {name: harmful})
    assert not (runner.folder / "made").exists()
    words = " ".join(runner.told.read_text(encoding="utf-8").split())
    assert " ".join(harmful.split()) in words, "it is handed on as it is"


@needs_bash
@pytest.mark.parametrize("inputs", [{"implementations": "a --json=/b"}, {"implementations": "a", "clause": "-x"}, {}])
def test_an_option_is_no_name(runner: Runner, inputs: dict[str, str]) -> None:
    assert runner.run("Check", inputs) == 2
    assert not runner.told.exists()


@needs_bash
def test_the_revision_of_the_action_is_installed(runner: Runner) -> None:
    assert runner.run("Install convspec") == 0
    installed = Path(runner.told.read_text(encoding="utf-8").splitlines()[-1])
    assert installed.resolve() == ROOT
    assert (installed / "pyproject.toml").is_file()
    assert runner.run("Install convspec", {"convspec": "convspec==0.2.0"}) == 0
    assert runner.told.read_text(encoding="utf-8").splitlines() == [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--",
        "convspec==0.2.0",
    ]


PORT = {"implementation": "my_port"}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with main at "moved on" and the branch of a pull request at "changed"; "first" is common to both."""
    top = tmp_path_factory.mktemp("history") / "port"
    top.mkdir()

    def git(*words: str) -> None:
        identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        subprocess.run(["git", "-C", str(top), *identity, *words], check=True)  # noqa: S603, S607

    def commit(content: str) -> None:
        (top / "source").mkdir(exist_ok=True)
        (top / "source" / "my_port.py").write_text(content, encoding="utf-8")
        git("add", ".")
        git("commit", "-qm", content)

    git("init", "-q", "-b", "main")
    commit("first")
    git("tag", "v1")
    git("checkout", "-qb", "request")
    commit("changed")
    git("checkout", "-q", "main")
    commit("moved on")
    git("update-ref", "refs/remotes/origin/main", "main")
    git("checkout", "-q", "request")
    git("branch", "-qD", "main")  # a runner has the branches of the remote alone
    return top


@pytest.fixture
def gate(tmp_path: Path, history: Path) -> Runner:
    """A runner of the gate, on a pull request."""
    return Runner(tmp_path, "gate", PORT, GITHUB_WORKSPACE=str(history), GITHUB_BASE_REF="main")


def value(gate: Runner, option: str) -> str:
    """What an option of the gate was given, as --option=value."""
    (word,) = (line for line in gate.told.read_text(encoding="utf-8").splitlines() if line.startswith(f"{option}="))
    return word.partition("=")[2]


@needs_bash
@pytest.mark.parametrize(
    ("code", "verdict"), [(0, "pass"), (1, "regression"), (2, "cannot be carried out"), (3, "inconclusive")]
)
def test_the_exit_code_of_the_gate_comes_after_its_report(gate: Runner, code: int, verdict: str) -> None:
    assert gate.run("Measure", answer=code) == 0
    report = Path(gate.outputs["report"])
    assert gate.outputs == {"report": str(report), "exit-code": str(code), "verdict": verdict}
    named = {EXPRESSION.sub(str(report), output["value"]) for output in gate.action["outputs"].values()}
    made = {str(file) for file in report.iterdir()}
    assert made == {name for name in named if name.startswith(f"{report}/") and (code != 2 or name[-4:] == ".txt")}
    assert (report / "gate.txt").read_text(encoding="utf-8") == "*what* is said\n"
    assert gate.summary.read_text(encoding="utf-8") == f"Gate: {verdict}\n\n    *what* is said\n\n"
    assert gate.run("Conclude") == code


@needs_bash
@pytest.mark.parametrize(
    ("base", "expected"), [("", "first"), ("main", "moved on"), ("v1", "first"), ("HEAD", "changed")]
)
def test_head_is_compared_with_where_it_branched_off_or_what_is_named(
    gate: Runner, history: Path, base: str, expected: str
) -> None:
    assert gate.run("Measure", PORT | {"base": base, "folder": "source"}) == 0
    assert (Path(value(gate, "--base")) / "my_port.py").read_text(encoding="utf-8") == expected
    assert value(gate, "--head") == f"{history}/source"
    assert gate.words[:2] == ["-m", "spec_tests.benchmarks.gate"]


@needs_bash
@pytest.mark.parametrize(
    ("inputs", "base_ref", "error"),
    [
        (PORT, "", "the input base is empty, and this is no pull request"),
        (PORT, "gone", "where HEAD branched off gone is not in the checkout: give actions/checkout fetch-depth: 0"),
        (PORT | {"base": "gone"}, "main", "the revision gone is not in the checkout"),
        (PORT | {"base": "--all"}, "main", "the revision --all is not in the checkout"),
        (PORT | {"benchmarks": "predict --json=/b"}, "main", "--json=/b begins with a dash, and is no benchmark"),
        ({"implementation": ""}, "main", "the input implementation is empty"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_line(
    gate: Runner, capfd: pytest.CaptureFixture[str], inputs: dict[str, str], base_ref: str, error: str
) -> None:
    gate.variables["GITHUB_BASE_REF"] = base_ref
    assert gate.run("Measure", inputs) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(error)
    assert not gate.told.exists()
    assert not gate.outputs


@needs_bash
def test_inputs_become_options_of_the_gate(gate: Runner, history: Path) -> None:
    assert gate.run("Measure") == 0
    assert gate.words == ["-m", "spec_tests.benchmarks.gate", f"--head={history}/.", "--implementation=my_port"]
    inputs = {
        "implementation": "my_port:fast", "benchmarks": "predict\n  augment", "backend": "jax", "slowdown": "10",
        "minutes": "9", "image-size": "64", "batch-size": "8", "preset": "a base.keras", "seed": "7",
    }  # fmt: skip
    assert gate.run("Measure", inputs) == 0
    options = ["--backend=jax", "--slowdown=10", "--minutes=9", "--image-size=64", "--batch-size=8"]
    options += [f"--preset={history}/a base.keras", "--seed=7", "--benchmark", "predict", "augment"]
    assert gate.words[3:] == ["--implementation=my_port:fast", *options]
    parsed = command.parser().parse_args(gate.told.read_text(encoding="utf-8").splitlines()[2:])
    assert (parsed.minutes, parsed.benchmark) == (9.0, ["predict", "augment"])


@needs_bash
@pytest.mark.parametrize("harmful", HARMFUL)
@pytest.mark.parametrize("name", ["implementation", "base", "folder", "benchmarks", "minutes", "preset", "extras"])
def test_an_input_of_the_gate_is_never_run(gate: Runner, history: Path, name: str, harmful: str) -> None:
    gate.run("Install what the gate needs" if name == "extras" else "Measure", PORT | {name: harmful})
    assert not [place for place in (gate.folder, history, ROOT) if (place / "made").exists()]
    if name != "base":  # no revision is called so
        assert " ".join(harmful.split()) in " ".join(gate.told.read_text(encoding="utf-8").split())


@needs_bash
@pytest.mark.parametrize(("extras", "suffix"), [("", ""), ("reference,jax", "[reference,jax]")])
def test_the_gate_of_the_actions_revision_is_installed(gate: Runner, extras: str, suffix: str) -> None:
    assert gate.run("Install what the gate needs", PORT | {"extras": extras}) == 0
    installed = gate.told.read_text(encoding="utf-8").splitlines()[-1]
    assert installed.endswith(suffix)
    assert Path(installed.removesuffix(suffix)).resolve() == ROOT
