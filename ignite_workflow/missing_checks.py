"""Words that read like a missing value, and may be a class: none, NA, null, a dash."""

from __future__ import annotations

from collections.abc import Iterator

from ignite_workflow.data.cells import DASHES
from ignite_workflow.remarks import Remark, listed
from ignite_workflow.run_data import RunData

__all__ = ["check_missing_words"]

_WORDS = {"none", "(none)", "na", "n/a", "n.a.", "null", "nil", "missing", *DASHES}  # what a person may call a class
_FREQUENT = 0.5  # of the rows that a class has on average
_COMMON = 0.1  # of the rows
_CURE = (
    "if it is a value like others, data.read.missing_words=false, and in data.missing what does mean a missing value"
)


def check_missing_words(data: RunData) -> Iterator[Remark]:
    """What is worth a remark.

    Args:
        data: a table, prepared.
    """
    if data.target is None or data.schema is None:
        return
    rows = sum(data.sizes.values())
    targets = {target.name for target in data.schema.targets}
    for name, words in data.missing_words.items():
        likely = [word for word in words if word.lower() in _WORDS]
        if not likely:
            continue
        word = max(likely, key=words.__getitem__)
        found = f"column {listed([name])}: {listed([word])} stands in {words[word]:,} rows"
        if name in targets and words[word] >= _FREQUENT * rows / len(data.target.classes):
            yield Remark(
                "warning", f"the target, {found} and is taken for a missing value, so they are left out: {_CURE}."
            )
        elif name not in targets and words[word] >= _COMMON * rows:
            merged = words[""] - words[word]
            also = f", as {merged:,} other cells are" if merged else ", a class of its own"
            yield Remark("warning" if merged else "note", f"{found} and is taken for a missing value{also}: {_CURE}.")
