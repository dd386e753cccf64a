"""Versions of the API that an org speaks."""

from typing import TYPE_CHECKING

import requests

from crm_pipeline.salesforce.errors import AccountStopped

if TYPE_CHECKING:
    from crm_pipeline.salesforce.transport import OrgSession


def not_spoken(session: "OrgSession", host: str, api_version: str) -> AccountStopped | None:
    """Returns why nothing of this version goes: the org does not speak it, but others.

    Asks the org, which takes no login for that and counts no API request.

    Args:
        session: of the org.
        host: where it answers.
        api_version: as `62.0`.

    Returns:
        None where the org speaks it, or does not say which ones it does.
    """
    try:
        told = session.get(f"https://{host}/services/data", headers={"Accept": "application/json"})
        known = sorted({float(each["version"]) for each in told.json()})
    except (requests.RequestException, ValueError, TypeError, KeyError):
        return None
    if not known or float(api_version) in known:
        return None
    return AccountStopped(
        f"The org does not speak version {api_version} of the API, but {known[0]} to {known[-1]}",
        f"set one of these: `crm-pipeline account set ACCOUNT api_version={known[-1]}`",
        code="UNSUPPORTED_API_VERSION",
    )
