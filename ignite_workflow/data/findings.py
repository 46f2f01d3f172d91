"""What a column was found to hold, with the evidence: what ``data.columns`` corrects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ignite_workflow.data.kinds import USED_KINDS, Kind

__all__ = ["Finding", "keep_one_feature"]


@dataclass(frozen=True)
class Finding:
    """What a column was found to hold.

    Attributes:
        name: of the column.
        kind: what it is taken for; one of ``USED_KINDS`` is used.
        why: the evidence, one line.
        rows, missing: how many cells there are, and how many of them are missing.
        counts: how often each value occurs; None where they are too many, or fractions.
        whole: every known cell is an integer.
        examples: the first different values.
        formats: of a date, those it is written in.
        given: ``data.columns`` says so.
        words: how often each spelling of a missing value occurs, empty cells left out.
        question: what only a person can decide, one line; empty where nothing is open.
    """

    name: str
    kind: Kind
    why: str
    rows: int
    missing: int
    counts: Mapping[str, int] | None
    whole: bool
    examples: tuple[str, ...]
    formats: tuple[str, ...] = ()
    given: bool = False
    question: str = ""
    words: Mapping[str, int] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """The number of cells that are not missing."""
        return self.rows - self.missing


def keep_one_feature(findings: Mapping[str, Finding], targets: Iterable[str]) -> dict[str, Finding]:
    """Take a column that counts the rows for a number where nothing else could be learned from: x of a curve y(x)."""
    features = {name: finding for name, finding in findings.items() if name not in set(targets)}
    if any(finding.kind in USED_KINDS for finding in features.values()):
        return dict(findings)
    counting = {
        name: replace(finding, kind="number", why=f"{finding.why}; the only column to learn from")
        for name, finding in features.items()
        if finding.kind == "identifier" and finding.whole
    }
    return {**findings, **counting}
