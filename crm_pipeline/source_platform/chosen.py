"""The way to the source platform that the settings choose."""

from sqlalchemy import Connection

from crm_pipeline.settings import settings
from crm_pipeline.source_platform.http import HttpPlatform
from crm_pipeline.source_platform.messages import Platform
from crm_pipeline.source_platform.tables import TablesPlatform

READ_TIMEOUT_SECONDS = 60.0


def chosen_platform(connection: Connection) -> Platform:
    """Signed HTTP where `PLATFORM_URL` is set, else tables in the connection's transaction.

    Args:
        connection: the pipeline's database, in the transaction that records the outcome.
    """
    url, secret = settings().platform_url, settings().platform_secret
    if url is None or secret is None:
        return TablesPlatform(connection)
    return HttpPlatform(
        url.get_secret_value(), secret.get_secret_value(), read_timeout=READ_TIMEOUT_SECONDS
    )
