"""The command `crm-pipeline`, for operators: a module for each group of commands.

Commands only ask, call and show: what they do lives in the rooms below. Each imports what it
needs when it runs, so that `--help` answers at once.
"""

import os
import sys
from pathlib import Path


def main() -> None:
    """Runs the command line and ends the process with its exit status."""
    _open_what_is_closed()
    from crm_pipeline.cli.app import app

    app(prog_name="crm-pipeline")


def _open_what_is_closed() -> None:
    """Has nobody read or write where the caller closed a standard stream, as some schedulers do.

    Else the first file or connection to be opened would be taken for that stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - to the end
            setattr(sys, name, nowhere)
