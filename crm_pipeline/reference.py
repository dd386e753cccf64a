"""`make reference`: what docs/ says of settings, errors and views, made of the code anew.

A piece stands between two marks of its page, `<!-- NAME -->` and `<!-- /NAME -->`. Views are read
off a database that is made for it and goes afterwards, so that a checkout without a database can
do so, and no database of yours is asked or changed.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from crm_pipeline import frames
from crm_pipeline.accounts.limits import Limits
from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.database.embedded_installation import EmbeddedPostgresError
from crm_pipeline.database.migrations import migrate
from crm_pipeline.ledger.codes import OwnCode
from crm_pipeline.reporting.views import dictionary
from crm_pipeline.salesforce.errors import (
    BY_HTTP_STATUS,
    DEFAULT_TREATMENT,
    ERROR_TABLE,
    Treatment,
    advice,
)
from crm_pipeline.settings import Settings, secret_settings

_DEFAULTS = {
    "data_dir": "`.data` of the checkout",
    "warehouse_url": "the embedded PostgreSQL",
    "warehouse_asset_keys": "none",
    "pipeline_database_url": "as `WAREHOUSE_URL`, if PostgreSQL",
    "dagster_database_url": "the embedded PostgreSQL",
    "encryption_keys": "with the embedded PostgreSQL: one in the data folder",
    "tombstone_file": "`tombstones.jsonl` in the data folder",
    "alert_digest_hour": "none is sent",
}
"""Defaults that depend on others."""


def settings_table() -> str:
    """The settings of an installation, a row each."""
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "none" if field.default in (None, "", []) else field.default
        default = _DEFAULTS.get(name, default)
        rows.append(f"| `{field.alias or name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def secrets_list() -> str:
    """The settings that may be kept elsewhere."""
    return ", ".join(f"`{name}`" for name in secret_settings())


def limits_table() -> str:
    """The limits that hold a cycle, a row each."""
    rows = [
        f"| `{name}` | {field.default} | {field.description} |"
        for name, field in Limits.model_fields.items()
    ]
    return "\n".join(["| limit | default | what it is |", "|---|---|---|", *rows])


def errors_table() -> str:
    """Salesforce's codes by what is done about them, with what people can do."""
    codes: dict[Treatment, list[str]] = {each: [] for each in Treatment}
    for code, treatment in ERROR_TABLE.items():
        codes[treatment].append(code)
    codes[DEFAULT_TREATMENT].append("any other code")
    for status, treatment in BY_HTTP_STATUS.items():
        codes[treatment].append(f"HTTP {status} without a code")
    codes[Treatment.RETRY].append("HTTP 500 and above, with any other code or none")
    parts = []
    for treatment, some in codes.items():
        parts += [f"### {treatment.name.replace('_', ' ').capitalize()}", treatment.value]
        others = [_shown(code) for code in some if not advice(code)]
        rows = [f"| {_shown(code)} | {_told(advice(code))} |" for code in some if advice(code)]
        if others:
            parts.append(f"{', '.join(others)}.")
        if rows:
            parts.append("\n".join(["| code | what people can do |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def own_codes_table() -> str:
    """Codes of ours, a row each."""
    rows = [f"| `{each}` | {each.meaning} | {each.remedy} |" for each in OwnCode]
    return "\n".join(["| code | what it means | what people can do |", "|---|---|---|", *rows])


def frame_types_table() -> str:
    """Types of the reporting views, as frames have them."""
    rows = [f"| {in_views} | {in_frames} |" for in_views, in_frames in frames.TYPES.items()]
    return "\n".join(["| in a view | in its frame |", "|---|---|", *rows])


def frame_table(columns: Sequence[frames.FrameColumn]) -> str:
    """The columns of a frame, a row each."""
    rows = [f"| `{each.name}` | {each.type} | {each.says} |" for each in columns]
    return "\n".join(["| column | type | |", "|---|---|---|", *rows])


def _shown(code: str) -> str:
    return code if " " in code else f"`{code}`"


def _told(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


PIECES: Mapping[tuple[str, str], Callable[[], str]] = {
    ("docs/settings.md", "settings"): settings_table,
    ("docs/settings.md", "secrets"): secrets_list,
    ("docs/holds.md", "limits"): limits_table,
    ("docs/error-codes.md", "salesforce"): errors_table,
    ("docs/error-codes.md", "ours"): own_codes_table,
    ("docs/notebooks.md", "types"): frame_types_table,
    ("docs/notebooks.md", "plan"): partial(frame_table, frames.PLAN),
    ("docs/notebooks.md", "people"): partial(frame_table, frames.PEOPLE),
    ("docs/notebooks.md", "moments"): partial(frame_table, frames.MOMENTS),
    ("docs/notebooks.md", "outlooks"): partial(frame_table, frames.OUTLOOKS),
    ("docs/notebooks.md", "unsent"): partial(frame_table, frames.UNSENT),
}
"""What is made, by page and mark."""

VIEWS = ("docs/reporting.md", "views")
"""The page and mark of the views."""


def piece_of(page: str, mark: str) -> str:
    """Returns what stands between two marks of a page.

    Raises:
        ValueError: the page has no such marks.
    """
    found = re.search(rf"<!-- {mark} -->\n(.*?)\n<!-- /{mark} -->", page, re.DOTALL)
    if found is None:
        raise ValueError(f"a page lacks the marks <!-- {mark} --> and <!-- /{mark} -->")
    return found[1]


def rewrite(document: Path, mark: str, made: str) -> None:
    """Puts a piece between its marks in a page.

    Raises:
        ValueError: the page has no such marks.
    """
    page = document.read_text(encoding="utf-8")
    before = f"<!-- {mark} -->\n{piece_of(page, mark)}\n<!-- /{mark} -->"
    document.write_text(
        page.replace(before, f"<!-- {mark} -->\n{made}\n<!-- /{mark} -->"), encoding="utf-8"
    )


def views_of(server: EmbeddedPostgres) -> str:
    """The views and their columns, as the migrations make them in a database `reference`.

    Raises:
        EmbeddedPostgresError: the server cannot be started.
    """
    database = create_engine(server.url("reference"), poolclass=NullPool)
    migrate(database, "crm")
    with database.connect() as connection:
        return views_piece(connection)


def views_piece(connection: Connection) -> str:
    """The views and their columns by their comments in a database."""
    return dictionary(connection).strip()


def main() -> None:
    """Rewrites the pages of the checkout, with a server that lives as long as that takes."""
    for (document, mark), made in PIECES.items():
        rewrite(Path(document), mark, made())
    with tempfile.TemporaryDirectory(prefix="crm-pipeline-reference-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            rewrite(Path(VIEWS[0]), VIEWS[1], views_of(server))
        finally:
            server.stop()


if __name__ == "__main__":
    try:
        main()
    except (EmbeddedPostgresError, OSError, ValueError) as error:
        sys.exit(str(error))
