"""Imports without the garbage collector."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quick_imports"]


@contextmanager
def quick_imports(*, keep: bool = False) -> Iterator[None]:
    """Leave garbage alone while torch is imported, unless it was before.

    Torch and what surrounds it make 300,000 objects that stay: to look through them again and again is a sixth of the
    time that their import takes.

    Args:
        keep: no later collection looks at what there is by then either, which takes a third of a second each time. For
            a process of ours: in a person's own program there may be garbage among it.
    """
    if not gc.isenabled() or "torch" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if keep:
            gc.freeze()
        gc.enable()
