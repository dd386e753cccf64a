"""Runs cycles in another process, one after another; a lane for each that run at once.

The processes are forks of one that has imported the pipeline, which takes a second.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Self

from crm_pipeline_tests.chaos.cycle_process import serve

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([serve.__module__])


class LaneBroken(Exception):  # noqa: N818 - of the harness, not of what it tests
    """The process that runs the cycles has ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a cycle, or of the cadence.

    `state` and `reason` are those of the cycle's report; where there is none, `state` is
    `NoDatabase`, `Killed` or, which must never be, `Crashed`.
    """

    state: str
    reason: str = ""
    commits: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    cycles: tuple[Mapping[str, str], ...] = ()
    rests: bool = True
    log: tuple[str, ...] = ()


class Lane:
    """Runs one task at a time; `with` ends it."""

    def __init__(self) -> None:
        self._line, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(target=serve, args=(theirs, dict(os.environ)), daemon=True)
        self._process.start()
        theirs.close()

    def run(
        self,
        task: str,
        environment: Mapping[str, str],
        arguments: Mapping[str, Any] | None = None,
        *,
        begun: Callable[[int], None] | None = None,
    ) -> Ended:
        """Runs a task and waits for its end.

        Args:
            task: one of `cycle_process.TASKS`.
            environment: settings of the pipeline, beside those of the harness's own process.
            arguments: the task's.
            begun: makes it run in a process of its own, and is told that one's id.
        """
        self._line.send(
            {
                "task": task,
                "environment": dict(environment),
                "arguments": dict(arguments or {}),
                "fork": begun is not None,
            }
        )
        if begun is not None:
            begun(self._answer()["pid"])
        said = self._answer()
        return Ended(
            state=said.get("state", ""),
            reason=said.get("reason") or "",
            commits=said.get("commits", 0),
            counts=said.get("counts", {}),
            cycles=tuple(said.get("cycles", ())),
            rests=said.get("rests", True),
            log=tuple(said.get("log", ())),
        )

    def _answer(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._line.recv()
        except EOFError:
            raise LaneBroken(
                "the process that runs the cycles has ended; see its error output"
            ) from None
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._line.close()
        self._process.join(timeout=30)
        self._process.close()
