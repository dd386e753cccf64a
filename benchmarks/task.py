"""The messages between the harness and a program.

Only the standard library is used here: programs in other environments use it as well.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TASK = "CRM_BENCHMARK_TASK"
"""The environment variable that names the task's file."""


@dataclass(frozen=True, slots=True)
class Task:
    """One job for one program."""

    rows: int
    database_url: str
    org_url: str
    username: str
    password: str
    security_token: str
    client_id: str
    client_secret: str
    folder: str
    """The folder for the program's files; empty, but for what was prepared for the program."""

    @classmethod
    def given(cls) -> "Task":
        """The task of this process."""
        return cls(**json.loads(Path(os.environ[TASK]).read_text(encoding="utf-8")))

    def write(self, file: Path) -> None:
        """Writes the task for another process."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")


def outcome_file(task_file: Path) -> Path:
    """The file in which a program tells its findings."""
    return task_file.with_suffix(".outcome.json")


def perform(work: Callable[[], dict[str, Any] | None]) -> None:
    """Does the work; tells the harness what it took, the process's peak memory and its facts."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    facts = work() or {}
    outcome = {
        "seconds": time.perf_counter() - begun,
        "cpu_seconds": time.process_time() - begun_cpu,
        "peak_mb": _peak_mb(),
        "facts": facts,
    }
    outcome_file(Path(os.environ[TASK])).write_text(json.dumps(outcome), encoding="utf-8")


def _peak_mb() -> float:
    if sys.platform == "linux":
        # Not getrusage: it starts with the memory of the process that started this one.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
