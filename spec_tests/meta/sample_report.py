"""Reports that are made up: small ones by hand, and any that the schema allows by Hypothesis."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from spec_tests.adapter.stages import STAGES
from spec_tests.clauses.clause import Clause, Level
from spec_tests.reporting.record import Failure, Implementation, Outcome, Report, Result, Tolerance

STARTED = "2026-01-02T03:04:05+00:00"
HOSTILE = (
    "]]></failure><!-- &lt; \x00\x08\x1b[31m\x9b\ufffe\udc80\u202e | ``` ```` <script>alert(1)</script></summary>\r\n"
    "\r\n# *x* [y](http://z)\n</details>\n| a | b |\n~~~\n- $x$ ~~z~~ \\ __y__ \u2028 ![i](j)"
)


def report(outcomes: Mapping[str, Mapping[str, Outcome]], **fields: Any) -> Report:
    """One with these outcomes, {column: {clause ID: outcome}}; FLIP is of the stage augmentation, others of layers."""
    clauses = {name: clause(name) for of_column in outcomes.values() for name in of_column}
    results = (
        Result(clauses[name], column, outcome, seconds=0.5)
        for column, of_column in outcomes.items()
        for name, outcome in of_column.items()
    )
    implementations = (Implementation(column, f"package.{column}", version="1.0") for column in outcomes)
    made = Report("0.1", 0, "default", STARTED, 12.3, tuple(clauses.values()), tuple(implementations), tuple(results))
    return replace(made, **fields)


def clause(name: str, level: Level = Level.MUST) -> Clause:
    """A clause of that ID."""
    stage = "augmentation" if name.startswith("FLIP") else "layers"
    return Clause(name, level, stage, "notes", f"What {name} says.", "", "If this fails, check it.", "module", "test")


def detailed(report: Report, name: str, **fields: Any) -> Report:
    """The report with more told of one clause."""
    results = (replace(result, **fields) if result.clause.id == name else result for result in report.results)
    return replace(report, results=tuple(results))


texts = st.text(st.characters() | st.sampled_from(sorted(set(HOSTILE))), max_size=20) | st.just(HOSTILE)
seconds = st.floats(0, 1e6)
pairs = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(list)
one_failure = st.builds(Failure, *[texts] * 5, st.lists(texts, max_size=2).map(tuple), texts, texts)
others = st.lists(one_failure, max_size=1).map(tuple)
places = texts | st.builds("{}.py:{} in {}: x".format, texts, st.integers(0, 3), st.sampled_from("fg"))
raised = st.builds(Failure, raised=st.just("ValueError: no") | texts, at=places, also=others)
failures = one_failure | raised
tolerances = st.builds(Tolerance, st.none() | st.floats(0, 1e9), st.floats(1, 1e6), texts)
names = st.builds("{}-{}".format, st.sampled_from(["PAD", "FLIP", "ACC", "NEW"]), st.integers(0, 20))
clauses = st.builds(Clause, names, st.sampled_from(Level), st.sampled_from(STAGES), *[texts] * 6)
implementations = st.builds(Implementation, *[texts] * 5, st.dictionaries(texts, texts, max_size=2), texts, texts)
evidence = st.fixed_dictionaries(
    {"kind": st.just("histogram"), "title": texts, "unit": texts, "edges": st.just([0.0, 0.5]), "counts": st.just([3])}
    | dict.fromkeys(("low", "high"), st.floats(-9, 9))
) | st.fixed_dictionaries(
    {"kind": st.just("window"), "title": texts, "padding": st.just("same"), "pads": st.tuples(pairs, pairs).map(list)}
    | dict.fromkeys(("image", "size", "strides", "dilation"), pairs)
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """A report that the schema allows, with any text where an implementation or a clause can have it."""
    stated = draw(st.lists(clauses, max_size=4, unique_by=lambda clause: clause.id))
    checked = draw(st.lists(implementations, max_size=3, unique_by=lambda implementation: implementation.column))
    results = [
        draw(
            st.builds(
                Result,
                st.just(clause),
                st.just(implementation.column),
                st.sampled_from(Outcome),
                seconds,
                failures,
                texts,
                tolerances,
                st.lists(evidence, max_size=1).map(tuple),
            )
        )
        for clause in stated
        for implementation in checked
        if draw(st.booleans())
    ]
    started = draw(st.datetimes()).isoformat(timespec="seconds") + "+00:00"
    profile = draw(st.sampled_from(["glance", "quick", "default", "thorough"]))
    run = draw(texts), draw(st.integers()), profile, started, draw(seconds)
    return Report(*run, tuple(stated), tuple(checked), tuple(results))
