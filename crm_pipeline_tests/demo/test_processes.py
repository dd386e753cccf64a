"""The demo's child processes are stopped with all that they started, whatever happens."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from crm_pipeline.demo.alone import DemoError, alone
from crm_pipeline.demo.interrupts import Interrupts
from crm_pipeline.demo.processes import ProcessEnded, Processes, stop_left_behind

SLEEP = "import time; time.sleep(300)"
WITH_CHILD = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
print(child.pid, flush=True)
child.wait()
"""
DEAF = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
{SLEEP}
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def said(log: Path) -> str:
    deadline = time.monotonic() + 60
    while not (text := log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return text.strip()


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_what_a_process_has_started_ends_with_it(tmp_path: Path):
    with Processes(tmp_path, os.environ) as processes:
        parent = processes.start("parent", python(WITH_CHILD))
        child = int(said(processes.log("parent")))
        assert is_alive(child)

    assert not is_alive(parent.pid)
    assert not is_alive(child)


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("crm_pipeline.demo.processes.STOP_SECONDS", 0.3)
    with Processes(tmp_path, os.environ) as processes:
        deaf = processes.start("deaf", python(DEAF))
        assert said(processes.log("deaf")) == "deaf"

    assert deaf.returncode == -signal.SIGKILL


def test_processes_end_when_the_block_fails(tmp_path: Path):
    def fail() -> None:
        with Processes(tmp_path, os.environ) as processes:
            started.append(processes.start("sleeper", python(SLEEP)))
            raise LookupError

    started: list[subprocess.Popen[bytes]] = []
    with pytest.raises(LookupError):
        fail()

    assert started[0].returncode == -signal.SIGTERM


def test_one_that_ends_by_itself_is_reported_with_its_last_words(tmp_path: Path):
    with Processes(tmp_path, os.environ) as processes:
        process = processes.start("org", python("print('first'); raise SystemExit('no port')"))
        process.wait()

        with pytest.raises(ProcessEnded, match=r"org has ended: no port \(its log: .*org.log"):
            processes.check()


def test_one_that_is_meant_to_end_must_end_well(tmp_path: Path):
    with Processes(tmp_path, os.environ) as processes:
        processes.start("good", python("pass"))
        processes.finish("good")
        processes.check()
        processes.start("bad", python("raise SystemExit('wrong')"))

        with pytest.raises(ProcessEnded, match="bad has failed: wrong"):
            processes.finish("bad")


def test_the_next_demo_stops_what_a_killed_one_has_left(tmp_path: Path):
    code = f"""
import os, sys
from pathlib import Path
from crm_pipeline.demo.processes import Processes
with Processes(Path({str(tmp_path)!r}), os.environ) as processes:
    print(processes.start("left", [sys.executable, "-c", {SLEEP!r}]).pid, flush=True)
    os.kill(os.getpid(), 9)
"""
    killed = subprocess.run(python(code), capture_output=True, text=True, check=False)
    left = int(killed.stdout)
    assert is_alive(left)

    stop_left_behind(tmp_path)

    assert not is_alive(left)
    stop_left_behind(tmp_path)


def test_two_demos_do_not_share_a_folder(tmp_path: Path):
    second = alone(tmp_path)
    with alone(tmp_path), pytest.raises(DemoError, match="runs already"):
        second.__enter__()

    with alone(tmp_path):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_demo_and_the_next_one_does_not_disturb(number: signal.Signals):
    before = signal.getsignal(number)
    cleaned_up = False
    with Interrupts():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        cleaned_up = True

    assert cleaned_up
    assert signal.getsignal(number) == before


def test_a_signal_waits_until_what_is_held_has_ended():
    noted = []

    def start() -> None:
        with Interrupts() as interrupts, interrupts.held():
            os.kill(os.getpid(), signal.SIGTERM)
            noted.append("started")
            with interrupts.held():
                noted.append("within")

    with pytest.raises(KeyboardInterrupt):
        start()

    assert noted == ["started", "within"]
