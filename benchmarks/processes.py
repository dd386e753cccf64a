"""Runs a program in a process of its own and measures it."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.task import TASK, Task, outcome_file

CHECKOUT = Path(__file__).resolve().parents[1]

_SAMPLE_SECONDS = 0.1
_LAST_LINES = 15


class ProgramError(Exception):
    """A program ended with an error; the text has the last lines that it wrote."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program."""

    seconds: float
    """The job itself: the program is imported and begins, until it is done; logins included."""
    cpu_seconds: float
    """CPU seconds of the process itself; not those of the org and the databases."""
    process_seconds: float
    """The whole process, its start and its imports included."""
    peak_mb: float
    """The most memory that the process and its children held."""
    facts: dict[str, Any]
    """The program's further findings."""


def run(
    name: str, command: Sequence[str | Path], task: Task, extra: Mapping[str, str] | None = None
) -> Run:
    """Runs a program on a task.

    Args:
        name: of the program, for messages and files.
        command: what to start.
        task: what it is to do.
        extra: environment variables beside this process's own.

    Raises:
        ProgramError: it ended with an error, or said nothing of what it did.
    """
    folder = Path(task.folder)
    file = folder / f"{name}.task.json"
    outcome = outcome_file(file)
    outcome.unlink(missing_ok=True)
    task.write(file)
    log = folder / f"{name}.log"
    environment = {**os.environ, **(extra or {}), TASK: str(file)}
    environment["PYTHONPATH"] = str(CHECKOUT)
    begun = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
        sampler = _Sampler(process.pid)
        process.wait()
    process_seconds = time.perf_counter() - begun
    sampled = sampler.stop()
    if process.returncode or not outcome.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        raise ProgramError("\n".join([f"{name} failed (status {process.returncode}):", *lines]))
    told = json.loads(outcome.read_text(encoding="utf-8"))
    peak_mb = max(sampled, told["peak_mb"])
    return Run(told["seconds"], told["cpu_seconds"], process_seconds, peak_mb, told["facts"])


class _Sampler:
    """Watches the memory of a process and its children."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            try:
                family = [self._process, *self._process.children(recursive=True)]
                held = sum(each.memory_info().rss for each in family)
            except psutil.NoSuchProcess:
                continue
            self._peak = max(self._peak, held)

    def stop(self) -> float:
        """Ends the watch and returns the peak in MB (of 1024 * 1024 bytes)."""
        self._done.set()
        self._thread.join()
        return self._peak / 1024 / 1024
