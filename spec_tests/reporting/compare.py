"""Two reports side by side: what was fixed, what broke, and whether the later one is worse."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from rich.text import Text

from ..clauses.catalogue import order
from ..clauses.clause import Clause
from ..support.texts import one_line
from .causes import names
from .record import CHECKED, FAILURES, TOLD, Implementation, Outcome, Report, Verdict
from .terminal import labelled, open_console, trimmed


class Kind(StrEnum):
    """The change of a clause between two reports, in the order of the output."""

    BROKE = "broke"  # it held and no longer does
    UNEXCUSED = "no longer excused"  # and still does not hold
    STILL = "still does not hold"
    EXCUSED = "excused now"
    FIXED = "fixed"
    UNCLAIMED = "no longer claimed"
    UNCHECKED = "no longer checked"
    CLAIMED = "newly claimed"
    CHECKED = "checked again"
    NEW = "new clause"
    REMOVED = "clause that is gone"


# Each of these is shown with its clause's sentence, the others as lists of names.
TOLD_EACH = (Kind.BROKE, Kind.UNEXCUSED, Kind.STILL, Kind.EXCUSED)
STYLES = {Kind.STILL: "red", Kind.FIXED: "green"}  # changes for the worse are bold
NOT_CHECKED = (Outcome.BROKEN, Outcome.NOT_DECIDED, Outcome.NOT_RUN)


@dataclass(frozen=True)
class Change:
    """A clause that changed. An outcome is None if its report does not have the clause."""

    clause: Clause
    kind: Kind
    before: Outcome | None
    after: Outcome | None
    reason: str = ""  # for the later outcome

    @property
    def worse(self) -> bool:
        """Whether a result now counts against the implementation and did not before, or can no longer be checked."""
        if self.after is Outcome.NOT_CLAIMED:
            return self.before is Outcome.PASSED
        if self.after is Outcome.BROKEN:
            return self.before in CHECKED
        return self.after in FAILURES and self.before in CHECKED and self.before not in FAILURES


@dataclass(frozen=True)
class Compared:
    """An implementation in two reports; a verdict is None if its report does not have the implementation."""

    column: str
    before: Verdict | None
    after: Verdict | None
    lost: bool  # it was checked before, and no clause of it is checked now
    differences: tuple[str, ...] = ()  # in versions and settings, which may be the reason
    changes: tuple[Change, ...] = ()

    def of(self, kind: Kind) -> list[Change]:
        """The changes of one kind."""
        return [change for change in self.changes if change.kind is kind]

    @property
    def worse(self) -> bool:
        """Whether the implementation became worse."""
        return self.lost or any(change.worse for change in self.changes)


@dataclass(frozen=True)
class Comparison:
    """The differences between two reports on the same implementations."""

    limits: tuple[str, ...]  # differences between the runs themselves
    implementations: tuple[Compared, ...]

    @property
    def worse(self) -> bool:
        """Whether a new failure counts against an implementation, or a clause is no longer checked.

        A clause that failed before is no worse if it still fails. A clause that is new, newly claimed or checked
        again is no worse either, since its earlier behaviour is unknown.
        """
        return any(compared.worse for compared in self.implementations)


def compare(old: Report, new: Report) -> Comparison:
    """Compare implementations by column and clauses by ID."""
    columns = dict.fromkeys(i.column for report in (old, new) for i in report.implementations)
    return Comparison(tuple(_limits(old, new)), tuple(_compared(old, new, column) for column in columns))


def _limits(old: Report, new: Report) -> Iterator[str]:
    for name in ("specification", "seed", "profile"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"{name} {before} before, {after} now"


def _compared(old: Report, new: Report, column: str) -> Compared:
    before, after = _implementation(old, column), _implementation(new, column)
    was, is_now = (any(result.outcome in CHECKED for result in report.of(column)) for report in (old, new))
    return Compared(
        column,
        old.verdict(column) if before else None,
        new.verdict(column) if after else None,
        was and not is_now,
        tuple(_differences(before, after)) if before and after else (),
        tuple(_changes(old, new, column)) if before and after else (),
    )


def _implementation(report: Report, column: str) -> Implementation | None:
    return next((found for found in report.implementations if found.column == column), None)


def _differences(before: Implementation, after: Implementation) -> Iterator[str]:
    def known(implementation: Implementation) -> dict[str, str]:
        names = ("target", "backend", "name", "version", "python", "platform")
        return {name: getattr(implementation, name) for name in names} | implementation.packages

    one, other = known(before), known(after)
    for name in dict.fromkeys([*one, *other]):
        if one.get(name, "") != other.get(name, ""):
            yield f"{name} {one.get(name) or 'none'} → {other.get(name) or 'none'}"


def _changes(old: Report, new: Report, column: str) -> Iterator[Change]:
    clauses = {clause.id: clause for report in (old, new) for clause in report.clauses}
    before, after = _outcomes(old, column), _outcomes(new, column)
    reasons = {result.clause.id: result.reason for result in new.of(column)}
    for clause in sorted(clauses.values(), key=order):
        outcomes = before.get(clause.id), after.get(clause.id)
        if found := kind(*outcomes):
            yield Change(clause, found, *outcomes, reasons.get(clause.id, ""))


def _outcomes(report: Report, column: str) -> dict[str, Outcome]:
    """{clause: outcome} of one implementation. A clause without a result counts as not run."""
    missing = {clause.id: Outcome.NOT_RUN for clause in report.clauses}
    return missing | {result.clause.id: result.outcome for result in report.of(column)}


def kind(before: Outcome | None, after: Outcome | None) -> Kind | None:
    """The kind of change between two outcomes; None if the later one is as good as the earlier one."""
    if before is None or after is None:
        return Kind.NEW if after else Kind.REMOVED if before else None
    if before is after and after not in TOLD:
        return None
    if Outcome.NOT_CLAIMED in (before, after):
        return Kind.CLAIMED if before is Outcome.NOT_CLAIMED else Kind.UNCLAIMED
    if before in NOT_CHECKED or after in NOT_CHECKED:
        return Kind.CHECKED if after in CHECKED else Kind.UNCHECKED if before in CHECKED else None
    return _kind_of_checked(before, after)


def _kind_of_checked(before: Outcome, after: Outcome) -> Kind:
    if after is Outcome.PASSED:
        return Kind.FIXED
    if after is Outcome.EXCUSED:
        return Kind.EXCUSED
    return {Outcome.PASSED: Kind.BROKE, Outcome.EXCUSED: Kind.UNEXCUSED}.get(before, Kind.STILL)


def text(comparison: Comparison, width: int, colour: bool) -> str:
    """The comparison for the terminal: its limits, each implementation, and whether something became worse."""
    console, written = open_console(width, colour)
    if comparison.limits:
        limits = one_line("; ".join(comparison.limits))
        console.print(Text(f"the runs themselves differ, which may be why: {limits}\n", "yellow"))
    for compared in comparison.implementations:
        console.print(_verdicts(compared), soft_wrap=True)
        if rows := list(_rows(compared)):
            console.print(labelled(rows))
        console.print()
    worse = ", ".join(one_line(compared.column) for compared in comparison.implementations if compared.worse)
    said = Text(f"worse than before: {worse}", "bold red") if worse else Text("nothing is worse than before", "green")
    console.print(said, soft_wrap=True)
    return trimmed(written)


def _verdicts(compared: Compared) -> Text:
    before, after = compared.before, compared.after
    if before is after:
        said = f"{after}, as before"
    elif before is None:
        said = f"{after}; not in the earlier report"
    elif after is None:
        said = f"not in the later report; {before} before"
    else:
        said = f"{before} → {after}"
    style = "red" if compared.worse else "green" if after is Verdict.CONFORMS else "yellow"
    return Text.assemble((one_line(compared.column), "bold"), ": ", (said, style))


def _rows(compared: Compared) -> Iterator[tuple[Text, Text]]:
    """A label for each kind of change, with the clauses that it applies to."""
    for difference in compared.differences:
        yield Text("differs", "dim"), Text(one_line(difference))
    if compared.after is Verdict.BROKEN:
        for reason in dict.fromkeys(c.reason for c in compared.changes if c.after is Outcome.BROKEN):
            yield Text(Outcome.BROKEN, "bold red"), Text(one_line(reason))
    for kind in Kind:
        for transition, group in groupby(sorted(compared.of(kind), key=_transition), key=_transition):
            yield from _told(kind, transition, list(group))


def _transition(change: Change) -> str:
    return " → ".join(outcome for outcome in dict.fromkeys((change.before, change.after)) if outcome)


def _told(kind: Kind, transition: str, changes: Sequence[Change]) -> Iterator[tuple[Text, Text]]:
    label = Text(kind, "bold red" if any(change.worse for change in changes) else STYLES.get(kind, "yellow"))
    if kind not in TOLD_EACH:
        yield label, Text(f"{names(change.clause for change in changes)}: {transition}")
        return
    for change in changes:
        why = f" ({change.reason})" if change.reason else ""
        yield label, Text(one_line(f"{change.clause.id}: {transition}{why}. {change.clause.sentence}"))
