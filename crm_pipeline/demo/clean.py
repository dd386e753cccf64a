"""`make clean`: removes all data of the demo and of the embedded PostgreSQL."""

import shutil
import sys

from crm_pipeline.database.embedded import stop_embedded
from crm_pipeline.demo.alone import DemoError, alone
from crm_pipeline.demo.processes import stop_left_behind
from crm_pipeline.settings import settings


def clean() -> None:
    """Stops what a killed demo has left, and the server; then removes the data folder.

    Raises:
        DemoError: a demo is running.
    """
    data_dir = settings().data_dir
    if not data_dir.exists():
        return
    with alone(data_dir / "demo"):
        stop_left_behind(data_dir / "demo")
        stop_embedded()
        shutil.rmtree(data_dir)


if __name__ == "__main__":
    try:
        clean()
    except DemoError as error:
        sys.exit(str(error))
