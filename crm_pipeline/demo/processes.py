"""The demo's child processes: each in a group of its own, and none left when the demo ends."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import requests

STOP_SECONDS = 20


class ProcessEnded(RuntimeError):  # noqa: N818 - says what happened, not that it is our error
    """A process of the demo has ended by itself; the message quotes the end of its log."""


class Processes:
    """Starts processes and stops all of them, with all that they started, when the block ends.

    They are noted in a file, so that the next demo can stop what one that was killed has left.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Starts nothing yet.

        Args:
            folder: where logs and the note of running processes go.
            environment: of all the processes.
        """
        self._folder = folder
        self._note = folder / "processes.json"
        self._environment = dict(environment)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        stop_left_behind(self._folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Starts a process whose output goes to a log of its name; its stdout can't be read."""
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[name] = process
        self._write_note()
        return process

    def log(self, name: str) -> Path:
        """Returns the file that a process writes to."""
        return self._folder / f"{name}.log"

    def wait_for(self, name: str, url: str, seconds: float = 120) -> None:
        """Waits until a process answers at an address.

        Raises:
            ProcessEnded: it has ended, or does not answer in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            with suppress(requests.RequestException):
                if requests.get(url, timeout=5).ok:
                    return
            time.sleep(0.1)
        raise ProcessEnded(f"{name} does not answer at {url}: {self._last_line(name)}")

    def check(self) -> None:
        """Does nothing while all processes run.

        Raises:
            ProcessEnded: one has ended.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ProcessEnded(f"{name} has ended: {self._last_line(name)}")

    def is_running(self, name: str) -> bool:
        """Returns whether a process that was started has not ended yet."""
        return self._running[name].poll() is None

    def finish(self, name: str) -> None:
        """Waits for the end of a process that is meant to end.

        Raises:
            ProcessEnded: it has failed.
        """
        if self._running[name].wait():
            raise ProcessEnded(f"{name} has failed: {self._last_line(name)}")
        del self._running[name]
        self._write_note()

    def stop(self) -> None:
        """Stops all that was started, and all that those started."""
        _stop_groups([process.pid for process in self._running.values()])
        for process in self._running.values():
            process.wait()
        self._running.clear()
        self._note.unlink(missing_ok=True)

    def _write_note(self) -> None:
        noted = {
            process.pid: psutil.Process(process.pid).create_time()
            for process in self._running.values()
            if process.poll() is None
        }
        self._note.write_text(json.dumps(noted), encoding="utf-8")

    def _last_line(self, name: str) -> str:
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{last} (its log: {self.log(name)})"


def stop_left_behind(folder: Path) -> None:
    """Stops the processes that a demo which was killed has left."""
    note = folder / "processes.json"
    if not note.exists():
        return
    leaders = []
    for pid, created in json.loads(note.read_text(encoding="utf-8")).items():
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(int(pid)).create_time() == created:
                leaders.append(int(pid))
    _stop_groups(leaders)
    note.unlink()


def _stop_groups(leaders: Sequence[int]) -> None:
    """Asks all processes of these groups to end, and ends those that do not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for leader in leaders:
            with suppress(ProcessLookupError):
                os.killpg(leader, sign)
        if _have_ended(set(leaders), STOP_SECONDS):
            return


def _have_ended(groups: set[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(_group_of_live(process) in groups for process in psutil.process_iter()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _group_of_live(process: psutil.Process) -> int | None:
    """A process's group; none of one that has ended and waits for its parent only."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return os.getpgid(process.pid)
    except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
        return None
