from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from crm_pipeline.cli import guards
from crm_pipeline.cli.app import app
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.flows.webinars.warehouse import add_sessions

Run = Callable[..., Result]


@pytest.fixture
def run(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process; `fails` says which exit status is expected of it.

    Who types something sits at a terminal; otherwise nobody can be asked.
    A failure is one line on stderr, unless it is `silent` as the output says it already.
    """
    for variable in ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "SECURITY_TOKEN"):
        monkeypatch.delenv(f"SALESFORCE_{variable}", raising=False)

    def run(
        *arguments: object, typed: str | None = None, fails: int = 0, silent: bool = False
    ) -> Result:
        with monkeypatch.context() as patched:
            patched.setattr(guards, "_at_a_terminal", lambda: typed is not None)
            result = CliRunner().invoke(
                app, [str(each) for each in arguments], input=typed, prog_name="crm-pipeline"
            )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == fails, result.output
        if fails:
            assert len(result.stderr.splitlines()) == (not silent), result.stderr
        return result

    return run


@pytest.fixture
def acme(run: Run) -> str:
    """An active account with credentials."""
    run(
        "account",
        "add",
        "acme",
        "--client=client-1",
        "--name=Acme Ltd",
        "--login-url=https://acme.my.salesforce.com",
        "--yes",
        typed="3MVG9\ns3cret\n",
    )
    run("account", "activate", "acme", "--yes")
    return "acme"


@pytest.fixture
def server() -> Iterator[LocalOrgServer]:
    """Two orgs: `acme` refuses leads of Atlantis, `lenient` takes everything."""
    config = {
        "users": [{"username": "api@acme.test"}],
        "connected_apps": [
            {"client_id": "3MVG9", "client_secret": "s3cret", "run_as": "api@acme.test"}
        ],
    }
    rule = {"object": "Lead", "when": "Country = 'Atlantis'", "error": "No such country"}
    with LocalOrgServer(
        {"name": "acme", "validation_rules": [rule], **config}, {"name": "lenient", **config}
    ) as server:
        yield server


@pytest.fixture
def org(run: Run, pipeline: Engine, server: LocalOrgServer) -> Org:
    """The org of account acme, which is active, and for which session 1 is held."""
    login_url = f"--login-url={server.url_of('acme')}"
    add = ("account", "add", "acme", "--client=client-1", "--name=Acme Ltd", "--yes", login_url)
    run(*add, typed="3MVG9\ns3cret\n")
    run("account", "activate", "acme", "--yes")
    with pipeline.begin() as connection:
        add_sessions(connection, 1)
    return server.org("acme")
