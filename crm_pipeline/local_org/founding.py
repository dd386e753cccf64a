"""The records that every org has from the beginning: users, the Organization, what is set up."""

from typing import Any

from crm_pipeline.local_org.config import OrgConfigError
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org, User
from crm_pipeline.local_org.transaction import WriteContext, committed

_STAGES: dict[str, tuple[float, str]] = {
    "Prospecting": (10, "Pipeline"),
    "Qualification": (10, "Pipeline"),
    "Needs Analysis": (20, "Pipeline"),
    "Value Proposition": (50, "Pipeline"),
    "Id. Decision Makers": (60, "Pipeline"),
    "Perception Analysis": (70, "Pipeline"),
    "Proposal/Price Quote": (75, "Pipeline"),
    "Negotiation/Review": (90, "Pipeline"),
    "Closed Won": (100, "Closed"),
    "Closed Lost": (0, "Omitted"),
}
"""Probability in percent and forecast category of the stages that Salesforce comes with."""
_FORECAST_NAMES = {"Best Case": "BestCase", "Commit": "Forecast"}
_CONVERTED_STATUS = "Closed - Converted"


def found(org: Org) -> None:
    """Creates them; nothing is counted as written. Raises `OrgConfigError`."""
    users = org.table("User")
    with committed(WriteContext(org, user_id="")) as context:
        for each in org.config.users:
            user = User(id=users.ids.next(), **each.model_dump())
            org.users[each.username.lower()] = user
            context.user_id = context.user_id or user.id
            context.insert(users, _user_row(org, user))
        if org.config.subscribers:
            context.insert(users, _automated_process(org))
        context.insert(org.table("Organization"), _organization(org))
        for sobject, rows in (
            ("OpportunityStage", _stages(org)),
            ("LeadStatus", _lead_statuses(org)),
            ("CurrencyType", _currencies(org)),
            ("RecordType", _record_types(org)),
            ("Group", _queues(org)),
        ):
            for row in rows:
                context.insert(org.table(sobject), row)
    org.rows_written.clear()


def _organization(org: Org) -> Row:
    config = org.config
    return {
        "Id": org.id,
        "Name": config.company or config.name,
        "OrganizationType": config.edition,
        "IsSandbox": config.sandbox,
        "InstanceName": "LOCAL",
        "DefaultLocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "TimeZoneSidKey": "GMT",
        "FiscalYearStartMonth": 1,
    }


def _user_row(org: Org, user: User) -> dict[str, Any]:
    username, first_name = user.username, user.first_name
    last_name = user.last_name or username.partition("@")[0]
    row = {
        "Id": user.id,
        "Username": username,
        "FirstName": first_name,
        "LastName": last_name,
        "Name": f"{first_name} {last_name}" if first_name else last_name,
        "Email": username,
        "Alias": last_name[:8],
        "CommunityNickname": username[:40],
        "IsActive": user.active,
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "UserType": "Standard",
        "UserPermissionsMarketingUser": user.marketing_user,
        "CompanyName": org.config.company,
    }
    currencies = org.config.currencies
    if user.currency is not None and user.currency not in currencies:
        raise OrgConfigError(f"users: {username}: {user.currency} is none of the currencies")
    if currencies:
        own = user.currency or next(iter(currencies))
        row |= {"CurrencyIsoCode": own, "DefaultCurrencyIsoCode": own}
    return row


def _automated_process(org: Org) -> Row:
    """The user as whom the org's own triggers and flows take events; nobody logs in as him."""
    username = f"autoproc@{org.id[:15].lower()}"
    return {
        "Username": username,
        "LastName": "Process",
        "FirstName": "Automated",
        "Name": "Automated Process",
        "Email": username,
        "Alias": "autoproc",
        "IsActive": True,
        "UserType": "AutomatedProcess",
        "UserPermissionsMarketingUser": False,
    }


def _stages(org: Org) -> list[Row]:
    given = {each.label: each for each in org.config.opportunity_stages}
    rows = []
    labels = list(given) or org.table("Opportunity").type.fields["stagename"].picklist
    for order, label in enumerate(labels, 1):
        stage = given.get(label)
        probability, category = _STAGES.get(label, (0, "Pipeline"))
        kind = {"Closed": "won", "Omitted": "lost"}.get(category, "open")
        if stage is not None:
            kind = stage.type
            probability = {"won": 100, "lost": 0}.get(kind, 0)
            category = {"won": "Closed", "lost": "Omitted"}.get(kind, "Pipeline")
            probability = stage.probability if stage.probability is not None else probability
            category = stage.forecast_category or category
        rows.append(
            {
                "MasterLabel": label,
                "ApiName": label,
                "IsActive": stage is None or stage.active,
                "SortOrder": order,
                "IsClosed": kind != "open",
                "IsWon": kind == "won",
                "ForecastCategory": _FORECAST_NAMES.get(category, category),
                "ForecastCategoryName": category,
                "DefaultProbability": float(probability),
            }
        )
    return rows


def _lead_statuses(org: Org) -> list[Row]:
    status = org.table("Lead").type.fields["status"]
    converted = {each.label for each in org.config.lead_statuses if each.converted}
    if not org.config.lead_statuses:
        known = _CONVERTED_STATUS in status.picklist
        converted = {_CONVERTED_STATUS if known else status.picklist[-1]}
    if not converted:
        raise OrgConfigError("lead_statuses: none of them is converted")
    return [
        {
            "MasterLabel": label,
            "ApiName": label,
            "SortOrder": order,
            "IsDefault": label == status.default_value,
            "IsConverted": label in converted,
        }
        for order, label in enumerate(status.picklist, 1)
    ]


def _currencies(org: Org) -> list[Row]:
    return [
        {
            "IsoCode": code,
            "ConversionRate": rate,
            "DecimalPlaces": 2,
            "IsActive": True,
            "IsCorporate": place == 0,
        }
        for place, (code, rate) in enumerate(org.config.currencies.items())
    ]


def _record_types(org: Org) -> list[Row]:
    return [
        {
            "SobjectType": org.table(name).type.name,
            "Name": each.name,
            "DeveloperName": each.name.replace(" ", "_"),
            "IsActive": each.active,
        }
        for name, settings in org.config.objects.items()
        for each in settings.record_types
    ]


def _queues(org: Org) -> list[Row]:
    return [
        {
            "Name": each.name,
            "DeveloperName": each.name.replace(" ", "_"),
            "Type": "Queue",
            "Email": each.email,
            "DoesSendEmailToMembers": False,
        }
        for each in org.config.queues
    ]
