"""Minutes of somebody who left and came back, perhaps from two devices: each minute once. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from crm_pipeline.salesforce.values import number

Interval = tuple[datetime, float]
"""When somebody came, and for how many minutes they stayed."""


def minutes_of(columns: Mapping[str, Any]) -> float | None:
    """Returns the minutes that an attendance says, 0 where it ended before it began.

    None where it says none.
    """
    minutes = number(columns.get("minutes_attended"))
    return minutes if minutes is None else max(0, minutes)


def minutes_together(visits: Iterable[Interval]) -> float:
    """The minutes of the union of these intervals; a whole number where it is one."""
    known = sorted(visits)
    if len(known) == 1:
        return known[0][1]
    total = timedelta()
    until: datetime | None = None
    for start, minutes in known:
        end = start + timedelta(minutes=minutes)
        if until is None or start > until:
            total += end - start
        elif end > until:
            total += end - until
        until = end if until is None else max(until, end)
    together = total / timedelta(minutes=1)
    return int(together) if together.is_integer() else together
