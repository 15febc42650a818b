"""The GitHub action: its scripts are run as a runner would, with a convspec that only tells what it was asked."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "check" / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
PINNED = re.compile(r"\./|[\w./-]+@[0-9a-f]{40}$")  # an action of this repository, or a commit of another one

STUB = """\
#!/usr/bin/env bash
printf '%s\\n' "$@" > "$TOLD"
for word in "$@"; do
  case $word in --json=* | --html=* | --junit=* | --markdown=* | --badge=*)
    [[ $ANSWER == 2 ]] || echo "the form ${word%%=*}" > "${word#*=}" ;;
  esac
done
exit "$ANSWER"
"""
MINIMAL = {"implementations": "my_port"}
HARMFUL = ("$(touch made)", "`touch made`", "x; touch made", 'x" && touch made && echo "', "x\ntouch made")

action: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
steps: dict[str, dict[str, Any]] = {step["name"]: step for step in action["runs"]["steps"]}

needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="no bash")


class Runner:
    """A folder in which the steps of the action are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told, self.summary, self._output = (folder / name for name in ("told", "summary", "output"))
        (folder / "bin").mkdir()
        for name in ("convspec", "python"):
            (folder / "bin" / name).write_text(STUB, encoding="utf-8")
            (folder / "bin" / name).chmod(0o755)

    def run(self, step: str, inputs: dict[str, str] = MINIMAL, answer: int = 0) -> int:
        """The exit code of a step, with these inputs and the outputs so far; convspec's is ``answer``."""
        script = self.folder / "script.sh"
        script.write_text(steps[step]["run"], encoding="utf-8")
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        environment = self._environment(answer) | self._own(steps[step].get("env", {}), inputs)
        return subprocess.run(bash, cwd=self.folder, env=environment, check=False).returncode  # noqa: S603

    def _environment(self, answer: int) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(ACTION.parent),
            "GITHUB_OUTPUT": str(self._output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.folder),
            "TOLD": str(self.told),
            "ANSWER": str(answer),
        }

    def _own(self, variables: dict[str, str], inputs: dict[str, str]) -> dict[str, str]:
        """The variables of a step, their expressions replaced."""
        given = {name: value.get("default", "") for name, value in action["inputs"].items()} | inputs
        known = {f"inputs.{name}": value for name, value in given.items()}
        known |= {f"steps.check.outputs.{name}": value for name, value in self.outputs.items()}
        return {name: EXPRESSION.sub(lambda found: known[found[1]], value) for name, value in variables.items()}

    @property
    def outputs(self) -> dict[str, str]:
        """Those that were written."""
        lines = self._output.read_text(encoding="utf-8").splitlines() if self._output.exists() else []
        return dict(line.split("=", 1) for line in lines)

    @property
    def words(self) -> list[str]:
        """What convspec or Python was called with, the files of the report left out."""
        lines = self.told.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if str(self.folder) not in line]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """An empty one."""
    return Runner(tmp_path)


def test_no_script_holds_an_expression() -> None:
    workflows = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in WORKFLOWS]
    jobs = [job for workflow in workflows for job in workflow["jobs"].values()]
    scripts = [step["run"] for steps_of in (action["runs"], *jobs) for step in steps_of["steps"] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda file: file.name)
def test_actions_of_others_are_named_by_their_commit(file: Path) -> None:
    used = re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8"))
    assert used
    assert not [name for name in used if not PINNED.match(name)]


def test_an_input_is_used_and_may_be_left_out() -> None:
    text = ACTION.read_text(encoding="utf-8")
    for name, about in action["inputs"].items():
        assert text.count(f"${{{{ inputs.{name} }}}}") == 1
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
    named = {EXPRESSION.sub(str(report), output["value"]) for output in action["outputs"].values()}
    made = {str(file) for file in report.iterdir()}
    assert made == ({name for name in named if name.startswith(f"{report}/")} if code != 2 else set())
    assert (
        runner.summary.read_text(encoding="utf-8") if code != 2 else "the form --markdown\n"
    ) == "the form --markdown\n"
    assert runner.run("Conclude") == code


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
