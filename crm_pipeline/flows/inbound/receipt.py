"""The receipt of a removal: per place what was done, what was left and why. Pure.

It has no personal data: numbers, places and reasons only.
"""

from collections.abc import Mapping
from typing import Any

from crm_pipeline.inbound.erasing import TEXTS_DAYS

LEFT: Mapping[str, str] = {
    "database/texts of others": f"what was read over {TEXTS_DAYS} days ago loses the address "
    "in the nightly scan",
    "org/history": "field history, sent emails, files and backups of the org are not ours",
    "platform": "the platform was asked to remove the user; it answers for its own data",
    "warehouse": "rows are read without the person from now on; what it stores is the platform's",
    "database/free pages": "until they are used again, or `crm-pipeline erasure compact` rewrites "
    "the tables",
    "database/write-ahead log": "until its files are recycled; `crm-pipeline erasure compact` "
    "removes those of the embedded PostgreSQL",
    "database/backups": "until they are thrown away; after one is restored, tombstones are read "
    "back before anything runs",
}
"""Data that no removal reaches, each with the reason or the period."""


def receipt(
    rows: Mapping[str, int], in_org: Mapping[tuple[str, str], int], *, asked: int, in_flight: int
) -> dict[str, Any]:
    """Returns the receipt of a removal.

    Args:
        rows: rows erased from the pipeline's own tables, by table.
        in_org: numbers by place and what was done there.
        asked: users that the platform was asked to remove.
        in_flight: operations that were under way or had no answer, whose outcome was erased too.
    """
    places = [
        *({"place": table, "done": "erased", "number": n} for table, n in sorted(rows.items())),
        *(
            {"place": place, "done": done, "number": n}
            for (place, done), n in sorted(in_org.items())
        ),
        *([{"place": "platform", "done": "asked to remove", "number": asked}] if asked else ()),
        *(
            [{"place": "org", "done": "was under way, and erased", "number": in_flight}]
            if in_flight
            else ()
        ),
    ]
    left = [{"place": place, "why": why} for place, why in LEFT.items()]
    return {"places": places, "left": left}
