"""The documentation says what is so: its commands, options, clauses, files and examples exist."""

import argparse
import ast
import configparser
import contextlib
import io
import json
import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from fixtures.mutants import mutants
from reference import __main__ as pipeline
from spec_tests import cli
from spec_tests.adapter.expectations import read
from spec_tests.adapter.targets import GROUP
from spec_tests.benchmarks import conftest as benchmarks
from spec_tests.benchmarks import epochs, ratios, streaming
from spec_tests.benchmarks.gate import command as gate
from spec_tests.benchmarks.gate import curve
from spec_tests.clauses.catalogue import all_clauses, unknown
from spec_tests.explaining import __main__ as explaining
from spec_tests.proof import __main__ as proof
from spec_tests.proof import alarms
from spec_tests.reporting import document
from spec_tests.reporting.forms import FORMS
from spec_tests.reporting.record import Outcome, Verdict, validator
from spec_tests.running.groups import of_pipelines
from spec_tests.stacks.plan import read_plan

ROOT = Path(document.__file__).parents[2]
DOCS = ROOT / "docs"
ACTIONS = {file.parent.name: file for file in (ROOT / ".github" / "actions").glob("*/action.yml")}
ACTION = re.compile(r"convspec/\.github/actions/([a-z]+)@")
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
LINKED = [*PAGES, ROOT / "CHANGELOG.md", document.FILE, *sorted((ROOT / "fixtures").rglob("README.md"))]

NO_CLAUSES = {"AVX-512", "SHA-256", "UTF-8"}  # though they look like one
OTHER_OPTIONS = {"--check", "--notest"}  # of python -m spec_tests.reporting.document and spec_tests.vectors; of tox
SOURCE = re.compile(r"<!-- from (\S+) -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"\w+=")
Commands = list[list[str]]

MEASURING = (epochs, ratios, streaming)
PROGRAMS = {module.__name__.removesuffix(".__main__"): module for module in (*MEASURING, explaining)}  # with a parser

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@cache
def tokens(file: Path) -> list[Token]:
    """The blocks of a page."""
    return MarkdownIt("commonmark").enable("table").parse(file.read_text(encoding="utf-8"))


def blocks(file: Path, language: str) -> list[str]:
    """The code blocks in a language."""
    return [token.content for token in tokens(file) if token.type == "fence" and token.info.strip() == language]


def inline(file: Path) -> Iterator[Token]:
    """What stands in the text: words, code, links."""
    for token in tokens(file):
        yield from token.children or ()


def examples(language: str) -> list[Any]:
    """The code blocks in a language of all pages, as parameters of a test."""
    found = [(page, number, text) for page in PAGES for number, text in enumerate(blocks(page, language), 1)]
    return [pytest.param(text, id=f"{page.name}-{number}") for page, number, text in found]


def simple_commands(script: str) -> Commands:
    """The commands of a shell script, in words, without the variables that are set for them."""
    commands: Commands = []
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();<>|&"):
                commands.append(words)
                words = []
            elif words or not ASSIGNMENT.match(word):
                words.append(word)
    return [words for words in commands if words]


def scripts(page: Path) -> Iterator[str]:
    """What a reader would give to a shell, or to a workflow."""
    yield from blocks(page, "sh")
    for text in blocks(page, "yaml"):
        yield from (step["run"] for step in workflow_steps(text) if "run" in step)


def workflow_steps(text: str) -> list[dict[str, Any]]:
    """The steps of a workflow's jobs."""
    return [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]


def program(words: list[str]) -> tuple[str, list[str]]:
    """What is run in the end, and its arguments."""
    name, *arguments = words
    name = name.rpartition("/")[2]
    if name in ("python", "python3") and arguments[:1] == ["-m"]:
        name, arguments = arguments[1], arguments[2:]
    if name == "tox":
        environment = arguments[arguments.index("-e") + 1] if "-e" in arguments else ""
        rest = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
        programs = {
            "check": "convspec",
            "pipeline": "reference",
            "bench-compare": gate.__package__,
            "mutants": proof.__package__,
        }
        name = programs.get(environment, f"tox {environment}")
        arguments = [environment, *rest] if environment in ("check", "mutants") else rest
    return "convspec" if name in ("spec_tests", "convspec") else name, arguments


def accepted(parse: Callable[[list[str]], object], arguments: list[str]) -> str:
    """What a parser says against arguments; nothing if it takes them."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            parse(arguments)
        except SystemExit as end:
            return said.getvalue() if end.code else ""
    return ""


def usage(parse: Callable[[list[str]], object], *arguments: str) -> set[str]:
    """The options that a program tells of."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        parse([*arguments, "--help"])
    return set(re.findall(r"--[a-z][a-z-]*", said.getvalue()))


def options_of_benchmarks() -> set[str]:
    """Those that pytest has where it runs them."""
    found = set[str]()
    add = SimpleNamespace(addoption=lambda name, **_: found.add(name))
    benchmarks.pytest_addoption(cast(pytest.Parser, SimpleNamespace(getgroup=lambda *_: add)))
    return found


@pytest.fixture(scope="module")
def options(pytestconfig: pytest.Config) -> Callable[[str], bool]:
    """Whether a program of this project, or pytest with its plugin, has an option."""
    parse = cli.parser().parse_args
    known = OTHER_OPTIONS | usage(pipeline.parse_arguments) | usage(parse)
    known |= {
        option for command in ("mutants", "wild", "alarms", "curves", "naming") for option in usage(proof.main, command)
    }
    known |= usage(gate.main) | usage(curve.main) | options_of_benchmarks()
    known |= {option for module in PROGRAMS.values() for option in usage(module.parser().parse_args)}
    commands = ("check", "audit", "matrix", "search", "render", "compare", "explain", "template")
    known |= {option for command in commands for option in usage(parse, command)}
    missing = object()

    def exists(option: str) -> bool:
        return option in known or pytestconfig.getoption(option, default=missing) is not missing

    return exists


@each_page
def test_commands_can_be_given(page: Path, options: Callable[[str], bool]) -> None:
    for words in (words for script in scripts(page) for words in simple_commands(script)):
        name, arguments = program(words)
        if name == "convspec":
            assert not accepted(cli.parser().parse_args, arguments), shlex.join(words)
            if arguments[:1] == ["check"]:
                assert not unknown(cli.parser().parse_args(arguments).clause, all_clauses()), shlex.join(words)
            if arguments[:1] == ["explain"]:
                assert not unknown(cli.parser().parse_args(arguments).clauses, all_clauses()), shlex.join(words)
        elif name == "reference":
            assert not accepted(pipeline.parse_arguments, arguments), shlex.join(words)
        elif name == gate.__package__:
            assert not accepted(gate.parser().parse_args, arguments), shlex.join(words)
        elif name in PROGRAMS:
            assert not accepted(PROGRAMS[name].parser().parse_args, arguments), shlex.join(words)
        elif name == proof.__package__:
            assert not accepted(proof.parser().parse_args, arguments), shlex.join(words)
        elif name == "pytest":
            given = [word.partition("=")[0] for word in arguments if word.startswith("--")]
            assert [option for option in given if not options(option)] == [], shlex.join(words)


@each_page
def test_options_exist(page: Path, options: Callable[[str], bool]) -> None:
    named = {word for token in inline(page) if token.type == "code_inline" for word in token.content.split()}
    found = {option.partition("=")[0] for option in named if re.match(r"--[a-z]", option)}
    assert sorted(option for option in found if not options(option)) == []


@each_page
def test_environments_of_tox_exist(page: Path) -> None:
    file = configparser.ConfigParser(interpolation=None)
    file.read(ROOT / "tox.ini", encoding="utf-8")
    known = {section.removeprefix("testenv:") for section in file.sections()}
    given = [token.content for token in inline(page) if token.type == "code_inline"] + list(scripts(page))
    named = {name for text in given if "tox" in text for name in re.findall(r"(?<!\S)-e\s+(\w+)", text)}
    assert sorted(named - known) == []


@each_page
def test_clauses_exist(page: Path) -> None:
    named = set(re.findall(r"\b[A-Z]+-\d+\b", page.read_text(encoding="utf-8")))
    lost = sorted(named - NO_CLAUSES - {clause.id for clause in all_clauses()})
    assert lost == [], "no such clauses; what is meant to be none goes to NO_CLAUSES"


@pytest.mark.parametrize("file", LINKED, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    lost = []
    for link in links(file):
        path, _, anchor = link.partition("#")
        target = (file.parent / path) if path else file
        known = anchors(target) if target.suffix == ".md" and target.is_file() else set()
        if not target.exists() or (target.suffix == ".md" and anchor and anchor not in known):
            lost.append(link)
    assert lost == []


def links(file: Path) -> Iterator[str]:
    """Those that are relative, of words and of pictures."""
    found = [str(token.attrs.get("href") or token.attrs.get("src") or "") for token in inline(file)]
    html = [token for token in [*tokens(file), *inline(file)] if token.type.startswith("html")]
    found += [link for token in html for link in re.findall(r'(?:src|href)="([^"]+)"', token.content)]
    yield from (link for link in found if link and not re.match(r"\w+:", link))


@cache
def anchors(file: Path) -> set[str]:
    """What its headings are called in links, as on GitHub."""
    seen, found = Counter[str](), set[str]()
    for heading, content in zip(tokens(file), tokens(file)[1:], strict=False):
        if heading.type == "heading_open":
            words = "".join(token.content for token in content.children or ())
            name = re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return found


@pytest.mark.parametrize("text", examples("python"))
def test_python_can_be_read(text: str) -> None:
    decorators_alone = text.startswith("@") and "def " not in text
    ast.parse(text + "def test(): ..." if decorators_alone else text)


@pytest.mark.parametrize("text", examples("toml"))
def test_toml_means_something(text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    file.write_text(text, encoding="utf-8")
    if "project" in (content := tomllib.loads(text)):
        assert [*content["project"]["entry-points"]] == [GROUP]
        return
    if all("diff" in table for table in content.values()):
        assert {name: mutants()[name].diff for name in content} == {name: content[name]["diff"] for name in content}
        return
    if "stack" in content:
        text = text.replace('expectations = "my_adapter.toml"', "")  # a file of the reader's
        file.write_text(text, encoding="utf-8")
        assert len(read_plan(str(file)).stacks) == len(content["stack"])
        return
    expected = read(file)
    assert not unknown([*expected.excused, *expected.tolerances], all_clauses())


@pytest.mark.parametrize("text", examples("json"))
def test_a_report_follows_the_schema(text: str) -> None:
    assert [error.message for error in validator().iter_errors(json.loads(text))] == []


@pytest.mark.parametrize("text", examples("yaml"))
def test_a_workflow_gives_the_action_what_it_takes(text: str) -> None:
    given = [
        (used[1], step.get("with", {}).keys())
        for step in workflow_steps(text)
        if (used := ACTION.search(step.get("uses", "")))
    ]
    assert given
    for name, names in given:
        inputs = yaml.safe_load(ACTIONS[name].read_text(encoding="utf-8"))["inputs"]
        required = {name for name, about in inputs.items() if about.get("required")}
        assert required <= names <= inputs.keys()


@pytest.mark.parametrize(("name", "page"), [("check", "adopting.md"), ("gate", "benchmarks.md")])
def test_inputs_and_outputs_of_the_action_are_told_of(name: str, page: str) -> None:
    action = yaml.safe_load(ACTIONS[name].read_text(encoding="utf-8"))
    told = {token.content for token in inline(DOCS / page) if token.type == "code_inline"}
    assert sorted((action["inputs"].keys() | action["outputs"].keys()) - told) == []


def test_outcomes_verdicts_and_forms_are_told_of() -> None:
    told = (DOCS / "reading-a-report.md").read_text(encoding="utf-8")
    rows = [f"| `{name}` |" for name in (*Outcome, *Verdict)]
    assert [words for words in (*rows, *(f"--{form}" for form in FORMS)) if words not in told] == []


def test_exit_codes_are_those_of_the_program() -> None:
    said = re.findall(r"^  (\d)  (.*)$", cli.EXIT_CODES, re.MULTILINE)
    table = re.findall(
        r"^\| (\d) \| (.*) \|$", (DOCS / "reading-a-report.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [code for code, _ in table] == [code for code, _ in said]


@pytest.mark.parametrize(
    ("file", "code"), [found for page in PAGES for found in SOURCE.findall(page.read_text("utf-8"))]
)
def test_quoted_source_is_the_source(file: str, code: str) -> None:
    assert code in (ROOT / file).read_text(encoding="utf-8")


def test_a_failure_is_printed_as_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "84")
    for folder in (ROOT, ROOT / "fixtures" / "foreign"):
        monkeypatch.syspath_prepend(folder)
    assert cli.main(("check", "foreign_port:wrong", "--clause", "PAD-4")) == 1
    printed = capsys.readouterr().out
    shown = [text for page in PAGES for text in blocks(page, "text") if text.startswith("PAD-4 MUST my_adapter")]
    assert len(shown) == 2
    for text in shown:
        assert text.partition("\n")[2].partition("to see it again")[0] in printed


def test_what_is_no_command_is_refused() -> None:
    """The tests above find what they look for."""
    parse = cli.parser().parse_args
    (first, second) = simple_commands(
        "A=1 convspec check x \\\n  --no-such-option # a comment\n cd y && convspec chekc"
    )[::2]
    assert "--no-such-option" in accepted(parse, program(first)[1])
    assert "chekc" in accepted(parse, program(second)[1])
    assert program(["tox", "-e", "check", "--", "--clause", "PAD"]) == ("convspec", ["check", "--clause", "PAD"])
    assert program([".venv/bin/python", "-m", "spec_tests", "check"]) == ("convspec", ["check"])
    assert isinstance(parse(["check"]), argparse.Namespace)


def test_the_numbers_of_the_readme_are_so() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{len(list(all_clauses()))} clauses judge an implementation" in text
    assert f"{len(mutants())} mutants" in text
    assert f"up to {len(of_pipelines(all_clauses()))} clauses" in text
    assert f"{len(alarms.known())} correct implementations" in text
