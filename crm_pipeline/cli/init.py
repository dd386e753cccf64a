"""`crm-pipeline init`: a folder for an installation of the package without its checkout."""

import shlex
from pathlib import Path
from shutil import copyfile
from typing import Annotated

import typer

from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

_COPIED = ("workspace.yaml", "dagster.yaml")

_ENVIRONMENT = """\
# Settings of this installation; docs/settings.md lists them all. It is
# read where commands and Dagster are started in this folder.
DAGSTER_HOME="{folder}"
CRM_PIPELINE_DATA_DIR="{folder}/.data"
# A database that is not named is the embedded PostgreSQL's, which is there to try things
# (pip install 'crm-pipeline[demo]').
# WAREHOUSE_URL=postgresql://user:password@host:5432/database
# PIPELINE_DATABASE_URL=postgresql://user:password@host:5432/crm_pipeline
# DAGSTER_DATABASE_URL=postgresql://user:password@host:5432/dagster
# `crm-pipeline account new-key` makes one.
# CRM_ENCRYPTION_KEYS=
# Secrets may be kept elsewhere: in a file, or by a command that prints them.
# WAREHOUSE_URL_FILE=/run/secrets/warehouse_url
# CRM_ENCRYPTION_KEYS_COMMAND='vault kv get -field=keys secret/crm-pipeline'
# Extracts of your own, each in the place of that of the same name.
# EXTRACT_DIR="{folder}/extracts"
"""

_NEXT = (
    "Next, in this folder: set the databases and CRM_ENCRYPTION_KEYS in .env, then",
    "  crm-pipeline migrate            # makes the pipeline's tables",
    "  crm-pipeline account clients    # whom the warehouse has",
    "  dagster dev                     # Dagster's pages, schedules and sensors",
    "Or set nothing, and look at sample data: crm-pipeline demo",
)

_IGNORED = ".env\n.data/\n"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made where it is not there.")],
) -> None:
    """Write what an installation needs into a folder: settings, Dagster's files, accounts/.

    Files that are there stay as they are; after an upgrade it says which of Dagster's are not this
    version's. Start commands and `dagster dev` in the folder.
    """
    from filecmp import cmp

    from crm_pipeline.settings import FILES

    folder = folder.absolute()
    texts = {".env": _ENVIRONMENT.format(folder=_quoted(folder)), ".gitignore": _IGNORED}
    written: list[str] = []
    differing: list[str] = []
    try:
        (folder / "accounts").mkdir(parents=True, exist_ok=True)
        for name in _COPIED:
            if not (folder / name).exists():
                copyfile(FILES / name, folder / name)
                written.append(name)
            elif not cmp(FILES / name, folder / name, shallow=False):
                differing.append(name)
        for name, text in texts.items():
            if not (folder / name).exists():
                (folder / name).write_text(text, encoding="utf-8")
                written.append(name)
        (folder / ".env").chmod(0o600)
    except OSError as error:
        mistake(f"{folder} cannot be written: {error.strerror}.")
    say(f"{folder}: {', '.join(written) or 'all was there'}.")
    for name in differing:
        shipped, own = shlex.quote(str(FILES / name)), shlex.quote(str(folder / name))
        say(f"{name} stays, and is not this version's: diff {shipped} {own}")
    if ".env" in written:
        for line in _NEXT:
            say(line, as_it_is=True)


def _quoted(folder: Path) -> str:
    """A path as it stands between double quotes in `.env`."""
    return str(folder).replace("\\", "\\\\").replace('"', '\\"')
