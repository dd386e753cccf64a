"""`crm-pipeline init`: a folder for an installation of the package without its checkout."""

from pathlib import Path
from shutil import copyfile
from typing import Annotated

import typer

from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

_COPIED = ("workspace.yaml", "dagster.yaml")

_ENVIRONMENT = """\
# Settings of this installation; the README lists them all. It is read where commands and Dagster
# are started in this folder.
DAGSTER_HOME="{folder}"
CRM_PIPELINE_DATA_DIR="{folder}/.data"
# WAREHOUSE_URL=postgresql://user:password@host:5432/database
# PIPELINE_DATABASE_URL=postgresql://user:password@host:5432/crm_pipeline
# DAGSTER_DATABASE_URL=postgresql://user:password@host:5432/dagster
# CRM_ENCRYPTION_KEYS=
# EXTRACT_DIR="{folder}/extracts"
"""

_IGNORED = ".env\n.data/\n"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made where it is not there.")],
) -> None:
    """Write what an installation needs into a folder: settings, Dagster's files, accounts/.

    Files that are there stay as they are. Then set WAREHOUSE_URL in .env, and start
    `dagster dev` or commands in the folder.
    """
    from crm_pipeline.settings import FILES

    folder = folder.absolute()
    texts = {".env": _ENVIRONMENT.format(folder=_quoted(folder)), ".gitignore": _IGNORED}
    written = []
    try:
        (folder / "accounts").mkdir(parents=True, exist_ok=True)
        for name in _COPIED:
            if not (folder / name).exists():
                copyfile(FILES / name, folder / name)
                written.append(name)
        for name, text in texts.items():
            if not (folder / name).exists():
                (folder / name).write_text(text, encoding="utf-8")
                written.append(name)
    except OSError as error:
        mistake(f"{folder} cannot be written: {error.strerror}.")
    (folder / ".env").chmod(0o600)
    say(f"{folder}: {', '.join(written) or 'all was there'}.")


def _quoted(folder: Path) -> str:
    """A path as it stands between double quotes in `.env`."""
    return str(folder).replace("\\", "\\\\").replace('"', '\\"')
