"""What the org's objects look like: describes, kept for a day."""

from collections.abc import Iterable

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.salesforce.composite import SubAnswer, Subrequest, composite
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.errors import AccountStopped


def never_left_out(settings: AccountSettings) -> dict[str, tuple[str, ...]]:
    """Fields without which a new record would be nobody's, not be known again, or be none.

    Those that Salesforce requires are among them, of what the account creates.
    """
    fields: dict[str, tuple[str, ...]] = {
        "Lead": ("Email",),
        "Event": ("WhoId", "Subject", "ActivityDateTime", "DurationInMinutes"),
        "CampaignMember": ("CampaignId", "Status"),
    }
    match settings.unknown_email:
        case "Lead":
            fields["Lead"] = ("Email", "LastName", "Company")
        case "Contact":
            fields["Contact"] = ("Email", "LastName")
    if settings.campaigns is not None and settings.campaigns.create_campaigns:
        fields["Campaign"] = ("Name",)
    return fields


def known_schemas(session: DeliverySession) -> dict[str, SObjectSchema]:
    """The schemas that were described within a day, by sObject."""
    if not session.schemas:
        rows = session.ledger.execute(
            statement("ledger/known_schemas"), {"account_id": session.account_id}
        )
        session.schemas |= {row.sobject: SObjectSchema.from_json(row.schema) for row in rows}
    return session.schemas


def schemas(session: DeliverySession, sobjects: Iterable[str]) -> dict[str, SObjectSchema]:
    """The schemas of these objects; those not known are described, in one call.

    Raises:
        AccountStopped: the org has no such object, or hides it or what is never left out of it.
    """
    known = known_schemas(session)
    missing = [sobject for sobject in sobjects if sobject not in known]
    if missing:
        session.calls_left()
        store_schemas(session, missing, composite(session.org(), describes(session, missing)))
    return known


def describes(session: DeliverySession, sobjects: Iterable[str]) -> list[Subrequest]:
    """Subrequests that describe objects: in a composite with others they cost no call."""
    version = session.account.settings.api_version
    return [
        Subrequest(
            reference_id=f"describe{sobject}",
            method="GET",
            path=f"/services/data/v{version}/sobjects/{sobject}/describe",
            body=None,
            kind="describe",
        )
        for sobject in sobjects
    ]


def store_schemas(
    session: DeliverySession, sobjects: Iterable[str], answers: Iterable[SubAnswer]
) -> None:
    """Keeps the answers to `describes`, in its order.

    Raises:
        AccountStopped: the org has no such object, or hides it or what is never left out of it.
    """
    never = never_left_out(session.account.settings)
    for sobject, answer in zip(sobjects, answers, strict=True):
        if answer.status != 200:
            raise AccountStopped(
                f"The org shows no {sobject} to the user",
                f"give the user Read, Create and Edit on {sobject}",
            )
        schema = SObjectSchema.from_describe(answer.body)
        _refuse_without(schema, never.get(sobject, ()))
        session.ledger.execute(
            statement("ledger/store_schema"),
            {"account_id": session.account_id, "sobject": sobject, "schema": schema.to_json()},
        )
        session.schemas[sobject] = schema
    session.ledger.commit()


def _refuse_without(schema: SObjectSchema, fields: Iterable[str]) -> None:
    """Refuses an object whose records the user may create, but not with all of these fields.

    It is not kept then, so that the next cycle sees what was mended.
    """
    if not any(field.createable for field in schema.fields.values()):
        return  # Nothing of it may be created: the org says so of each record.
    lacking = [
        f"{schema.name}.{name}"
        for name in fields
        if (field := schema.field(name)) is None or not field.createable
    ]
    if lacking:
        raise AccountStopped(
            f"The org lets the user not write {', '.join(lacking)}, and nothing goes without",
            "give the user Read and Edit on it in a permission set",
        )


def forget_schemas(session: DeliverySession, sobjects: Iterable[str], *, now: bool = False) -> None:
    """A write contradicted what is known of these: the next cycle describes them again.

    Args:
        session: the account's delivery.
        sobjects: the objects.
        now: whether this cycle does so already, when it needs them next.
    """
    forgotten = list(sobjects)
    session.ledger.execute(
        statement("ledger/forget_schemas"),
        {"account_id": session.account_id, "sobjects": forgotten},
    )
    if now:
        for sobject in forgotten:
            session.schemas.pop(sobject, None)
