"""Describes of the org's objects, kept for a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.allowance import Allowance
from crm_pipeline.delivery.org_access import OrgAccess
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.salesforce.composite import SubAnswer, Subrequest, composite, described
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.org_objects import OrgObject, lacking


def never_left_out(settings: AccountSettings) -> dict[str, tuple[str, ...]]:
    """Fields without which a new record would be nobody's, not be known again, or be none.

    Those that Salesforce requires are among them, of what the account creates.
    """
    fields: dict[str, tuple[str, ...]] = {
        "Lead": ("Email",),
        "Event": ("WhoId", "Subject", "ActivityDateTime", "DurationInMinutes"),
        "Campaign": ("Name",),
        "CampaignMember": ("CampaignId", "Status"),
    }
    match settings.unknown_email:
        case "Lead":
            fields["Lead"] = ("Email", "LastName", "Company")
        case "Contact":
            fields["Contact"] = ("Email", "LastName")
    if settings.knows_by_phone and settings.unknown_email != "neither":
        # Of a caller it is all that is known.
        fields[settings.unknown_email] = (*fields[settings.unknown_email], "Phone")
    return fields


@dataclass(slots=True)
class Schemas:
    """The schemas of an org's objects, as the account's user sees them."""

    ledger: AccountLedger
    org: OrgAccess
    allowance: Allowance
    _known: dict[str, SObjectSchema] = field(default_factory=dict)
    _demanded: set[tuple[str, str]] = field(default_factory=set)

    def known(self) -> Mapping[str, SObjectSchema]:
        """Those that were described within a day, by sObject."""
        if not self._known:
            rows = self.ledger.connection.execute(
                statement("ledger/known_schemas"), {"account_id": self.ledger.account_id}
            )
            self._known |= {row.sobject: SObjectSchema.from_json(row.schema) for row in rows}
        return self._known

    def describe(self, sobjects: Iterable[str]) -> Mapping[str, SObjectSchema]:
        """Describes those of these objects that are not known, in one call, and commits then.

        Returns:
            All that are known by now, by sObject.

        Raises:
            AccountStopped: the org has no such object, or hides it or what is never left out of
                it.
            SalesforceProblem: as `composite`.
        """
        missing = self.unknown(sobjects)
        if missing:
            self.allowance.demand_calls()
            self.keep(missing, composite(self.org.log_in(), self.subrequests(missing)))
        return self._known

    def lacking(self, needed: Sequence[OrgObject]) -> list[str]:
        """Returns everything that the org lacks of some objects, a line each; commits.

        Their fields are demanded from then on: no record goes out without one of them.

        Those that are not known are described in one call, and an object that lacks something is
        forgotten, so that the next cycle sees what was mended.

        Raises:
            SalesforceProblem: as `describe`.
        """
        missing = self.unknown([each.name for each in needed])
        if missing:
            self.allowance.demand_calls()
            answers = composite(self.org.log_in(), self.subrequests(missing))
            there = [(n, a) for n, a in zip(missing, answers, strict=True) if _is_shown(n, a)]
            self.keep([name for name, _ in there], [answer for _, answer in there])
        self._demanded |= {(each.name, of.name.lower()) for each in needed for of in each.fields}
        found = lacking(needed, self.known())
        if found:
            with self.ledger.step():
                self.forget([each.name for each in needed if lacking([each], self.known())])
        return found

    def demanded(self, sobject: str, fields: Iterable[str]) -> list[str]:
        """Returns those of some fields of an object that a flow demands of the org."""
        return [name for name in fields if (sobject, name.lower()) in self._demanded]

    def unknown(self, sobjects: Iterable[str]) -> list[str]:
        """Those of these objects that are to be described."""
        known = self.known()
        return [sobject for sobject in sobjects if sobject not in known]

    def subrequests(self, sobjects: Iterable[str]) -> list[Subrequest]:
        """Subrequests that describe objects: in a composite with others they cost no call."""
        version = self.org.account.settings.api_version
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

    def keep(self, sobjects: Iterable[str], answers: Iterable[SubAnswer]) -> None:
        """Keeps the answers to `subrequests`, in its order, and commits.

        Raises:
            AccountStopped: the org has no such object, or hides it or what is never left out of
                it.
            AccountPaused, OrgUnavailable: as `described`.
        """
        never = never_left_out(self.org.account.settings)
        with self.ledger.step() as connection:
            for sobject, answer in zip(sobjects, answers, strict=True):
                schema = _schema(sobject, answer, never.get(sobject, ()))
                connection.execute(
                    statement("ledger/store_schema"),
                    {
                        "account_id": self.ledger.account_id,
                        "sobject": sobject,
                        "schema": schema.to_json(),
                    },
                )
                self._known[sobject] = schema

    def forget(self, sobjects: Iterable[str], *, now: bool = False) -> None:
        """A write contradicted what is known of these: the next cycle describes them again.

        Args:
            sobjects: the objects.
            now: whether this cycle does so already, when it needs them next.
        """
        forgotten = list(sobjects)
        self.ledger.connection.execute(
            statement("ledger/forget_schemas"),
            {"account_id": self.ledger.account_id, "sobjects": forgotten},
        )
        if now:
            for sobject in forgotten:
                self._known.pop(sobject, None)


def _is_shown(sobject: str, answer: SubAnswer) -> bool:
    """Whether the org shows an object; raises where it does not say so now, as `described`."""
    try:
        described(sobject, answer)
    except AccountStopped:
        return False
    return True


def _schema(sobject: str, answer: SubAnswer, never: Iterable[str]) -> SObjectSchema:
    schema = SObjectSchema.from_describe(described(sobject, answer))
    refuse_without(schema, never)
    return schema


def refuse_without(schema: SObjectSchema, fields: Iterable[str]) -> None:
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
            f"The org does not let the user write {', '.join(lacking)}, and nothing goes without",
            "give the user Read and Edit on it in a permission set",
        )
