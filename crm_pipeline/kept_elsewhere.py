"""Secrets that are kept elsewhere: in a file, or by a secrets manager whose command prints them.

Of a secret `NAME` the variable `NAME_FILE` names the file, as orchestrators mount it, and
`NAME_COMMAND` the command, as in `vault kv get -field=url secret/crm`. Nothing is read before the
secret is asked for; what is read is told to nobody, nor is what a command says of its failure.
"""

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

FORMS = ("_FILE", "_COMMAND")

_SECONDS = 30


def fetched(name: str, variables: Mapping[str, str]) -> str | None:
    """Returns the secret of a name, without the blanks and line ends around it.

    Args:
        name: as the secret's own variable is called.
        variables: all there are; a command sees them, too.

    Returns:
        None where neither a file nor a command of it is set.

    Raises:
        ValueError: there is nothing to be had, or several of the variables are set; it names the
            variable.
    """
    ways = [f"{name}{form}" for form in FORMS if f"{name}{form}" in variables]
    given = [each for each in (name, *ways) if each in variables]
    if not ways:
        return None
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are set: one says what {name} is")
    [way] = ways
    try:
        secret = (_in_file if way.endswith("_FILE") else _printed)(variables[way], variables)
    except UnicodeDecodeError:
        raise ValueError(f"{way}: what it leads to is no text in UTF-8") from None
    except OSError as error:
        raise ValueError(f"{way}: what it names cannot be used: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{way}: {error}") from None
    if not secret.strip():
        raise ValueError(f"{way}: what it leads to is empty")
    return secret.strip()


def _in_file(path: str, _variables: Mapping[str, str]) -> str:
    if not path.strip():
        raise ValueError("it names no file")
    return Path(path).expanduser().read_text(encoding="utf-8")


def _printed(command: str, variables: Mapping[str, str]) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        raise ValueError("a quotation mark of it has no second one") from None
    if not words:
        raise ValueError("it names no command")
    try:
        ended = subprocess.run(  # noqa: S603 - the installation's own command, and no shell
            words,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"it did not end within {_SECONDS} seconds") from None
    if ended.returncode:
        raise ValueError(f"it ended with exit status {ended.returncode}; run it by hand to see why")
    return ended.stdout.decode("utf-8")
