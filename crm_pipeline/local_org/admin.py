"""The admin path, `/_admin/...` and `/<org>/_admin/...`: never under `/services`."""

from collections.abc import Mapping

from crm_pipeline.local_org.routing import Answer
from crm_pipeline.local_org.store import Org


def respond(
    orgs: Mapping[str, Org],
    org: Org | None,
    method: str,
    path: str,
    query: Mapping[str, str],
    body: bytes,
) -> Answer:
    """Answers a request of the admin path or of the page for people."""
    return Answer(status=404, body={"error": "not there"})
