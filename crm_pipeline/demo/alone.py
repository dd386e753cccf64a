"""One demo at a time in a folder: two would share one database and run two daemons."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DemoError(RuntimeError):
    """The demo can't run; one line that says what to do."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds the folder for the length of the block; a killed demo holds nothing.

    Raises:
        DemoError: another demo holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"A demo runs already with the data in {folder.parent}; stop it first (Ctrl-C), or "
                "set CRM_PIPELINE_DATA_DIR to another folder."
            ) from None
        yield
