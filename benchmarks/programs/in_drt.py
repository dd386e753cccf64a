"""drt-core: `drt run`, a Bulk 2.0 upsert of Leads by email out of the warehouse.

Runs in drt-core's own environment; `comparison.py` writes its project.
"""

from drt.cli.main import app  # type: ignore[import-not-found]

from benchmarks.task import perform


def load() -> None:
    """Runs the project of the working directory."""
    status = app(["run"], standalone_mode=False)
    if status:
        raise SystemExit(status)


if __name__ == "__main__":
    perform(load)
