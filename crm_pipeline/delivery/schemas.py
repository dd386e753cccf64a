"""What the org's objects look like: describes, kept for a day."""

from collections.abc import Iterable

from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.salesforce.composite import SubAnswer, Subrequest, composite
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.errors import AccountStopped


def known_schemas(session: DeliverySession) -> dict[str, SObjectSchema]:
    """The schemas that were described within a day, by sObject."""
    rows = session.ledger.execute(
        statement("ledger/known_schemas"), {"account_id": session.account_id}
    )
    return {row.sobject: SObjectSchema.from_json(row.schema) for row in rows}


def schemas(session: DeliverySession, sobjects: Iterable[str]) -> dict[str, SObjectSchema]:
    """The schemas of these objects; those not known are described, in one call.

    Raises:
        AccountStopped: the org has no such object, or hides it from the user.
    """
    known = known_schemas(session)
    missing = [sobject for sobject in sobjects if sobject not in known]
    if missing:
        answers = composite(session.org(), describes(session, missing))
        known |= store_schemas(session, missing, answers)
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
) -> dict[str, SObjectSchema]:
    """Keeps the answers to `describes`, in its order, and returns the schemas."""
    stored = {}
    for sobject, answer in zip(sobjects, answers, strict=True):
        if answer.status != 200:
            raise AccountStopped(
                f"The org shows no {sobject} to the user",
                f"give the user Read, Create and Edit on {sobject}",
            )
        schema = SObjectSchema.from_describe(answer.body)
        session.ledger.execute(
            statement("ledger/store_schema"),
            {"account_id": session.account_id, "sobject": sobject, "schema": schema.to_json()},
        )
        stored[sobject] = schema
    session.ledger.commit()
    return stored


def forget_schemas(session: DeliverySession, sobjects: Iterable[str]) -> None:
    """A write contradicted what is known of these: describe them again when next needed."""
    session.ledger.execute(
        statement("ledger/forget_schemas"),
        {"account_id": session.account_id, "sobjects": list(sobjects)},
    )
