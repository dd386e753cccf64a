"""Settings: values that they take and refuse, and which of them they blame."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.pq import PGconn
from pydantic import ValidationError
from sqlalchemy import make_url

import crm_pipeline
from crm_pipeline.cli.mistakes import in_one_line
from crm_pipeline.database.engines import database_url
from crm_pipeline.near_names import misspelt, near
from crm_pipeline.postgresql_options import VALUES, unless_said
from crm_pipeline.settings import Settings, settings


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv(field.alias or name.upper(), raising=False)


def refusal() -> str:
    """The refusal of the settings as they are; fails where there is none."""
    with pytest.raises(ValidationError) as refused:
        Settings()
    return str(in_one_line(refused.value))


@pytest.mark.parametrize(
    "address",
    [
        "postgres://me:s3cret@db.example:5432/app?sslmode=require",
        "postgresql://me:s3cret@db.example:5432/app?sslmode=require",
        "postgresql+psycopg2://me:s3cret@db.example:5432/app?sslmode=require",
        " postgres://me:s3cret@db.example:5432/app?sslmode=require\n",
    ],
)
@pytest.mark.parametrize("name", ["WAREHOUSE_URL", "PIPELINE_DATABASE_URL", "DAGSTER_DATABASE_URL"])
def test_addresses_are_taken_as_providers_print_them(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, address)
    settings.cache_clear()
    which = {"W": "warehouse", "P": "pipeline", "D": "dagster"}[name[0]]
    url = database_url(which)  # type: ignore[arg-type]
    settings.cache_clear()
    assert url.render_as_string(hide_password=False) == (
        "postgresql://me:s3cret@db.example:5432/app?sslmode=require"
    )


@pytest.mark.parametrize("name", ["WAREHOUSE_URL", "PIPELINE_DATABASE_URL", "DAGSTER_DATABASE_URL"])
@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("s3cret", "it is no address"),
        ("", "it is no address"),
        ("postgresql://me:s3cret@host:port/db", "it is no address"),
        ("postgres://me:s3cret@host/db?pgbouncer=true", "knows no option 'pgbouncer'"),
        (
            "postgresql://host/db?target_session_attrs=s3cret",
            "its option target_session_attrs is one of any, read-write, read-only, primary",
        ),
        ("postgresql://host/db?connect_timeout=s3cret", "connect_timeout is a whole number"),
        ("postgresql://host/db?applicationname=s3cret", "did you mean application_name?"),
        ("postgresql://host/db?SSLMODE=s3cret", "did you mean sslmode?"),
        ("postgresql://host/db?sslmode=require&sslmode=s3cret", "sslmode is there several times"),
        ("postgresql://me:of@s3cret@host/db", "must be written as %40"),
        ("postgresql://me:s3cret@host:99999/db", "none of 1 to 65535"),
        ("postgresql://me:s3cret@one:5432,two:99999/db", "none of 1 to 65535"),
        ("postgresql://me:s3cret@one:5432,two:port/db", "none of 1 to 65535"),
        ("postgresql://me:of@s3cret@one:5432,two/db", "must be written as %40"),
    ],
)
def test_an_address_that_does_not_work_is_told_by_the_setting_that_was_set(
    name: str, address: str, told: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, address)
    assert refusal().startswith(f"Setting {name} is impossible: ")
    assert told in refusal()
    assert "s3cret" not in refusal()


def test_the_values_of_options_are_those_that_libpq_takes():
    """It looks at them before it connects; and names the option, in whatever language."""
    for name, values in VALUES.items():
        for value in (*values, "sometimes"):
            options = f"host=/nowhere sslmode=require {name}={value}"
            tried = PGconn.connect(options.encode())
            is_refused = name in tried.error_message.decode()
            tried.finish()
            # Numbers are read once there is a connection.
            assert is_refused == (value == "sometimes" and values != ("0", "1")), (name, value)


def test_what_an_address_says_itself_holds():
    """A connect_timeout of one's own was taken, and did nothing."""
    url = make_url("postgresql://host/db?connect_timeout=60")
    assert unless_said(url, connect_timeout=10, keepalives=1) == {"keepalives": 1}


def test_a_number_that_no_clock_can_count_is_told(monkeypatch: pytest.MonkeyPatch):
    """It was taken, and ended each tick or each cycle of all accounts."""
    for name, field in Settings.model_fields.items():
        if field.annotation not in (int, float):
            continue
        variable = field.alias or name.upper()
        for value in ("inf", "nan", "1e300", "9" * 12, "-1"):
            monkeypatch.setenv(variable, value)
            assert refusal().startswith(f"Setting {variable} is impossible: ")
        monkeypatch.delenv(variable)
    Settings()


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin"),
        ("europe/berlin2", "did you mean Europe/Berlin"),
        ("MEZ+1", "there is no such time zone"),
        ("UTC -c log_statement=all", "there is no such time zone"),
        ("/etc/passwd", "there is no such time zone"),
        ("", "there is no such time zone"),
    ],
)
def test_a_zone_that_is_none_is_told(zone: str, told: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAREHOUSE_TIMEZONE", zone)
    assert refusal().startswith("Setting WAREHOUSE_TIMEZONE is impossible: there is no such")
    assert told in refusal()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"SMTP_URL": "smtps://me:pw@mail.example", "ALERT_EMAIL_TO": "a@b.c"}, None),
        ({"SMTP_URL": "smtp://mail.example:25", "ALERT_EMAIL_TO": "a@b.c"}, None),
        ({"SMTP_URL": "mail.example:25", "ALERT_EMAIL_TO": "a@b.c"}, "Setting SMTP_URL"),
        ({"SMTP_URL": "https://mail.example", "ALERT_EMAIL_TO": "a@b.c"}, "Setting SMTP_URL"),
        ({"SMTP_URL": "smtp://", "ALERT_EMAIL_TO": "a@b.c"}, "Setting SMTP_URL"),
        ({"SMTP_URL": "smtp://mail.example"}, "ALERT_EMAIL_TO is not"),
        ({"ALERT_EMAIL_TO": "a@b.c"}, "SMTP_URL is not"),
        ({"SMTP_URL": "smtp://mail.example", "ALERT_EMAIL_TO": "Ops <a@b.c>, d@e.f"}, None),
        ({"SMTP_URL": "smtp://mail.example", "ALERT_EMAIL_TO": "ops"}, "Setting ALERT_EMAIL_TO"),
        ({"SMTP_URL": "smtp://mail.example", "ALERT_EMAIL_TO": "a@b.c d@e.f"}, "no address"),
        ({"ALERT_WEBHOOK_URL": "hooks.example/T0"}, "Setting ALERT_WEBHOOK_URL"),
        ({"ALERT_WEBHOOK_URL": "https://hooks.example/T0"}, None),
        ({"ALERT_WEBHOOK_SECRET": "of sixteen letters"}, "ALERT_WEBHOOK_URL is not"),
        ({"SMTP_URL": "smtp://mail.example", "ALERTS_FILE": "alerts.yaml"}, None),
        ({"ALERTS_FILE": " "}, "Setting ALERTS_FILE is impossible: it is empty"),
        ({"ALERTS_FILE": "/"}, "/ is a folder; name a file in it"),
    ],
)
def test_alerts_have_somewhere_to_go(
    changed: dict[str, str], told: str | None, monkeypatch: pytest.MonkeyPatch
):
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    if told is None:
        Settings()
    else:
        assert told in refusal()


LONG = "a secret of thirty characters."


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"PLATFORM_URL": "https://platform.example/in", "PLATFORM_SECRET": LONG}, None),
        ({"PLATFORM_URL": "http://127.0.0.1:8430/messages", "PLATFORM_SECRET": LONG}, None),
        ({"PLATFORM_URL": "http://localhost:8430/messages", "PLATFORM_SECRET": LONG}, None),
        (
            {"PLATFORM_URL": "http://platform.example/in", "PLATFORM_SECRET": LONG},
            "Setting PLATFORM_URL is impossible: it must begin with https://",
        ),
        (
            {"PLATFORM_URL": "platform.example/in", "PLATFORM_SECRET": LONG},
            "Setting PLATFORM_URL is impossible: it must begin with https:// or http://",
        ),
        ({"PLATFORM_URL": "https://", "PLATFORM_SECRET": LONG}, "Setting PLATFORM_URL"),
        (
            {"PLATFORM_URL": "https://platform.example", "PLATFORM_SECRET": "short s3cret"},
            "Setting PLATFORM_SECRET is impossible: it must have 16 characters or more",
        ),
        ({"PLATFORM_URL": "https://platform.example"}, "PLATFORM_SECRET is not"),
        ({"PLATFORM_SECRET": LONG}, "PLATFORM_URL is not"),
    ],
)
def test_the_platform_is_told_safely_and_knows_who_speaks(
    changed: dict[str, str], told: str | None, monkeypatch: pytest.MonkeyPatch
):
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    if told is None:
        Settings()
    else:
        assert told in refusal()
        assert "s3cret" not in refusal()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("FRESHNES_MINUTES", "FRESHNESS_MINUTES"),
        ("CRM_ENCRYPTION_KEY", "CRM_ENCRYPTION_KEYS"),
        ("WAREHOUSE_URI", "WAREHOUSE_URL"),
        ("WAREHOSUE_URL", "WAREHOUSE_URL"),
        ("WAREHOUSE_TIME_ZONE", "WAREHOUSE_TIMEZONE"),
        ("WAREHOUSE_TZ", "WAREHOUSE_TIMEZONE"),
        ("PIPELINE_DB_URL", "PIPELINE_DATABASE_URL"),
        ("ALERT_EMAIL", "ALERT_EMAIL_TO"),
        ("CYCLE_MINS", "CYCLE_MINUTES"),
        ("chunk_row", "CHUNK_ROWS"),
        ("CRM_PIPELINE_WAREHOUSE_URL", "WAREHOUSE_URL"),
        ("CRM_PIPELINE_DATABASE_URL", "PIPELINE_DATABASE_URL"),
        ("CRM_PIPELINE_ENCRYPTION_KEYS", "CRM_ENCRYPTION_KEYS"),
        ("CRM_PIPELINE_SMTP_URL_FILE", "SMTP_URL_FILE"),
    ],
)
@pytest.mark.parametrize("in_file", [True, False])
def test_a_misspelt_setting_is_told_with_the_one_that_was_meant(
    typed: str, meant: str, in_file: bool, monkeypatch: pytest.MonkeyPatch
):
    if in_file:
        Path(".env").write_text(f'DAGSTER_HOME="/tmp/x"\n# {meant}_X=1\nexport {typed}=30\n')
    else:
        monkeypatch.setenv(typed, "30")
    assert refusal() == (
        f"{typed.upper()} is no setting; did you mean {meant}? Mend it in the environment or in "
        ".env."
    )


@pytest.mark.parametrize(
    "name",
    [
        "WAREHOUSE_USER",
        "WAREHOUSE_PASSWORD",
        "DEV_WAREHOUSE_URL",
        "DATABASE_URL",
        "SMTP_HOST",
        "SMTP_PORT",
        "SALESFORCE_CLIENT_ID",
        "CRM_PIPELINE_TESTS_POSTGRES",
        "DAGSTER_HOME",
        "HISTSIZE",
    ],
)
def test_what_others_set_is_no_concern_of_ours(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, "x")
    Settings()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TOMBSTONE_FILE", "/", "is a folder; name a file in it"),
        ("TOMBSTONE_FILE", " ", "it is empty"),
        ("TOMBSTONE_FILE", "/dev/null", "keeps nothing; name a file"),
        ("TOMBSTONE_FILE", __file__, "is another file already; name one of its own"),
        ("CRM_PIPELINE_DATA_DIR", "", "it is empty"),
    ],
)
def test_a_path_is_no_folder_that_was_not_meant(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)
    assert refusal().startswith(f"Setting {name} is impossible: ")
    assert told in refusal()


def test_settings_themselves_are_not_misspelt():
    fields = Settings.model_fields.items()
    known = frozenset(field.alias or name.upper() for name, field in fields)
    assert [misspelt(name, known) for name in known] == [None] * len(known)


def test_what_looks_alike_comes_likeliest_first():
    assert near("bnaner-lane", ["alder-finch", "Banner-Lane", "banner-lake"])[0] == "Banner-Lane"
    assert near("4711", ["xyz"]) == []


PACKAGE = Path(crm_pipeline.__file__).parent


def modules() -> dict[str, ast.Module]:
    return {
        str(file.relative_to(PACKAGE)): ast.parse(file.read_text(encoding="utf-8"))
        for file in PACKAGE.rglob("*.py")
    }


def test_only_the_settings_ask_the_environment_but_for_secrets_and_children():
    """Credentials may come in variables of the command line's; the demo hands its own on."""
    asking = {
        name
        for name, module in modules().items()
        for each in ast.walk(module)
        if isinstance(each, ast.Attribute) and each.attr in ("environ", "getenv")
    }
    assert asking == {"settings.py", "cli/credentials_input.py", "demo/demo.py"}


def test_settings_are_read_at_import_by_the_definitions_alone():
    """Elsewhere a process would have settings before it could be told others."""
    reading = {
        name
        for name, module in modules().items()
        for each in _run_at_import(module)
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "settings"
    }
    assert reading == {"definitions.py"}


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes that run when a module is imported: all but the bodies of functions."""
    for each in ast.iter_child_nodes(node):
        yield each
        if isinstance(each, ast.FunctionDef | ast.Lambda):
            decorators = each.decorator_list if isinstance(each, ast.FunctionDef) else []
            for outside in (*decorators, each.args):
                yield outside
                yield from _run_at_import(outside)
        else:
            yield from _run_at_import(each)
