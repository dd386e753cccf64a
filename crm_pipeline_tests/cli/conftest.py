from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from crm_pipeline.cli.app import app

Run = Callable[..., Result]


@pytest.fixture
def run(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process; `fails` says which exit status is expected of it."""
    for variable in ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "SECURITY_TOKEN"):
        monkeypatch.delenv(f"SALESFORCE_{variable}", raising=False)

    def run(*arguments: object, typed: str | None = None, fails: int = 0) -> Result:
        result = CliRunner().invoke(
            app, [str(each) for each in arguments], input=typed, prog_name="crm-pipeline"
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == fails, result.output
        if fails:
            assert len(result.stderr.splitlines()) == 1, result.stderr
        return result

    return run


@pytest.fixture
def acme(run: Run) -> str:
    """An account with credentials."""
    run(
        "account",
        "add",
        "acme",
        "--client=client-1",
        "--name=Acme Ltd",
        "--login-url=https://acme.my.salesforce.com",
        typed="3MVG9\ns3cret\n",
    )
    return "acme"
