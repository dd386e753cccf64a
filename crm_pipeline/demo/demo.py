"""The demo, step by step: from an empty folder to accounts in sync, and a UI to look around."""

import os
import re
import secrets
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.database.embedded import embedded_url, free_port, leave_embedded, revive_embedded
from crm_pipeline.database.engines import engine
from crm_pipeline.database.migrations import migrate
from crm_pipeline.database.statements import statement
from crm_pipeline.demo.alone import DemoError, alone
from crm_pipeline.demo.asking import IDEA, ask, new_key
from crm_pipeline.demo.interrupts import Interrupts
from crm_pipeline.demo.outcome import outcomes, show, show_values
from crm_pipeline.demo.processes import Processes
from crm_pipeline.demo.registration import register_accounts
from crm_pipeline.demo.salespeople import Salespeople
from crm_pipeline.flows.engagement.back_rules import field_of
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.sample.accounts import SAMPLE_ACCOUNTS, clients
from crm_pipeline.sample.foreseen import foreseen
from crm_pipeline.sample.later import add_traffic
from crm_pipeline.sample.orgs import FILE, write_orgs
from crm_pipeline.sample.warehouse import create
from crm_pipeline.settings import FILES, Settings, settings

UI_PORT = 3000
ORGS_PORT = 8420
PLATFORM_PORT = 8430
LISTENER_PORT = 8440
CONSOLE_PORT = 8450
MINUTES = 15
READ_BACK_SECONDS = 30
"""How often the org of an account with prospects is read for what salespeople changed."""
_TIMEOUT_SECONDS = 30.0

_LINK = re.compile(r"^Open (http\S+)$", re.MULTILINE)
"""A link by which the console lets somebody in, as it prints it."""

_COMMAND = str(Path(sysconfig.get_path("scripts")) / "crm-pipeline")


@dataclass(frozen=True)
class Scene:
    """The parts that all steps of the demo share.

    Attributes:
        console: where to tell what happens.
        folder: where the orgs' files and the logs are.
        interrupts: hold what must not be cut off.
        processes: the demo's child processes.
    """

    console: Console
    folder: Path
    interrupts: Interrupts
    processes: Processes

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Shows that something is under way, and then how long it took."""
        with self.console.status(what), self._timed(what):
            yield

    @contextmanager
    def counted_step(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """The same with a bar; yields what to tell how many of how many are done."""
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with (
            self._timed(what),
            Progress(
                *columns, console=self.console, transient=True, disable=not self.console.is_terminal
            ) as bars,
        ):
            task = bars.add_task(what, total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.console.print(f"[green]✓[/green] {what} [dim]{time.monotonic() - started:.1f} s[/dim]")


def run_demo(console: Console, *, registrations: int, once: bool) -> bool:
    """Everything; ends after the table if `once`, else when a signal ends it.

    Returns:
        Whether every account ended as the sample data foresees.

    Raises:
        DemoError: it can't run here.
        ProcessEnded: one of its processes has ended by itself.
    """
    _refuse_other_systems(settings())
    data_dir = settings().data_dir.resolve()
    folder = data_dir / "demo"
    platform_url = f"http://127.0.0.1:{free_port(PLATFORM_PORT)}"
    environment = {
        **os.environ,
        "CRM_PIPELINE_DATA_DIR": str(data_dir),
        "DAGSTER_HOME": str(FILES),
        "PLATFORM_URL": f"{platform_url}/messages",
        "PLATFORM_SECRET": secrets.token_urlsafe(24),
    }
    as_foreseen = False
    try:
        with Interrupts() as interrupts, alone(folder):
            with Processes(folder, environment) as processes:
                try:
                    scene = Scene(console, folder, interrupts, processes)
                    orgs_url = _prepare(scene, registrations)
                    _serve_platform(scene, platform_url)
                    as_foreseen = _run_cycles(scene)
                    listener_url = _take_requests(scene)
                    _let_salespeople_work(scene, orgs_url)
                    _let_a_salesperson_edit(scene, orgs_url, platform_url)
                    _ship_the_ticket(scene, orgs_url, platform_url)
                    if not once:
                        pages = {
                            "Local orgs": orgs_url,
                            "Local platform": platform_url,
                            "Listener": f"{listener_url}/openapi.json",
                        }
                        _serve(scene, pages)
                finally:
                    interrupts.ignore()
                    console.print("Stopping …")
            engine("pipeline").dispose()
            engine("warehouse").dispose()
            leave_embedded()
    except KeyboardInterrupt:
        console.print("Stopped.")
    return as_foreseen


def _refuse_other_systems(chosen: Settings) -> None:
    own = ("warehouse_url", "pipeline_database_url", "dagster_database_url", "console_database_url")
    for name in own:
        if getattr(chosen, name) is not None:
            raise DemoError(
                f"{name.upper()} is set, and the demo fills a database of its own only: unset it "
                "(also in .env). To fill yours: `crm-pipeline sample create`."
            )
    if chosen.platform_url is not None:
        raise DemoError(
            "PLATFORM_URL is set, and the demo tells a platform of its own only: unset it and "
            "PLATFORM_SECRET (also in .env)."
        )


def _prepare(scene: Scene, registrations: int) -> str:
    """All that the cycles need; returns the address of the local orgs."""
    with scene.step("PostgreSQL"), scene.interrupts.held():
        embedded_url("crm_pipeline")
        embedded_url("dagster")
    for folder in ("crm", "warehouse"):
        migrate(engine("pipeline"), folder)
    _fill_warehouse(scene, registrations)
    orgs_url = _serve_orgs(scene)
    with (
        scene.step("Accounts registered"),
        engine("pipeline").begin() as pipeline,
        engine("warehouse").connect() as warehouse,
    ):
        register_accounts(pipeline, warehouse, scene.folder, orgs_url)
    return orgs_url


def _fill_warehouse(scene: Scene, registrations: int) -> None:
    with engine("warehouse").connect() as connection:
        is_filled = connection.scalar(statement("sample/has_rows"))
    if not is_filled:
        with scene.counted_step("Sample warehouse: registrations") as progress:
            create(
                engine("warehouse"),
                clients(len(SAMPLE_ACCOUNTS)),
                registrations,
                progress=progress,
            )
    elif _last_cycle():
        with scene.step(f"{MINUTES} more minutes of traffic in the sample warehouse"):
            add_traffic(engine("warehouse"), MINUTES)


def _serve_orgs(scene: Scene) -> str:
    """Starts the local orgs; returns the address of their server."""
    file = scene.folder / FILE
    with scene.step("Local Salesforce orgs"):
        if not file.exists():
            with engine("warehouse").connect() as connection:
                write_orgs(connection, scene.folder)
        port = free_port(ORGS_PORT)
        with scene.interrupts.held():
            scene.processes.start(
                "orgs",
                [_COMMAND, "org", "serve", "--port", str(port), "--config", str(file)],
            )
        url = f"http://127.0.0.1:{port}"
        scene.processes.wait_for("orgs", f"{url}/")
    return url


def _serve_platform(scene: Scene, url: str) -> None:
    """Starts the local platform at its address; the secret that it shares is in the environment."""
    with scene.step("Local platform"):
        port = url.rpartition(":")[2]
        with scene.interrupts.held():
            scene.processes.start("platform", [_COMMAND, "platform", "serve", "--port", port])
        scene.processes.wait_for("platform", f"{url}/")


def _run_cycles(scene: Scene) -> bool:
    """A run of Dagster for each enabled account; whether all ended as foreseen."""
    accounts = [each.account_id for each in SAMPLE_ACCOUNTS if each.state != "Disabled"]
    with engine("warehouse").connect() as warehouse:
        expected = {each.account_id: foreseen(warehouse, each) for each in SAMPLE_ACCOUNTS}
    last_cycle = _last_cycle()
    with scene.counted_step("Cycles, as runs of Dagster") as progress:
        with scene.interrupts.held():
            scene.processes.start("cycles", _python("crm_pipeline.demo.cycles", *accounts))
        while scene.processes.is_running("cycles"):
            progress(_finished_cycles(last_cycle), len(accounts))
            time.sleep(0.2)
        scene.processes.finish("cycles")
    with engine("pipeline").connect() as pipeline:
        ended = outcomes(pipeline, last_cycle)
    return show(scene.console, ended, expected)


def _let_salespeople_work(scene: Scene, orgs_url: str) -> None:
    """People sell in the org of the account that has a tracker; what comes of it is shown."""
    for account in SAMPLE_ACCOUNTS:
        chosen = AccountSettings.parse(account.account_id, account.settings).attribution
        if chosen is None or chosen.id_field is None:
            continue
        with scene.step("Salespeople convert, win, lose, merge, delete and reopen"):
            people = Salespeople(f"{orgs_url}/{account.account_id}", chosen.id_field)
            people.work()
        _read_back(scene, account.account_id)
        with engine("pipeline").connect() as pipeline:
            show_values(scene.console, pipeline, account.account_id)


def _let_a_salesperson_edit(scene: Scene, orgs_url: str, platform_url: str) -> None:
    """Somebody renames a lead with a prospect; what the platform is told of it is shown."""
    for account in SAMPLE_ACCOUNTS:
        chosen = AccountSettings.parse(account.account_id, account.settings).engagement
        field = field_of(chosen, "prospect_id") if chosen else None
        if field is None:
            continue
        with scene.step(f"A salesperson of {account.account_id} renames a lead with a prospect"):
            people = Salespeople(f"{orgs_url}/{account.account_id}", field)
            lead = people.rename_one("Augusta")
        _read_back(scene, account.account_id)
        current = f"{platform_url}/_admin/current"
        answer = requests.get(current, params={"about": lead}, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        names = ", ".join(each["body"]["name"] for each in answer.json())
        scene.console.print(f"The platform was told that {lead} is: {names or 'nothing'}")


def _read_back(scene: Scene, account_id: str) -> None:
    """Runs a cycle of an account that reads what people changed in its org."""
    with engine("pipeline").begin() as pipeline:
        hint(pipeline, account_id)
    _cycle(scene, account_id, "which reads that back")


def _cycle(scene: Scene, account_id: str, why: str) -> None:
    with scene.step(f"Another cycle of {account_id}, {why}"):
        with scene.interrupts.held():
            scene.processes.start("selling", _python("crm_pipeline.demo.cycles", account_id))
        while scene.processes.is_running("selling"):
            time.sleep(0.2)
        scene.processes.finish("selling")


def _take_requests(scene: Scene) -> str:
    """Starts the listener, and asks it as Salesforce would; returns its address."""
    port = free_port(LISTENER_PORT)
    url = f"http://127.0.0.1:{port}"
    account = _asked_account()
    with scene.step("Listener for requests from Salesforce"):
        with engine("pipeline").begin() as pipeline:
            key = new_key(pipeline, account)
        with scene.interrupts.held():
            scene.processes.start("listener", [_COMMAND, "listen", "--port", str(port)])
        scene.processes.wait_for("listener", f"{url}/health")
        answers = ask(url, key)
    said = ", ".join(f"{what}: {status}" for what, status in answers)
    scene.console.print(f"Asked of {account}: {said}")
    return url


def _asked_account() -> str:
    return next(each.account_id for each in SAMPLE_ACCOUNTS if "inbound" in each.settings)


def _ship_the_ticket(scene: Scene, orgs_url: str, platform_url: str) -> None:
    """The platform ships the ticket that it was told of; what the org has of it is shown."""
    account = _asked_account()
    current = f"{platform_url}/_admin/current"
    told = requests.get(current, params={"topic": "feedback"}, timeout=_TIMEOUT_SECONDS)
    told.raise_for_status()
    with engine("warehouse").begin() as warehouse:
        for each in told.json():
            ticket = {**each["body"], **each["body"]["fields"], "client_id": account}
            warehouse.execute(statement("sample/ship_ticket"), ticket)
    _cycle(scene, account, "which brings the ticket to the org")
    records = f"{orgs_url}/{account}/_admin/records/Feedback__c"
    answer = requests.get(records, params={"limit": 2000}, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()
    there = [each for each in answer.json()["records"] if each["Name"] == IDEA]
    scene.console.print(f"Tickets named {IDEA} in the org of {account}: {len(there)}")


def _finished_cycles(after: int) -> int:
    with engine("pipeline").connect() as connection:
        cycles = connection.execute(statement("demo/cycles_since"), {"after": after})
        return sum(cycle.finished for cycle in cycles)


def _serve(scene: Scene, pages: Mapping[str, str]) -> None:
    """Dagster's UI and daemon, and the console, until a signal comes or one of the processes ends.

    Args:
        scene: the demo's.
        pages: addresses of further pages, by what they show.
    """
    port = free_port(UI_PORT)
    url = f"http://127.0.0.1:{port}"
    workspace = FILES / "workspace.yaml"
    with scene.step("Dagster's webserver and daemon"):
        with scene.interrupts.held():
            scene.processes.start(
                "webserver",
                _python("dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", workspace),
            )
            scene.processes.start("daemon", _python("dagster._daemon", "run", "-w", workspace))
            console_port = free_port(CONSOLE_PORT)
            command = [_COMMAND, "console", "--port", str(console_port)]
            scene.processes.start("console", command)
        scene.processes.wait_for("webserver", f"{url}/server_info")
        console_url = f"http://127.0.0.1:{console_port}"
        scene.processes.wait_for("console", f"{console_url}/console.css")
    scene.console.print()
    for what, address in {"Dagster": url, **pages, "Console": console_url}.items():
        scene.console.print(f"{what + ':':15} [bold]{address}[/bold]")
    scene.console.print(f"{'Logs:':15} {scene.folder}")
    scene.console.print(
        "Schedules and sensors are on: try `crm-pipeline sample more` in another terminal. "
        "Ctrl-C stops all of it."
    )
    _watch(scene)


def _watch(scene: Scene) -> None:
    """Looks after the processes, and has orgs whose people work with prospects read often."""
    engaged = [each.account_id for each in SAMPLE_ACCOUNTS if "engagement" in each.settings]
    links: list[str] = []
    for second in count():
        scene.processes.check()
        # Each works once; whoever opens the console without one has it make another.
        for link in _LINK.findall(scene.processes.log("console").read_text(encoding="utf-8")):
            if link not in links:
                links.append(link)
                told = f"Log in to the console, once: [bold]{link}[/bold]"
                scene.console.print(told, soft_wrap=True)
        with scene.interrupts.held():
            revive_embedded()
        if second % READ_BACK_SECONDS == 0:
            with engine("pipeline").begin() as pipeline:
                for account_id in engaged:
                    hint(pipeline, account_id)
        time.sleep(1)


def _last_cycle() -> int:
    with engine("pipeline").connect() as connection:
        return int(connection.scalar(statement("demo/last_cycle")) or 0)


def _python(module: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]
