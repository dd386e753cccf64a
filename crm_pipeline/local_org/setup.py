"""Builds an org from its configuration: schema, users, rules and first records."""

from hashlib import sha256

from crm_pipeline.local_org.behaviours import add_member_fields
from crm_pipeline.local_org.config import OrgConfig, OrgConfigError
from crm_pipeline.local_org.declared_types import declared_types
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.founding import found
from crm_pipeline.local_org.ids import IdCounter, base62, long_id
from crm_pipeline.local_org.journal import Journal
from crm_pipeline.local_org.meter import Meter
from crm_pipeline.local_org.person_accounts import show_person_fields
from crm_pipeline.local_org.rules import RULES, rules_of
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.subscribers import subscribe
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.weather import Weather


def build_org(blueprint: OrgConfig) -> Org:
    """Returns the org as its file describes it. Raises `OrgConfigError`."""
    try:
        return _built(blueprint)
    except OrgConfigError as error:
        raise OrgConfigError(f"org {blueprint.name}: {error}") from None


def _built(blueprint: OrgConfig) -> Org:
    config = blueprint.model_copy(deep=True)
    types = declared_types(config)
    journal = Journal(config.folder / config.file) if config.file is not None else None
    org_id = journal.org_id if journal else None
    org_id = org_id or (long_id(config.id) if config.id else org_id_of(config.name))
    if org_id is None:
        raise OrgConfigError("id: is not an id of an org")
    # Objects that share a prefix (Salesforce's statuses and stages do) share their numbers.
    counters = {
        prefix: IdCounter(prefix, org_id[3:7])
        for prefix in {each.key_prefix for each in types.values()}
    }
    tables = {name: Table(each, counters[each.key_prefix]) for name, each in types.items()}
    add_member_fields(tables)
    if config.person_accounts:
        show_person_fields(tables)
    weather = Weather(
        latency_seconds=config.latency_ms / 1000,
        lock_parents=config.lock_parents,
        emptied_lookups_lock=config.emptied_lookups_lock,
    )
    for fault in config.faults:
        weather.add(fault)
    org = Org(
        name=config.name,
        id=org_id,
        tables=tables,
        blueprint=blueprint,
        config=config,
        meter=Meter(config.limits),
        weather=weather,
    )
    try:
        org.hide_fields(config.hidden_fields)
    except LookupError as error:
        raise OrgConfigError(f"hidden_fields: {error.args[0]}") from None
    found(org)
    RULES[org].update(rules_of(org))
    subscribe(org)
    org.journal = journal
    if org.journal is None or not org.journal.load(org.tables):
        _seed(org)
    return org


def _seed(org: Org) -> None:
    try:
        seed(org, org.config.records)
    except SalesforceError as error:
        raise OrgConfigError(f"records: {error}") from None
    if org.journal is not None:
        org.journal.rewrite(org.tables)


def org_id_of(name: str) -> str | None:
    """The id of an org, made of a name."""
    digest = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
    chosen = base62(digest, 8)[-8:]
    return long_id(f"00D{chosen[:4]}0000{chosen[4:]}")
