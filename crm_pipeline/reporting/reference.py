"""`make reference`: the data dictionary in docs/reporting.md anew.

It is read off a database that is made for it and goes afterwards, so that a checkout without a
database can do so, and no database of yours is asked or changed.
"""

import sys
import tempfile
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.database.embedded_installation import EmbeddedPostgresError
from crm_pipeline.database.migrations import migrate
from crm_pipeline.reporting.views import dictionary

DOCUMENT = Path("docs/reporting.md")
MARK = "<!-- The rest is made of the database's comments: make reference -->"


def rewrite(document: Path, server: EmbeddedPostgres) -> None:
    """Replaces what comes after the mark by the views and columns as the migrations make them.

    Args:
        document: a page in Markdown that has `MARK`.
        server: where a database `reference` is made.

    Raises:
        ValueError: the page has no mark.
        EmbeddedPostgresError: the server cannot be started.
    """
    page = document.read_text(encoding="utf-8")
    if MARK not in page:
        raise ValueError(f"{document} lacks the line {MARK}")
    database = create_engine(server.url("reference"), poolclass=NullPool)
    migrate(database, "crm")
    with database.connect() as connection:
        made = dictionary(connection)
    above, _, _ = page.partition(MARK)
    document.write_text(f"{above}{MARK}\n\n{made}", encoding="utf-8")


def main() -> None:
    """Rewrites the document of the checkout, with a server that lives as long as that takes."""
    with tempfile.TemporaryDirectory(prefix="crm-pipeline-reference-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            rewrite(DOCUMENT, server)
        finally:
            server.stop()


if __name__ == "__main__":
    try:
        main()
    except (EmbeddedPostgresError, OSError, ValueError) as error:
        sys.exit(str(error))
