"""Files that commands write for people."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import IO

from crm_pipeline.cli.mistakes import mistake


@contextmanager
def private_file(path: Path) -> Iterator[IO[str]]:
    """A file that only its owner may read; one that was there stays until this one is whole.

    Ends the command where something else has that name, which would be gone: a folder, a device, a
    link as /dev/stdout.
    """
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            mistake(f"{path} cannot be written: it is no file of its own.")
        descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        mistake(f"{path} cannot be written: {error.strerror}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
            yield opened
        if new.stat().st_size:
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)
