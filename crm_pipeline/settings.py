"""Every setting of an installation, in one typed place; the README's table lists them.

Values come from environment variables of the same name (upper case), then from a file
`.env` in the working directory, then from the defaults below, which work as they are.
What belongs to one client (caps, mappings, routes) is an account's setting, not one of these.
"""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """The installation's settings, read once per process by `settings()`."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", hide_input_in_errors=True)

    data_dir: Path = Field(
        default=PROJECT / ".data",
        alias="CRM_PIPELINE_DATA_DIR",
        description="Where the embedded PostgreSQL and the demo's files live.",
    )
    warehouse_url: SecretStr | None = Field(
        default=None, description="The platform's warehouse; read only is enough."
    )
    warehouse_timezone: str = Field(
        default="UTC", description="Zone of the warehouse's timestamps that carry none."
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
        default=20, ge=5, description="How often the new-data sensor looks, in seconds."
    )
    overlap_minutes: int = Field(
        default=30,
        ge=0,
        description="How far below the watermark an extract reads again, for late commits.",
    )
    chunk_rows: int = Field(
        default=10_000, ge=1, le=100_000, description="Warehouse rows per transaction."
    )
    salesforce_read_timeout_seconds: float = Field(
        default=120, gt=0, description="Longest wait for one answer of Salesforce."
    )
    lost_answer_grace_seconds: float = Field(
        default=600,
        ge=0,
        description="How long a request whose answer was lost may still commit at Salesforce.",
    )
    retry_backoff_seconds: float = Field(
        default=300, ge=0, description="Pause before a failed record's second try; then twice that."
    )
    claim_minutes: int = Field(
        default=20,
        ge=1,
        description="After this an account asked for, but never run, is due again.",
    )
    history_days: int = Field(
        default=14,
        ge=1,
        description="Age at which Dagster's runs and the accounts' cycles are purged, in days.",
    )
    freshness_minutes: int = Field(
        default=60, ge=1, description="The promise: from the warehouse to Salesforce."
    )
    alert_webhook_url: SecretStr | None = Field(
        default=None, description="Alerts are posted here as JSON."
    )
    alert_email_to: str | None = Field(default=None, description="Alerts are mailed here.")
    smtp_url: SecretStr | None = Field(
        default=None, description="smtp://user:password@host:port, for alerts by e-mail."
    )

    @field_validator("cycle_minutes")
    @classmethod
    def _divides_the_hour(cls, value: int) -> int:
        """Cron counts minutes within the hour: another pace would be uneven at its end."""
        if 60 % value:
            raise ValueError("the minutes must divide 60, as 5, 10, 15, 20, 30 and 60 do")
        return value

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value


@cache
def settings() -> Settings:
    """The settings of this process.

    Raises:
        pydantic.ValidationError: a variable has an impossible value; it names the variable.
    """
    return Settings()
