"""Erasing a person from the pipeline's own tables: a statement for each table that has something.

`ERASED` names all columns that may tell of a person, `IMPERSONAL` all others that hold text, with
the reason; a test compares both with the schema, so that a new column has to be thought about.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.tombstones import REMOVED, Hasher

ERASED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "field_change": ("crm.field_change", ("old_value", "new_value")),
    "refusal": ("crm.refusal", ("error_message",)),
    "candidate": ("crm.candidate", ("chosen", "others")),
    "replaced_value": ("crm.replaced_value", ("salesforce_id", "former", "written")),
    "message": ("platform_inbox.message", ("about", "body")),
    "plan_row": ("crm.plan_row", ("about", "address", "salesforce_id")),
    "plan_departure": (
        "crm.plan_departure",
        ("about", "address", "reason", "salesforce_ids"),
    ),
    "member_row": ("crm.member_row", ("natural_key", "of_session")),
    "campaign_wish": (
        "crm.campaign_wish",
        ("member_id", "campaign_id", "person_id", "email", "first_name", "last_name"),
    ),
    "external_activity": ("crm.external_activity", ("natural_key",)),
    "campaign_member": ("crm.campaign_member", ("person_id", "member_id")),
    "record": (
        "crm.record",
        ("natural_key", "salesforce_id", "last", "ref_keys", "ref_ids"),
    ),
    "org_value": ("crm.org_value", ("salesforce_id", "written", "told")),
    "org_missing": ("crm.org_missing", ("salesforce_id",)),
    "org_phone": ("crm.org_phone", ("phone", "salesforce_id")),
    "org_swing": ("crm.org_swing", ("salesforce_id",)),
    "org_person": ("crm.org_person", ("address_key", "salesforce_id")),
    "email_filter": ("crm.email_filter", ("filter_string",)),
    "account_change": ("crm.account_change", ("choice",)),
    "opportunity_match": ("crm.opportunity_match", ("lead_id",)),
    "opportunity_person": (
        "crm.opportunity_person",
        ("record_id", "tracker_id", "email", "phones", "merged_into", "became_contact"),
    ),
    "tracked_lead": ("crm.tracked_lead", ("lead_id", "email", "phone", "address", "columns")),
    "prospect": ("crm.prospect", ("email", "columns", "tags", "scores")),
    "engagement_person": ("crm.engagement_person", ("email", "columns")),
    "engagement_address": ("crm.engagement_address", ("email",)),
    "request": ("crm.request", ("address", "body")),
    "platform_user": ("crm.platform_user", ("user_id", "columns")),
    "operation_text": ("crm.operation", ()),
    "operation": (
        "crm.operation",
        ("intent", "sent", "memory", "salesforce_id", "natural_key", "error_message"),
    ),
    "identity": ("crm.identity", ("salesforce_id", "sent", "doubted", "address")),
    "field_conflict": ("crm.field_conflict", ("salesforce_id", "there", "wanted")),
    "person_pointer": ("crm.person_pointer", ("value",)),
    "person_alias": ("crm.person_alias", ("address", "source_person")),
    "person": ("crm.person", ("address",)),
}
"""Statements of `sql/erasure/` in their order: the table, and what of it may tell of a person."""

TEXTS_DAYS = 7
"""How long, after it was read, what others said is looked through by a removal."""

_NAMES = "a name, a code or a state that the program gives"
_SETTING = "a choice of the account"
_WORDS = "words of ours: counts and causes, no values"
_ORG = "an id of the org's own records, not of a person"

IMPERSONAL: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "crm.account.client_id",
            "crm.account_change.changed_by",
            "crm.console_log.action",
            "crm.console_log.detail",
            "crm.console_log.role",
            "crm.console_log.who",
            "crm.account_change.was",
            "crm.account_change.became",
            "crm.account.login_url",
            "crm.account.name",
            "crm.account.settings",
            "crm.alert_digest.target",
            "crm.alert_pause.paused_by",
            "crm.alert_pause.why",
            "crm.alert_target.target",
            "crm.alert_told.target",
            "crm.field_mapping.constant",
            "crm.opportunity_reading.chosen",
            "crm.field_mapping.field",
            "crm.field_mapping.sobject",
            "crm.field_mapping.rules",
            "crm.field_mapping.source",
            "crm.field_mapping.template",
            "crm.answer_key.question",
            "crm.campaign_asked.campaign_id",
            "crm.campaign_asked.wanted",
            "crm.campaign_census.campaign_id",
            "crm.campaign_census.campaign_key",
            "crm.attribution_said.fingerprint",
            "crm.campaign_mapping.fingerprint",
            "crm.external_activity.stage",
            "crm.external_activity.state",
        ),
        _SETTING,
    ),
    **dict.fromkeys(
        (
            "crm.alert.cause",
            "crm.alert.detail",
            "crm.alert.message",
            "crm.brake.pile",
            "crm.alert_target.problem",
            "crm.credential.refused_reason",
            "crm.cycle.counts",
            "crm.cycle.notes",
            "crm.cycle.reason",
            "crm.cycle.run_id",
            "crm.cycle.state",
            "crm.hold.decision",
            "crm.hold.exceeded",
            "crm.identity.reason",
            "crm.incident.code",
            "crm.incident.message",
            "crm.incident.subject",
            "crm.operation.error_code",
            "crm.operation.reason",
            "crm.operation.reason_code",
            "crm.refusal.error_code",
            "crm.sending.route",
            "crm.plan_departure.became",
            "crm.plan_departure.explanation",
            "crm.plan_departure.foreseen",
            "crm.plan_row.outcome",
            "crm.request.problem",
            "crm.request.receipt",
            "crm.source_count.explained",
            "crm.sync_state.notes",
            "crm.sync_state.reason",
            "crm.sync_state.run_id",
            "crm.sync_state.state",
            "crm.tick.name",
        ),
        _WORDS,
    ),
    **dict.fromkeys(
        (
            "crm.erased.verb",
            "crm.opportunity.fired",
            "crm.opportunity_firing.trigger",
            "crm.opportunity_match.rule",
            "crm.opportunity_question.question",
            "crm.opportunity_role.role",
            "crm.org_phones_kept.region",
            "crm.org_stage.label",
            "crm.org_swing.field",
            "crm.org_swing.sobject",
            "crm.tracked_lead.rejected_because",
            "crm.emptied_field.field",
            "crm.field_change.field",
            "crm.field_conflict.decided",
            "crm.field_conflict.field",
            "crm.field_conflict.sobject",
            "crm.field_change.why",
            "crm.identity.left_behind",
            "crm.identity.sobject",
            "crm.listener_key.key_id",
            "crm.listener_minute.key_id",
            "crm.operation.action",
            "crm.operation.flow",
            "crm.operation.kind",
            "crm.operation.sobject",
            "crm.operation.state",
            "crm.org_missing.sobject",
            "crm.org_person.sobject",
            "crm.org_position.sobject",
            "crm.org_sweep.sobject",
            "crm.person_pointer.kind",
            "crm.record.ref_fields",
            "crm.record.sobject",
            "crm.record.topic",
            "crm.request.door",
            "crm.request.kind",
            "crm.request.name",
            "crm.request.state",
            "crm.erasure_scan.places",
            "crm.sending.action",
            "crm.sending.sobject",
            "crm.sobject_schema.schema",
            "crm.sobject_schema.sobject",
            "crm.replay_row.flow",
            "crm.replay_row.kinds",
            "crm.replay_row.source",
            "crm.source_count.source",
            "crm.source_position.flow",
            "crm.source_position.source",
            "platform_inbox.message.topic",
            "platform_inbox.message.client_id",
        ),
        _NAMES,
    ),
    **dict.fromkeys(
        (
            "crm.account_org.client_id",
            "crm.account_org.login_url",
            "crm.account_org.organization_id",
            "crm.account_org.other_organization_id",
            "crm.bulk_job.job_id",
            "crm.opportunity.close_date",
            "crm.opportunity.currency",
            "crm.opportunity.history",
            "crm.opportunity.name",
            "crm.opportunity.opportunity_id",
            "crm.opportunity.record",
            "crm.opportunity.stage",
            "crm.opportunity.waits_because",
            "crm.opportunity_firing.opportunity_id",
            "crm.opportunity_match.because",
            "crm.opportunity_match.opportunity_id",
            "crm.opportunity_person.became_opportunity",
            "crm.opportunity_role.contact_id",
            "crm.opportunity_role.opportunity_id",
            "crm.opportunity_role.role_id",
            "crm.opportunity_question.record_id",
            "crm.org_stage.stage_id",
            "crm.campaign_link.campaign_id",
            "crm.campaign_link.campaign_key",
            "crm.campaign_member.campaign_id",
            "crm.campaign_member.campaign_key",
            "crm.campaign_wish.campaign_key",
            "crm.client_in_org.client_id",
            "crm.client_in_org.organization_id",
            "crm.event_campaign.campaign_id",
            "crm.event_campaign.campaign_key",
            "crm.event_campaign.parent_id",
            "crm.event_campaign.missing_statuses",
            "crm.org_person.organization_id",
            "crm.org_position.cursor_id",
            "crm.org_sweep.after_id",
            "crm.org_swing.organization_id",
            "crm.org_value.organization_id",
            "crm.engagement_aggregate.org_account",
            "crm.engagement_aggregate.salesforce_id",
            "crm.engagement_person.counted_at",
            "crm.engagement_person.org_account",
        ),
        _ORG,
    ),
    **dict.fromkeys(
        (
            "crm.plan_departure.sobject",
            "crm.replaced_value.sobject",
            "crm.plan_row.sobject",
            "crm.plan_row.unknown",
            "crm.engagement_definition.columns",
            "crm.engagement_definition.definition_id",
            "crm.engagement_definition.kind",
            "crm.engagement_aggregate.sobject",
            "crm.engagement_census.sobject",
            "crm.engagement_person.sobject",
        ),
        _NAMES,
    ),
    **dict.fromkeys(
        (
            "crm.unknown_activity.happened_at",
            "crm.unknown_activity.salesforce_id",
            "crm.unknown_activity.subject",
        ),
        "an activity in the org, of what and when, not whose",
    ),
    "crm.plan.applied_by": "a user of the pipeline, who had it applied",
    "crm.hold.decided_by": "a user of the pipeline, who has decided",
    "crm.hold.why": "what such a user says of a whole cycle",
    "crm.prospect.prospect_id": "a number of the source's, by which it is known that it is gone",
    "crm.engagement_census.not_seen": "keys of records, made of ids of the source's and the org's",
    "crm.engagement_census.not_ours": "Ids of records of the workflow's objects, not of people",
    "crm.engagement_request.prospect_id": "the same, until the next cycle",
    "crm.prospect.deleted_record": "the Id of a record that was deleted",
    "crm.engagement_person.salesforce_id": "kept so that what a prospect left there is taken off",
    "crm.engagement_person.unread_successor": "the Id of a record, until that is read",
    "crm.member_row.source_row": "the number of a row of the warehouse",
}
"""Columns with text that tell of nobody, each with the reason; account_id needs none."""


@dataclass(frozen=True, slots=True)
class Traces:
    """All by which a person is found in the tables of an account.

    Attributes:
        account_id: the account.
        addresses: the person's, as `email_key` writes them.
        digests: their keyed hashes.
        person_keys: the person's numbers, those of absorbed ones among them.
        operation_ids: operations about the person.
        latest_ids: of these the latest version of each.
        naming_ids: operations of others that name the person in a text.
        natural_keys: of the operations about the person.
        in_flight: how many of these were sent without an answer.
        sent_at: when the last of these was sent, UTC.
        records: object and Id of what the org has of the person.
        shared: the Ids of those that stand for other people as well.
        user_ids: the platform's ids of the person.
        lead_ids: the tracker's leads of the person.
    """

    account_id: str
    addresses: tuple[str, ...]
    digests: tuple[bytes, ...]
    person_keys: tuple[int, ...] = ()
    operation_ids: tuple[int, ...] = ()
    latest_ids: tuple[int, ...] = ()
    naming_ids: tuple[int, ...] = ()
    natural_keys: tuple[str, ...] = ()
    in_flight: int = 0
    sent_at: datetime | None = None
    records: tuple[tuple[str, str], ...] = ()
    shared: frozenset[str] = frozenset()
    user_ids: tuple[str, ...] = ()
    lead_ids: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """Returns the parameters of the statements."""
        return {
            "account_id": self.account_id,
            "addresses": list(self.addresses),
            "digests": list(self.digests),
            "person_keys": list(self.person_keys),
            "operation_ids": list(self.operation_ids),
            "latest_ids": list(self.latest_ids),
            "naming_ids": list(self.naming_ids),
            "natural_keys": list(self.natural_keys),
            "record_ids": [record_id for _, record_id in self.records],
            "shared_ids": list(self.shared),
            "user_ids": list(self.user_ids),
            "lead_ids": list(self.lead_ids),
            "pattern": pattern_of(self.addresses),
            "reason": REMOVED,
            "texts_days": TEXTS_DAYS,
        }


def pattern_of(addresses: Iterable[str]) -> str:
    """Returns a regular expression of PostgreSQL's that matches each of some addresses."""
    return "|".join(re.sub(r"([^a-z0-9@])", r"\\\1", each) for each in addresses)


def traces_of(connection: Connection, hasher: Hasher, address: str) -> Traces:
    """Finds all by which a person is known to an account.

    Args:
        connection: the caller's.
        hasher: the account's.
        address: as `email_key` writes it.
    """
    addresses = {address, hasher.without_plus_part(address)}
    people = connection.execute(
        statement("erasure/people"),
        {
            "account_id": hasher.account_id,
            "addresses": list(addresses),
            "ignore_plus_parts": hasher.ignore_plus_parts,
        },
    ).all()
    addresses.update(row.address for row in people if row.address)
    found = Traces(
        hasher.account_id,
        tuple(sorted(addresses)),
        tuple({digest for each in addresses for digest in hasher.digests(each)}),
        tuple({row.person_key: None for row in people}),
    )
    operations = connection.execute(statement("erasure/operations"), found.parameters()).all()
    about = [row for row in operations if row.is_about]
    found = replace(
        found,
        operation_ids=tuple(row.operation_id for row in about),
        latest_ids=tuple(row.operation_id for row in about if row.is_latest),
        naming_ids=tuple(row.operation_id for row in operations if not row.is_about),
        natural_keys=tuple({row.natural_key for row in about}),
        in_flight=sum(row.is_unsure for row in about),
        sent_at=max((row.sent_at for row in about if row.is_unsure), default=None),
    )
    users = connection.scalars(statement("erasure/user_ids"), found.parameters()).all()
    leads = connection.scalars(statement("erasure/tracked_ids"), found.parameters()).all()
    return with_records(connection, replace(found, user_ids=tuple(users), lead_ids=tuple(leads)))


def with_records(connection: Connection, traces: Traces) -> Traces:
    """Adds the records that the org has of a person now to those that are known."""
    rows = connection.execute(statement("erasure/record_ids"), traces.parameters()).all()
    records = dict.fromkeys((*traces.records, *((row.sobject, row.salesforce_id) for row in rows)))
    shared = shared_records(connection, traces, [record_id for _, record_id in records])
    return replace(traces, records=tuple(records), shared=shared)


def shared_records(
    connection: Connection, traces: Traces, record_ids: Collection[str]
) -> frozenset[str]:
    """Returns those of some records that stand for other people as well.

    These may be people of another account that works in the org, but nobody with an address of the
    person's.
    """
    parameters = {**traces.parameters(), "record_ids": list(record_ids)}
    return frozenset(connection.scalars(statement("erasure/shared_records"), parameters))


def which_stood_for(
    connection: Connection, traces: Traces, record_ids: Collection[str]
) -> frozenset[str]:
    """Returns those of some records that were ever written for the person."""
    parameters = {**traces.parameters(), "record_ids": list(record_ids)}
    return frozenset(connection.scalars(statement("erasure/stood_for"), parameters))


def erase(connection: Connection, traces: Traces, *, seq: int) -> dict[str, int]:
    """Erases a person from every table that may tell of them, within the caller's transaction.

    Args:
        connection: the caller's, with the account's lock.
        traces: the person's.
        seq: the number of the request that this is; its own data goes when it is done.

    Returns:
        Rows erased, by table; those without any are left out.
    """
    parameters = {**traces.parameters(), "seq": seq}
    rows: dict[str, int] = {}
    for name, (table, _) in ERASED.items():
        result = connection.execute(statement(f"erasure/{name}"), parameters)
        number = result.scalar_one() if result.returns_rows else result.rowcount
        if number:
            rows[table] = rows.get(table, 0) + number
    return rows
