"""`crm-pipeline account credentials`, `test-login` and the keys: how to get into an org."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from crm_pipeline.cli.arguments import AccountId
from crm_pipeline.cli.attribution import attribution_fields, numbers_to_read
from crm_pipeline.cli.credentials_input import CredentialsFile, LoginMethod, Method
from crm_pipeline.cli.credentials_input import credentials as asked_credentials
from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.engagement import storage_said
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.opportunities import (
    OPPORTUNITY_OBJECTS,
    opportunities_to_read,
    opportunity_fields,
    refuse_filter,
    say_currency_to_name,
)
from crm_pipeline.cli.questions import say_once
from crm_pipeline.cli.show import console, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account, AccountSettings
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.salesforce.connection import Org
    from crm_pipeline.salesforce.data_storage import DataStorage
    from crm_pipeline.salesforce.describe import SObjectSchema
    from crm_pipeline.salesforce.errors import AccountStopped
    from crm_pipeline.salesforce.org_objects import OrgObject

_CREATE, _EDIT, _READ = (("createable", "Create"), ("updateable", "Edit"), ("queryable", "Read"))
_Rights = Mapping[str, Sequence[tuple[str, str]]]
"""By sObject, the flags of its describe that must be set, each with what people call the right."""


_SHOWN_WITH = {
    "OpportunityContactRole": "Read on Opportunity",
    "OpportunityHistory": "Read on Opportunity",
    "OpportunityStage": "Read on Opportunity, else with View Setup and Configuration",
}
"""Objects that have no rights of their own, each with what shows them."""


def credentials(
    account_id: AccountId,
    method: LoginMethod = Method.client_credentials,
    credentials_file: CredentialsFile = None,
) -> None:
    """Set an account's credentials, in place of earlier ones."""
    from crm_pipeline.accounts.credentials import set_credentials
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        get_account(connection, account_id)
    given = asked_credentials(credentials_file, method)
    with transaction() as connection:
        set_credentials(connection, account_id, given)
    say(f"Stored the credentials of account {account_id}, encrypted.")


def try_login(
    account_id: AccountId,
    again: Annotated[
        bool, typer.Option("--again", help="Try credentials that Salesforce refused before.")
    ] = False,
) -> None:
    """Log in to an account's org and out again, and check rights and mapped fields there.

    Costs two API calls, and one for each object that is written; with attribution or engagement
    one more for each.
    """
    from crm_pipeline.accounts.store import field_mappings
    from crm_pipeline.delivery.schemas import never_left_out
    from crm_pipeline.salesforce.errors import AccountStopped
    from crm_pipeline.salesforce.org_objects import lacking, packages_of

    account, org, elsewhere = log_in_to(account_id, again=again)
    with transaction() as connection:
        filled = filled_fields(account, field_mappings(connection, account_id))
    declared = _declared(account)
    try:
        objects = org.request("describe", "GET", "sobjects").body["sobjects"]
        written = {*needed_rights(account.settings), *(field.sobject for field in filled)}
        written.update(each.name for needed, _ in declared for each in needed)
        described = _described(
            org, written & {each["name"] for each in objects}, never_left_out(account.settings)
        )
        numbers = (
            numbers_to_read(org, account.settings)
            + opportunities_to_read(org, account.settings)
            + storage_said(org, account.settings)
        )
        own = own_domains(org)
    except AccountStopped as stopped:
        refuse(account_id, stopped)
    finally:
        org.log_out()
    if elsewhere is None:
        with transaction() as connection:
            _keep(connection, account_id, described)
    if any(each.field("IsPersonAccount") for each in described):
        say(
            f"Account {account_id}: the org has person accounts; a person there is matched as the "
            "Contact that Salesforce keeps of it."
        )
    spent = f"; API requests of its day: {org.usage.used} of {org.usage.limit}" if org.usage else ""
    say(f"Account {account_id}: logged in to org {org.organization_id}{spent}.{numbers}")
    _propose_filters(account_id, own)
    say_currency_to_name(account.settings, described)
    refuse_filter(account, described)
    if elsewhere is not None:
        mistake(f"Account {account_id}: {elsewhere}.")
    if missing := missing_rights(objects, needed_rights(account.settings)):
        mistake(
            f"Account {account_id}: the user lacks {'; '.join(missing)}. Give it a permission set "
            "with these rights."
        )
    for needed, (flow, command) in declared:
        if missing := lacking(needed, {each.name: each for each in described}):
            brought = [each for each in packages_of(needed) if each in "; ".join(missing)]
            but_for = (
                f", but for that of {', '.join(brought)}: a package brings it, which is to be in "
                "the org, or the account's settings name it wrongly"
            )
            mistake(
                f"Account {account_id}: the org lacks for {flow}: {'; '.join(missing)}. "
                f"`crm-pipeline {command} metadata {account_id}` writes what an admin deploys"
                f"{but_for if brought else ''}."
            )
    if lacking_fields := _required_campaign_fields(account, filled, described):
        mistake(
            f"Account {account_id}: the org wants of each new Campaign: "
            f"{', '.join(lacking_fields)}. Fill them, as with `crm-pipeline account mapping set "
            f"{account_id} Campaign.{lacking_fields[0]} --constant …`, or make campaigns there and "
            "name them with `crm-pipeline campaign link`."
        )
    if unfit := _misfits(filled, described):
        mistake(
            f"Account {account_id}: {'; '.join(unfit)}. Give the user the right to the fields in "
            "a permission set, or mend `crm-pipeline account mapping` and "
            f"`crm-pipeline account set {account_id}`."
        )


def own_domains(org: "Org") -> list[str]:
    """Returns the domains at which the org's users have their addresses, the most frequent first.

    Reads 200 users, in one call; domains at which anybody may have an address are none.
    """
    from collections import Counter

    from crm_pipeline.delivery.contact_accounts import domain
    from crm_pipeline.salesforce.composite import query_all
    from crm_pipeline.salesforce.emails import email_key
    from crm_pipeline.salesforce.soql import select

    [users] = query_all(org, [f"{select(('Email',), 'User', 'IsActive = TRUE')} LIMIT 200"]).records
    keys = (email_key(each.get("Email")) for each in users)
    found = Counter(name for key in keys if key and (name := domain(key)))
    return [name for name, _ in found.most_common(3)]


def _propose_filters(account_id: str, own: Sequence[str]) -> None:
    """Says how the client's own staff are kept out of its leads, where nothing does so yet."""
    from crm_pipeline.accounts.filters import matches
    from crm_pipeline.accounts.store import filter_strings

    with transaction() as connection:
        filters = filter_strings(connection, account_id)
    for name in own:
        if matches(f"somebody@{name}", filters) is None:
            say(
                f"The org's users have addresses at {name}: `crm-pipeline account filter add "
                f"{account_id} @{name}` keeps the client's own staff out."
            )


def _declared(account: "Account") -> "list[tuple[Sequence[OrgObject], tuple[str, str]]]":
    """The objects that flows need, with whose they are and the command that writes them."""
    engagement, inbound = account.settings.engagement, account.settings.inbound
    found: list[tuple[Sequence[OrgObject], tuple[str, str]]] = []
    if engagement is not None:
        found.append((engagement.org_objects, ("the engagement workflow", "engagement")))
    if inbound is not None and inbound.feedback_in_org is not None:
        needed = [inbound.feedback_in_org.org_object]
        found.append((needed, ("feedback tickets", "listener")))
    return found


def storage_of_org(account_id: str) -> "DataStorage | None":
    """Returns the data storage of an account's org, for two calls.

    None where the org does not let us in, which people are told.
    """
    from crm_pipeline.accounts.account import AccountError
    from crm_pipeline.salesforce.data_storage import data_storage
    from crm_pipeline.salesforce.errors import SalesforceProblem, named

    try:
        _, org, _ = log_in_to(account_id)
        try:
            return data_storage(org)
        finally:
            org.log_out()
    except (AccountError, SalesforceProblem, typer.TyperException) as away:
        say_once(
            f"It cannot be checked whether the org has room for it: {named(str(away), account_id)}"
        )
        return None


def log_in_to(
    account_id: str, *, again: bool = False
) -> "tuple[Account, Org, AccountStopped | None]":
    """Logs in to an account's org, and compares it with the one that its ledger is about.

    Ends the command where that cannot be. The caller logs out.

    Args:
        account_id: the account.
        again: whether credentials that Salesforce refused before are tried.

    Returns:
        The account, its org, and why nothing may be sent there (None: it may).
    """
    from crm_pipeline.accounts.credentials import (
        clear_refused,
        mark_refused,
        read_credentials,
        refused,
    )
    from crm_pipeline.accounts.orgs import settle_org
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.salesforce.errors import AccountStopped, CredentialsRefused, OrgUnavailable
    from crm_pipeline.salesforce.login import log_in
    from crm_pipeline.settings import settings

    database = pipeline()
    with database.begin() as connection:
        account = get_account(connection, account_id)
        given = read_credentials(connection, account_id)
        refusal = refused(connection, account_id)
    if refusal and not again:
        mistake(
            f"Account {account_id}: Salesforce refused these credentials before ({refusal}), and "
            "trying again may lock the user out. Set others with `crm-pipeline account "
            f"credentials {account_id}`; if you mended it in Salesforce, add --again."
        )
    with console(stderr=True).status(f"Logging in to {account.login_url}"):
        try:
            org = log_in(
                account.login_url,
                given,
                api_version=account.settings.api_version,
                read_timeout=settings().salesforce_read_timeout_seconds,
            )
        except AccountStopped as stopped:
            if isinstance(stopped, CredentialsRefused):
                with database.begin() as connection:
                    mark_refused(connection, account_id, str(stopped))
            refuse(account_id, stopped)
        except OrgUnavailable as away:
            mistake(
                f"Account {account_id}: {away}; check that {account.login_url} is the org's "
                "address, and try again when the org is up."
            )
    with database.begin() as connection:
        clear_refused(connection, account_id)
        elsewhere = settle_org(connection, account, org.organization_id)
    return account, org, elsewhere


def refuse(account_id: str, stopped: "AccountStopped") -> NoReturn:
    """Ends the command with why an org does not go on with an account."""
    from crm_pipeline.salesforce.errors import named

    mistake(f"Account {account_id}: {named(str(stopped), account_id)}.")


def filled_fields(account: "Account", mappings: "Sequence[FieldMapping]") -> "list[FieldMapping]":
    """The fields that the account fills, with what, and those that are only looked at."""
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.sources.mapping import field_maps

    chosen = account.settings
    filled = [
        FieldMapping(
            sobject,
            field,
            fields.templates.get(field, fields.sources.get(field)),
            fields.constants.get(field),
        )
        for sobject, fields in field_maps(chosen, mappings).items()
        for field in (*fields.sources, *fields.constants)
    ]
    external_ids: list[tuple[str, str | None]] = [("Event", chosen.activity_external_id_field)]
    if chosen.campaigns is not None:
        external_ids.append(("Campaign", chosen.campaigns.external_id_field))
    for sobject, names in chosen.match_fields.items():
        external_ids += [(sobject, name) for name in names]
    return [
        *filled,
        *attribution_fields(chosen),
        *opportunity_fields(chosen),
        *(
            mapping
            for mapping in mappings
            if mapping.sobject in ("Campaign", "CampaignMember") and mapping.is_filled
        ),
        *(FieldMapping(sobject, field) for sobject, field in external_ids if field is not None),
    ]


def _described(
    org: "Org", sobjects: Iterable[str], never: Mapping[str, Sequence[str]]
) -> "list[SObjectSchema]":
    """Describes these objects as the user sees them; costs a call each.

    Raises:
        AccountStopped: the user may not write one of the fields `never` to be left out.
    """
    from crm_pipeline.delivery.schemas import refuse_without
    from crm_pipeline.salesforce.describe import SObjectSchema

    described = []
    for sobject in sorted(sobjects):
        answer = org.request("describe", "GET", f"sobjects/{sobject}/describe")
        described.append(SObjectSchema.from_describe(answer.body))
        refuse_without(described[-1], never.get(sobject, ()))
    return described


def _keep(connection: "Connection", account_id: str, described: "Iterable[SObjectSchema]") -> None:
    """Has the next cycle, and who looks at the mapping, know what was seen now."""
    from crm_pipeline.database.statements import statement

    for schema in described:
        connection.execute(
            statement("ledger/store_schema"),
            {"account_id": account_id, "sobject": schema.name, "schema": schema.to_json()},
        )


def _misfits(filled: "Iterable[FieldMapping]", described: "Iterable[SObjectSchema]") -> list[str]:
    """The fields that the org does not take as they are filled, each reason once."""
    from crm_pipeline.salesforce.values import Why

    schemas = {schema.name: schema for schema in described}
    found: dict[str, list[str]] = {}
    for each in filled:
        if (schema := schemas.get(each.sobject)) is None:
            continue
        why = each.misfit(schema)
        if why is Why.ABSENT or (why is not None and each.is_filled):
            found.setdefault(why, []).append(f"{each.sobject}.{each.field}")
    return [f"{', '.join(names)}: {why}" for why, names in found.items()]


def _required_campaign_fields(
    account: "Account", filled: "Iterable[FieldMapping]", described: "Iterable[SObjectSchema]"
) -> list[str]:
    """The fields without which the org takes no new Campaign, and which nothing fills."""
    chosen = account.settings.campaigns
    if chosen is None or not chosen.create_campaigns:
        return []
    ours = {each.field.lower() for each in filled if each.sobject == "Campaign"}
    ours.update(("name", "description", "type", "startdate", "enddate", "isactive"))
    return [
        name
        for schema in described
        if schema.name == "Campaign"
        for name, field in schema.fields.items()
        if field.required and name.lower() not in ours
    ]


def needed_rights(settings: "AccountSettings") -> _Rights:
    """Returns the rights that the user needs for what the account chose, by sObject."""
    all_three = [_READ, _CREATE, _EDIT]
    needed = {"Lead": all_three, "Contact": [_READ, _EDIT], "Event": all_three}
    if settings.unknown_email == "Contact":
        needed["Contact"] = all_three
    if settings.attribution is not None and settings.attribution.triggers:
        needed |= {sobject: [_READ] for sobject in OPPORTUNITY_OBJECTS}
    campaigns = settings.campaigns
    if campaigns is None:
        return needed
    needed["Campaign"] = all_three if campaigns.create_campaigns else [_READ, _EDIT]
    needed["CampaignMember"] = all_three
    creates = campaigns.unknown_status == "create"
    needed["CampaignMemberStatus"] = [_READ, _CREATE] if creates else [_READ]
    return needed


def missing_rights(objects: Iterable[Mapping[str, Any]], rights: _Rights) -> list[str]:
    """Returns the needed rights that the user lacks, by the org's list of objects.

    An object that the user may not even read is not in the list (Salesforce: describe global).
    """
    found = {each["name"]: each for each in objects}
    missing = []
    for sobject, needed in rights.items():
        if sobject not in found:
            shown_with = _SHOWN_WITH.get(sobject)
            along = (
                f" (no permission set lists it: it comes with {shown_with})" if shown_with else ""
            )
            missing.append(f"{sobject}: all rights{along}")
            continue
        lacking = [words for flag, words in needed if not found[sobject][flag]]
        if lacking:
            missing.append(f"{sobject}: {', '.join(lacking)}")
    return missing


def new_key() -> None:
    """Print a fresh key for CRM_ENCRYPTION_KEYS; it is stored nowhere."""
    from crm_pipeline.accounts.credentials import new_key

    say(new_key(), as_it_is=True)


def rotate_keys() -> None:
    """Encrypt all credentials with the first of CRM_ENCRYPTION_KEYS; cycles may go on meanwhile."""
    from crm_pipeline.accounts.credentials import rotate_credentials

    with transaction() as connection:
        rotation = rotate_credentials(connection)
    say(f"Encrypted the credentials of {rotation.rotated} accounts with the first key.")
    if rotation.unreadable:
        mistake(
            "No key opens the credentials of "
            f"{', '.join(rotation.unreadable)}: add the key that sealed them to "
            "CRM_ENCRYPTION_KEYS, or set them again."
        )
