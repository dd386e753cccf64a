"""The way to the source platform that the settings choose."""

from crm_pipeline.settings import settings
from crm_pipeline.source_platform.http import HttpPlatform

READ_TIMEOUT_SECONDS = 60.0


def chosen_platform() -> HttpPlatform | None:
    """Returns signed HTTP where `PLATFORM_URL` is set, else None: tables, from which it takes."""
    url, secret = settings().platform_url, settings().platform_secret
    if url is None or secret is None:
        return None
    return HttpPlatform(
        url.get_secret_value(), secret.get_secret_value(), read_timeout=READ_TIMEOUT_SECONDS
    )
