"""The command `crm-pipeline`, for operators: a module for each group of commands.

Commands only ask, call and show: what they do lives in the rooms below. Each imports what it
needs when it runs, so that `--help` answers at once.
"""


def main() -> None:
    """Runs the command line and ends the process with its exit status."""
    from crm_pipeline.cli.app import app

    app(prog_name="crm-pipeline")
