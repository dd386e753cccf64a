"""Asking the listener as Salesforce would: feedback, and the removal of somebody unknown."""

import requests
from sqlalchemy import Connection

from crm_pipeline.inbound.keys import keys_of, make_key, revoke_key

IDEA = "A quiz at the end"
"""The title of the ticket that is asked for."""


def new_key(pipeline: Connection, account_id: str) -> str:
    """Returns a new key to an account that takes requests; former ones hold no more."""
    for former in keys_of(pipeline, account_id):
        revoke_key(pipeline, account_id, former.key_id)
    return make_key(pipeline, account_id)


def ask(url: str, key: str) -> list[tuple[str, int]]:
    """Asks as an org's callouts do; returns what was asked, and the status of each answer."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    session.headers["User-Agent"] = "SFDC-Callout/62.0"
    idea = {"Subject": IDEA, "Description": "Three questions would do."}
    ideas = f"{url}/api/v1/externalSources/ideas"
    nobody = f"{url}/api/v1/userMacroListeners/gdpr?find=nobody%40nowhere.example"
    return [
        ("feedback", session.post(ideas, json=idea, timeout=30).status_code),
        ("the same feedback again", session.post(ideas, json=idea, timeout=30).status_code),
        ("removal of somebody unknown", session.post(nobody, timeout=30).status_code),
    ]
