"""Every setting of an installation, in one typed place; docs/settings.md lists them.

Values come from environment variables of the same name (upper case), then from a file
`.env` in the working directory, then from the defaults below, which work as they are. A secret
may be kept elsewhere (`kept_elsewhere.py`): in a file that `NAME_FILE` names, or printed by the
command `NAME_COMMAND`.
A choice of one client (caps, mappings, routes) is an account's setting, not one of these.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from email.utils import getaddresses
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from crm_pipeline.kept_elsewhere import FORMS, fetched
from crm_pipeline.near_names import misspelt, near
from crm_pipeline.postgresql_options import refuse_impossible

if TYPE_CHECKING:
    from sqlalchemy import URL

PROJECT = Path(__file__).resolve().parents[1]
"""The checkout; of an installed package the folder that it was installed to."""

_PACKED = Path(__file__).resolve().parent / "files"

FILES = _PACKED if _PACKED.is_dir() else PROJECT
"""Where `sql/`, workspace.yaml and dagster.yaml are."""

_ENV_FILE = ".env"

_EXTRAS_OF_WAREHOUSES = ("bigquery", "duckdb", "snowflake")
_POSTGRESQL = ("postgresql", "postgres")
_SEVERAL_HOSTS = re.compile(
    r"(postgres(?:ql)?://(?:[^/?#]*@)?)([^/?#@]+,[^/?#@]+)(/[^?#]*)?([?].*)?"
)
_LOOKS = "it looks like postgresql://user:password@host:5432/database"

_SHORTEST_SECRET = 16

_TOMBSTONES_BEGIN = (b'{"hash_key":', b'{"lost":')
"""The beginning of a file of tombstones, of which a crash may have cut some off."""
_LONG_ENOUGH = 20

_ASSET_KEY = re.compile(r"[^\s,=/]+(/[^\s,=/]+)*")

_LAST_PORT = 65_535

_YEAR_IN_MINUTES = 525_600
_WEEK_IN_SECONDS = 604_800
_CENTURY_IN_DAYS = 36_500

_OURS = "CRM_PIPELINE_"
"""What begins so is nobody else's variable."""

_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Settings(BaseSettings):
    """The installation's settings, read once per process by `settings()`."""

    model_config = SettingsConfigDict(env_file=_ENV_FILE, extra="ignore", hide_input_in_errors=True)

    data_dir: Path = Field(
        default=Path(".data") if FILES is _PACKED else PROJECT / ".data",
        alias="CRM_PIPELINE_DATA_DIR",
        description="Where the embedded PostgreSQL and the demo's files live.",
    )
    warehouse_url: SecretStr | None = Field(
        default=None,
        description="The platform's warehouse, of PostgreSQL or another dialect of SQLAlchemy; "
        "read only is enough.",
    )
    warehouse_timezone: str = Field(
        default="UTC", description="Zone of the warehouse's timestamps that carry none."
    )
    extract_dir: Path | None = Field(
        default=None,
        description="A folder with extracts of one's own: each file in it stands for that of the "
        "same path below `sql/extract/`.",
    )
    warehouse_asset_keys: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description="Keys that the warehouse's tables have as assets of another project (dbt's, or "
        "of Dagster), so that the lineage runs through: `table=key` for each, or one prefix for "
        "all, comma-separated: `marts, person=marts/dim_person`.",
    )
    pipeline_database_url: SecretStr | None = Field(
        default=None, description="The pipeline's own tables (schema crm)."
    )
    dagster_database_url: SecretStr | None = Field(
        default=None, description="Dagster's storage: runs, events, schedules."
    )
    encryption_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default=[],
        alias="CRM_ENCRYPTION_KEYS",
        description="Fernet keys for credentials, comma-separated; the first encrypts.",
    )
    accounts_per_run: int = Field(
        default=50, ge=1, le=250, description="How many accounts one run takes."
    )
    accounts_at_once: int = Field(
        default=8,
        ge=1,
        le=64,
        description="How many accounts of a run wait for Salesforce at once.",
    )
    cycle_minutes: int = Field(
        default=15, ge=1, le=60, description="The schedule's pace, in minutes; a divisor of 60."
    )
    sensor_seconds: int = Field(
        default=20, ge=5, le=86_400, description="How often the new-data sensor looks, in seconds."
    )
    overlap_minutes: int = Field(
        default=30,
        ge=0,
        le=_YEAR_IN_MINUTES,
        description="How far below the watermark an extract reads again, for late commits.",
    )
    chunk_rows: int = Field(
        default=5_000, ge=1, le=100_000, description="Warehouse rows per transaction."
    )
    salesforce_read_timeout_seconds: float = Field(
        default=120, gt=0, le=3_600, description="Longest wait for one answer of Salesforce."
    )
    lost_answer_grace_seconds: float = Field(
        default=600,
        ge=0,
        le=_WEEK_IN_SECONDS,
        description="How long a request whose answer was lost may still commit at Salesforce.",
    )
    retry_backoff_seconds: float = Field(
        default=300,
        ge=0,
        le=_WEEK_IN_SECONDS,
        description="Pause before a failed record's second try; then twice that.",
    )
    claim_minutes: int = Field(
        default=20,
        ge=1,
        le=_YEAR_IN_MINUTES,
        description="After this an account asked for, but never run, is due again.",
    )
    history_days: int = Field(
        default=14,
        ge=1,
        le=_CENTURY_IN_DAYS,
        description="Age at which Dagster's runs, the accounts' cycles, plans, sendings, "
        "refusals, alerts that are over and firings of opportunities are purged, in days.",
    )
    undo_days: int = Field(
        default=30,
        ge=1,
        le=_CENTURY_IN_DAYS,
        description="How far back a cycle can be taken back, in days: so long the values that its "
        "updates replaced are kept, and sendings and refusals if HISTORY_DAYS is less.",
    )
    freshness_minutes: int = Field(
        default=60,
        ge=1,
        le=_YEAR_IN_MINUTES,
        description="The promise: from the warehouse to Salesforce.",
    )
    tombstone_file: Path | None = Field(
        default=None,
        description="Where keyed hashes of removed people's addresses are kept beside the "
        "database, for when a backup is restored; one file for all processes.",
    )
    platform_url: SecretStr | None = Field(
        default=None,
        description="Where the source platform is told what Salesforce knows, by signed HTTP; "
        "none: by tables of the schema `platform_inbox`.",
    )
    platform_secret: SecretStr | None = Field(
        default=None, description="Signs what the platform is told by HTTP; it knows it, too."
    )
    alert_webhook_url: SecretStr | None = Field(
        default=None, description="Alerts are posted here as JSON."
    )
    alert_webhook_secret: SecretStr | None = Field(
        default=None,
        description="Signs what is posted there, as docs/alerts.md says.",
    )
    alert_email_to: str | None = Field(default=None, description="Alerts are mailed here.")
    smtp_url: SecretStr | None = Field(
        default=None,
        description="smtp://user:password@host:port or smtps://…, for alerts by e-mail.",
    )
    tracing: bool = Field(
        default=False,
        description="Sends traces of cycles by OpenTelemetry; needs the extra `otel`, and "
        "OTEL_EXPORTER_OTLP_ENDPOINT says where to.",
    )
    alert_digest_hour: int | None = Field(
        default=None,
        ge=0,
        le=23,
        description="Hour of the day, UTC, from which on targets of alerts get the digest.",
    )
    alerts_file: Path | None = Field(
        default=None,
        description="YAML file of further targets (Slack, Teams, PagerDuty, …), which accounts and "
        "severities go where, and thresholds; see docs/alerts.md.",
    )
    dagster_ui_url: str | None = Field(
        default=None,
        description="Where browsers reach Dagster's UI, with its path prefix if it has one: alerts "
        "lead to the runs there.",
    )
    console_url: str | None = Field(
        default=None,
        description="Where browsers reach the console, behind TLS; needed beyond this machine.",
    )
    console_database_url: SecretStr | None = Field(
        default=None,
        description="A standby of the pipeline's database, from which the console reads.",
    )
    console_oidc_issuer: str | None = Field(
        default=None,
        description="The OpenID provider at which people log in to the console; they return to "
        "/login/end below CONSOLE_URL. With none of it and no proxy: a link that works once.",
    )
    console_oidc_client_id: str | None = Field(
        default=None, description="As which that provider knows the console."
    )
    console_oidc_client_secret: SecretStr | None = Field(
        default=None, description="By which that provider knows the console."
    )
    console_oidc_groups_claim: str = Field(
        default="groups", description="The claim in which that provider names the user's groups."
    )
    console_proxy: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Addresses or networks of a proxy that logs people in to the console instead, "
        "comma-separated.",
    )
    console_user_header: str = Field(
        default="X-Forwarded-User",
        description="The header in which that proxy names the user; it must take it from nobody.",
    )
    console_groups_header: str = Field(
        default="X-Forwarded-Groups", description="Likewise the user's groups, comma-separated."
    )
    console_viewers: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Users, and groups as group:NAME, who see the console's numbers; "
        "comma-separated.",
    )
    console_support: Annotated[list[str], NoDecode] = Field(
        default=[], description="Those who also see people, requeue and drop."
    )
    console_operators: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Those who also approve, reject, see and change settings, and see the log.",
    )

    console_log_days: int = Field(
        default=400,
        ge=1,
        le=_CENTURY_IN_DAYS,
        description="Age at which the log of who looked at whom, and who did what, in the console "
        "is purged, in days.",
    )

    def account_page(self, account_id: str) -> str | None:
        """Returns the address of an account in the console; None without CONSOLE_URL."""
        return self.console_url and f"{self.console_url}/accounts/{account_id}"

    def run_page(self, run_id: str) -> str | None:
        """Returns the address of a run in Dagster's UI; None without DAGSTER_UI_URL.

        Cycles that people start by a command or in the console are no runs of Dagster's.
        """
        if self.dagster_ui_url is None or not _RUN_ID.fullmatch(run_id):
            return None
        return f"{self.dagster_ui_url}/runs/{run_id}"

    @model_validator(mode="before")
    @classmethod
    def _secrets_are_fetched(cls, values: Any) -> Any:
        """Comes after the next one, as pydantic has it: what is misspelt is told first."""
        names = secret_settings()
        variables = _variables()
        elsewhere = [name for name in names if any(f"{name}{form}" in variables for form in FORMS)]
        with ThreadPoolExecutor(max(len(elsewhere), 1)) as pool:
            secrets = pool.map(lambda name: fetched(name, variables), elsewhere)
            return values | {names[name]: s for name, s in zip(elsewhere, secrets, strict=True)}

    @model_validator(mode="before")
    @classmethod
    def _names_are_spelt_right(cls, values: Any) -> Any:
        """A misspelt setting would be passed over, and its default hold instead."""
        names = frozenset(field.alias or name.upper() for name, field in cls.model_fields.items())
        elsewhere = {f"{name}{form}": name for name in names for form in FORMS}
        of_secrets = frozenset(each for each in elsewhere if elsewhere[each] in secret_settings())
        for typed in sorted({name.upper() for name in (*os.environ, *_names_in_env_file())}):
            if typed in names | of_secrets:
                continue
            if meant := _meant(typed, names) or _meant(typed, of_secrets):
                raise ValueError(f"{typed} is no setting; did you mean {meant}?")
            if typed in elsewhere:
                raise ValueError(f"{typed} is no setting: {elsewhere[typed]} is no secret")
        return values

    @field_validator("pipeline_database_url", "dagster_database_url", "console_database_url")
    @classmethod
    def _is_of_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        """An address as libpq takes it, too (`postgres://`), which is what providers print."""
        if value is None:
            return None
        url = _database_address(value)
        if url.get_backend_name() not in _POSTGRESQL:
            raise ValueError(
                f"only postgresql:// addresses work, not {url.get_backend_name()}://; {_LOOKS}"
            )
        if "@" in (url.host or ""):
            raise ValueError("an @ of its user or password must be written as %40")
        beside = ",".join(url.normalized_query.get("port", ()))
        ports = [*filter(None, beside.split(",")), str(url.port or 1)]
        if not all(port.isdecimal() and 0 < int(port) <= _LAST_PORT for port in ports):
            raise ValueError(f"its port is none of 1 to {_LAST_PORT}")
        url = url.set(drivername="postgresql")
        refuse_impossible({n: v for n, v in url.query.items() if n not in ("host", "port")})
        return SecretStr(url.render_as_string(hide_password=False))

    @field_validator("warehouse_url")
    @classmethod
    def _is_of_a_warehouse(cls, value: SecretStr | None) -> SecretStr | None:
        """An address of PostgreSQL, or of a dialect of SQLAlchemy whose package is installed."""
        if value is None:
            return None
        from sqlalchemy.exc import NoSuchModuleError

        url = _database_address(value)
        dialect = url.get_backend_name()
        if dialect in _POSTGRESQL:
            return cls._is_of_postgresql(value)
        has_extra = dialect in _EXTRAS_OF_WAREHOUSES
        try:
            chosen = url.get_dialect()
            if not has_extra:  # An extra brings its driver along.
                chosen.import_dbapi()
        except NoSuchModuleError:
            how = f"'crm-pipeline[{dialect}]'" if has_extra else "its package for SQLAlchemy"
            raise ValueError(f"{dialect}:// needs a package: pip install {how}") from None
        except ModuleNotFoundError as error:
            raise ValueError(
                f"{url.drivername}:// needs a package: pip install {error.name}"
            ) from None
        return value

    @field_validator("data_dir", "extract_dir", "tombstone_file", "alerts_file", mode="before")
    @classmethod
    def _is_a_path(cls, value: object) -> object:
        """Nothing would be taken for the folder that a process was started in."""
        if isinstance(value, str) and not value.strip():
            raise ValueError("it is empty")
        return value

    @field_validator("tombstone_file", "alerts_file")
    @classmethod
    def _is_a_file(cls, value: Path | None) -> Path | None:
        try:
            is_folder = value is not None and value.is_dir()
        except OSError as error:
            raise ValueError(f"{value} cannot be used: {error.strerror}") from None
        if is_folder:
            raise ValueError(f"{value} is a folder; name a file in it")
        return value

    @field_validator("tombstone_file")
    @classmethod
    def _has_tombstones(cls, value: Path | None) -> Path | None:
        if value is not None and value.exists():
            if not value.is_file():
                raise ValueError(f"{value} keeps nothing; name a file")
            with value.open("rb") as file:
                first = file.readline(_LONG_ENOUGH)
            if not any(first.startswith(each[: len(first)]) for each in _TOMBSTONES_BEGIN):
                raise ValueError(f"{value} is another file already; name one of its own")
        return value

    @field_validator("extract_dir")
    @classmethod
    def _has_extracts(cls, value: Path | None) -> Path | None:
        """A file under another name would never be read."""
        if value is None:
            return None
        if not value.is_dir():
            raise ValueError(f"{value} is no folder")
        shipped = FILES / "sql/extract"
        of_dialects = dialects_of_extracts()
        paths = (each.relative_to(shipped) for each in shipped.rglob("*.sql"))
        known = {str(each) for each in paths if each.parts[0] not in of_dialects}
        own = {str(each.relative_to(value)) for each in value.rglob("*.sql")}
        if stray := min(own - known, default=None):
            meant = "".join(f"; did you mean {each}?" for each in near(stray, known, most=1))
            raise ValueError(f"{value} has {stray}, which is no file of sql/extract/{meant}")
        return value.absolute()

    @field_validator("warehouse_asset_keys", mode="before")
    @classmethod
    def _are_asset_keys(cls, value: object) -> object:
        """Keys by table; the prefix of all others stands under the empty name."""
        if not isinstance(value, str):
            return value
        keys: dict[str, str] = {}
        for each in filter(None, map(str.strip, value.split(","))):
            table, _, key = (part.strip() for part in each.rpartition("="))
            if not _ASSET_KEY.fullmatch(key):
                raise ValueError(f"{key!r} is no key of an asset: its parts stand between slashes")
            if table in keys:
                what = f"a second key for {table}" if table else "a second prefix"
                raise ValueError(f"{key!r} is {what}: there can be one")
            keys[table] = key
        return keys

    @model_validator(mode="after")
    def _has_extracts_for_the_warehouse(self) -> Self:
        dialect = self.warehouse_dialect
        if dialect not in (_POSTGRESQL[0], *dialects_of_extracts()) and not self.extract_dir:
            raise ValueError(
                f"WAREHOUSE_URL is of {dialect}, for which sql/extract/ has no statements: write "
                "them in a folder and name it by EXTRACT_DIR (docs/connect-a-warehouse.md)"
            )
        return self

    @property
    def warehouse_dialect(self) -> str:
        """The warehouse's dialect, as SQLAlchemy names it: `postgresql`, `duckdb`."""
        if self.warehouse_url is None:
            return _POSTGRESQL[0]
        return _database_address(self.warehouse_url).get_backend_name()

    @property
    def own_database_url(self) -> SecretStr | None:
        """Where the pipeline's own tables are; None: in the embedded PostgreSQL.

        In the warehouse, where that is PostgreSQL and nothing else is said.
        """
        in_warehouse = self.warehouse_dialect == _POSTGRESQL[0]
        return self.pipeline_database_url or (self.warehouse_url if in_warehouse else None)

    @field_validator("warehouse_timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):
            likely = near(value, available_timezones())
            meant = f"did you mean {' or '.join(likely)}?" if likely else "as in Europe/Berlin"
            raise ValueError(f"there is no such time zone; {meant}") from None
        return value

    @field_validator("alert_email_to")
    @classmethod
    def _are_addresses(cls, value: str | None) -> str | None:
        if value and not all(each.strip("@").count("@") == 1 for _, each in getaddresses([value])):
            raise ValueError("it is no address, nor several with commas between them")
        return value

    @field_validator("alert_webhook_url")
    @classmethod
    def _is_of_the_web(cls, value: SecretStr | None) -> SecretStr | None:
        return _checked_address(value, ("https", "http"))

    @field_validator("platform_url")
    @classmethod
    def _is_of_the_platform(cls, value: SecretStr | None) -> SecretStr | None:
        checked = _checked_address(value, ("https", "http"))
        if checked is not None:
            parts = urlsplit(checked.get_secret_value())
            if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
                raise ValueError("it must begin with https://: what is told is about people")
        return checked

    @field_validator("platform_secret", "alert_webhook_secret")
    @classmethod
    def _is_no_word(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(f"it must have {_SHORTEST_SECRET} characters or more")
        return value

    @model_validator(mode="after")
    def _platform_knows_us(self) -> Self:
        """One without the other would tell nothing, or where nobody looks for it."""
        if self.platform_url and not self.platform_secret:
            raise ValueError("PLATFORM_URL is set, and PLATFORM_SECRET is not: nothing is signed")
        if self.platform_secret and not self.platform_url:
            raise ValueError("PLATFORM_SECRET is set, and PLATFORM_URL is not: nobody is told")
        return self

    @field_validator("smtp_url")
    @classmethod
    def _is_of_a_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        return _checked_address(value, ("smtp", "smtps"))

    @field_validator("tracing")
    @classmethod
    def _can_trace(cls, value: bool) -> bool:
        """Without the packages nothing would be sent, and nobody would know."""
        if value and not (find_spec("opentelemetry") and find_spec("opentelemetry.exporter")):
            raise ValueError("its packages are not there; pip install 'crm-pipeline[otel]'")
        return value

    @model_validator(mode="after")
    def _mail_goes_somewhere(self) -> Self:
        """One without the other would send nothing, and nobody would know."""
        if self.alert_email_to and not self.smtp_url:
            raise ValueError("ALERT_EMAIL_TO is set, and SMTP_URL is not: no alert would be mailed")
        if self.smtp_url and not (self.alert_email_to or self.alerts_file):
            raise ValueError(
                "SMTP_URL is set, and ALERT_EMAIL_TO is not, nor ALERTS_FILE: no alert would be "
                "mailed"
            )
        if self.alert_webhook_secret and not self.alert_webhook_url:
            raise ValueError("ALERT_WEBHOOK_SECRET is set, and ALERT_WEBHOOK_URL is not")
        return self

    @field_validator("cycle_minutes")
    @classmethod
    def _divides_the_hour(cls, value: int) -> int:
        """Cron counts minutes within the hour: another pace would be uneven at its end."""
        if 60 % value:
            raise ValueError("the minutes must divide 60, as 5, 10, 15, 20, 30 and 60 do")
        return value

    @field_validator("dagster_ui_url")
    @classmethod
    def _is_of_the_ui(cls, value: str | None) -> str | None:
        if value is not None and (_shown_to_people(value).query or urlsplit(value).fragment):
            raise ValueError("it ends with a host or a path, as in https://dagster.example.com")
        return value and value.rstrip("/")

    @field_validator("console_url")
    @classmethod
    def _is_of_the_console(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = _shown_to_people(value)
        if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
            raise ValueError("it must begin with https://: who has its cookie is logged in")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("it is a host alone, as in https://console.example.com")
        return value.rstrip("/")

    @field_validator("console_oidc_issuer")
    @classmethod
    def _is_a_provider(cls, value: str | None) -> str | None:
        if value is not None:
            _checked_address(SecretStr(value), ("https", "http"))
            parts = urlsplit(value)
            if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
                raise ValueError("it must begin with https://: it says who people are")
        return value

    @field_validator("console_proxy")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for each in value:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(f"{each} is no address and no network, as 10.0.0.0/8") from None
        return value

    @field_validator("console_user_header", "console_groups_header")
    @classmethod
    def _is_a_header(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9-]+", value):
            raise ValueError("it is no name of a header, as X-Forwarded-User")
        return value

    @model_validator(mode="after")
    def _console_knows_somebody(self) -> Self:
        """Nobody could do anything in it, or all would be told to somebody else's host."""
        somebody = self.console_viewers or self.console_support or self.console_operators
        oidc = (
            self.console_oidc_issuer,
            self.console_oidc_client_id,
            self.console_oidc_client_secret,
        )
        if any(oidc) and not all(oidc):
            raise ValueError(
                "CONSOLE_OIDC_ISSUER, CONSOLE_OIDC_CLIENT_ID and CONSOLE_OIDC_CLIENT_SECRET go "
                "together, and some are not set: nobody could log in"
            )
        if any(oidc) and self.console_proxy:
            raise ValueError(
                "CONSOLE_OIDC_ISSUER and CONSOLE_PROXY are both set: one logs people in"
            )
        if any(oidc) or self.console_proxy:
            way = "CONSOLE_PROXY" if self.console_proxy else "CONSOLE_OIDC_ISSUER"
            if not (self.console_url and somebody):
                raise ValueError(
                    f"{way} is set, and CONSOLE_URL or all of CONSOLE_VIEWERS, CONSOLE_SUPPORT and "
                    "CONSOLE_OPERATORS are not: nobody could log in"
                )
        elif somebody:
            raise ValueError(
                "CONSOLE_VIEWERS, CONSOLE_SUPPORT or CONSOLE_OPERATORS is set, and neither "
                "CONSOLE_OIDC_ISSUER nor CONSOLE_PROXY is: nobody would have that role"
            )
        return self

    @field_validator(
        "encryption_keys",
        "console_proxy",
        "console_viewers",
        "console_support",
        "console_operators",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value


def secret_settings() -> dict[str, str]:
    """Returns the settings that are secrets: of each variable how its field is named in here.

    Each of them may be kept elsewhere.
    """
    return {
        field.alias or name.upper(): field.alias or name
        for name, field in Settings.model_fields.items()
        if field.annotation in (SecretStr, SecretStr | None, list[SecretStr])
    }


def with_variables(text: str) -> str:
    """Returns a text with each `${NAME}` replaced by that variable, of the environment or `.env`.

    A variable may be kept elsewhere, as the secrets among the settings.

    Raises:
        ValueError: there is no such variable, or a $ begins no name.
    """
    template, variables = Template(text), _variables()
    if not template.is_valid():
        raise ValueError("a $ that begins no ${NAME} is written $$")
    values = {}
    for name in template.get_identifiers():
        secret = fetched(name, variables)
        values[name] = variables.get(name) if secret is None else secret
        if values[name] is None:
            raise ValueError(f"there is no variable {name}")
    return template.substitute(values)


def _variables() -> dict[str, str]:
    """The variables of the environment and of `.env`; those of secrets in upper case, too."""
    there = {n: value or "" for n, value in (dotenv_values(_ENV_FILE) | os.environ).items()}
    ours = {f"{name}{form}" for name in secret_settings() for form in ("", *FORMS)}
    return there | {n.upper(): value for n, value in there.items() if n.upper() in ours}


def _meant(typed: str, names: frozenset[str]) -> str | None:
    """The setting that is misspelt so, or that has nothing of this beginning but its rest."""
    rest = typed.removeprefix(_OURS)
    ours = (rest, f"PIPELINE_{rest}", f"CRM_{rest}") if typed.startswith(_OURS) else ()
    return next((each for each in ours if each in names), None) or misspelt(typed, names)


def _names_in_env_file() -> list[str]:
    file = Path(_ENV_FILE)
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", text, re.MULTILINE)


def is_this_machine(host: str) -> bool:
    """Returns whether an address or a name of a host is of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _database_address(value: SecretStr) -> "URL":
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(_with_ports_beside(value.get_secret_value().strip()))
    except (ArgumentError, ValueError):
        raise ValueError(f"it is no address; {_LOOKS}") from None


def _with_ports_beside(address: str) -> str:
    """Returns an address of several hosts as SQLAlchemy takes it; libpq's has a port after each."""
    if (found := _SEVERAL_HOSTS.fullmatch(address)) is None:
        return address
    before, listed, path, query = found.groups("")
    hosts = [
        each.partition("]:") if "]" in each else each.partition(":") for each in listed.split(",")
    ]
    names = ",".join(host.strip("[]") for host, _, _ in hosts)
    ports = ",".join(port or "5432" for _, _, port in hosts)
    return f"{before}{path}?host={names}&port={ports}{query.replace('?', '&', 1)}"


@cache
def dialects_of_extracts() -> frozenset[str]:
    """Returns the dialects beside PostgreSQL for which `sql/extract/` has a folder."""
    folders = (FILES / "sql/extract").glob("*/one_snapshot.sql")
    return frozenset(each.parent.name for each in folders)


def _checked_address(secret: SecretStr | None, schemes: tuple[str, ...]) -> SecretStr | None:
    if secret is None:
        return None
    looks = f"it looks like {schemes[0]}://host"
    try:
        parts = urlsplit(secret.get_secret_value())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"it is no address; {looks}") from None
    if parts.scheme not in schemes or not host:
        raise ValueError(f"it must begin with {' or '.join(f'{s}://' for s in schemes)}; {looks}")
    return secret


def _shown_to_people(address: str) -> SplitResult:
    """The parts of an address that is shown wherever people are led there."""
    _checked_address(SecretStr(address), ("https", "http"))
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise ValueError("it names a user, whom all would see who are shown it")
    return parts


def prepare_dagster() -> None:
    """Lets Dagster write events in batches, unless its own variable says how many at once.

    At 25 accounts that costs a fifth of one by one. Dagster has no other way to be told.
    """
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "500")


@cache
def settings() -> Settings:
    """The settings of this process.

    Raises:
        pydantic.ValidationError: a variable has an impossible value; it names the variable.
    """
    return Settings()
