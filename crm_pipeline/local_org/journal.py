"""Keeps an org's records in a file, so that they survive a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm_pipeline.local_org.transaction import Write


class Journal:
    """Appends what was written to a file, a line per row."""

    def append(self, writes: Iterable[Write]) -> None:
        """Writes down the rows that these writes left behind."""
