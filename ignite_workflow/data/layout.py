"""The look of delimited text: what parts its cells, where its header is, found in its first records."""

from __future__ import annotations


