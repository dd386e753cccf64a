"""Who types a command, as it is kept with what people decide."""

import getpass
import os


def who() -> str:
    """Returns the name of whoever types, or the user's number where the machine has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
