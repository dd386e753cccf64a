"""Builds an org from its configuration: schema, users, rules and first records."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from crm_pipeline.local_org.addresses import add_code_fields
from crm_pipeline.local_org.computed import add_member_fields
from crm_pipeline.local_org.config import FieldConfig, OrgConfig, OrgConfigError
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import IdCounter, base62, long_id
from crm_pipeline.local_org.journal import Journal
from crm_pipeline.local_org.limits import Meter
from crm_pipeline.local_org.rules import Rules
from crm_pipeline.local_org.schema import (
    Field,
    SObjectType,
    bundled_types,
    connect,
    custom_type,
    make_field,
)
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org, Table, User
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline.local_org.weather import Weather

_ACTIVITIES = ("event", "task")
_LENGTHS = {"string": 255, "picklist": 255, "textarea": 255}


def build_org(blueprint: OrgConfig) -> Org:
    """Returns the org as its file describes it. Raises `OrgConfigError`."""
    config = blueprint.model_copy(deep=True)
    org_id = long_id(config.id) if config.id else _org_id(config.name)
    if org_id is None:
        raise OrgConfigError(f"org {config.name}: id: is not an id of an org")
    types = _types(config)
    tables = {
        name: Table(each, IdCounter(each.key_prefix, org_id[3:7])) for name, each in types.items()
    }
    add_member_fields(tables)
    weather = Weather(latency_seconds=config.latency_ms / 1000, lock_parents=config.lock_parents)
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
        raise OrgConfigError(f"org {config.name}: hidden_fields: {error.args[0]}") from None
    _found(org)
    org.rules = Rules(org)
    if config.file is not None:
        org.journal = Journal(config.folder / config.file)
    if org.journal is None or not org.journal.load(org):
        _seed(org)
    return org


def _seed(org: Org) -> None:
    try:
        seed(org, org.config.records)
    except SalesforceError as error:
        raise OrgConfigError(f"org {org.name}: records: {error}") from None
    if org.journal is not None:
        org.journal.rewrite(org)


def _org_id(name: str) -> str | None:
    digest = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
    chosen = base62(digest, 8)[-8:]
    return long_id(f"00D{chosen[:4]}0000{chosen[4:]}")


def _types(config: OrgConfig) -> dict[str, SObjectType]:
    types = {each.name.lower(): each for each in bundled_types()}
    custom = 0
    for name, settings in config.objects.items():
        key = name.lower()
        if key not in types and key != "activity":
            if not key.endswith("__c"):
                raise OrgConfigError(
                    f"org {config.name}: objects.{name}: is no object of this org, "
                    "and the name of a custom object ends in __c"
                )
            label = settings.label or name.removesuffix("__c").replace("_", " ")
            plural = settings.label_plural or f"{label}s"
            types[key] = custom_type(name, label, plural, f"a{base62(custom, 2)}")
            custom += 1
    for name, settings in config.objects.items():
        targets = _ACTIVITIES if name.lower() == "activity" else (name.lower(),)
        for target in targets:
            for field_name, given in settings.fields.items():
                where = f"org {config.name}: objects.{name}.fields.{field_name}"
                of = types[target]
                of.fields[field_name.lower()] = _field(where, of, field_name, given)
    if config.state_and_country_picklists:
        for each in types.values():
            add_code_fields(each)
    connect(types)
    return types


def _field(where: str, of: SObjectType, name: str, given: FieldConfig) -> Field:
    standard = of.find(name)
    kind = given.type or ("reference" if given.reference_to else None)
    described: dict[str, Any]
    if standard is not None:
        described = {**standard.describe, "picklist": standard.describe["picklistValues"]}
        described["child"] = {
            "relationshipName": standard.child_relationship_name,
            "cascadeDelete": standard.child_cascade_delete,
        }
    elif kind is None:
        raise OrgConfigError(f"{where}: type: is needed for a field that is not there yet")
    else:
        described = {"type": kind, "label": name.removesuffix("__c").replace("_", " ")}
        described["custom"] = name.endswith("__c")
        if kind in _LENGTHS:
            described["length"] = _LENGTHS[kind]
        if kind in ("double", "currency"):
            described["scale"] = 0
        if kind == "boolean":
            described["defaultValue"] = False
    described["name"] = standard.name if standard else name
    described.update(_given_keys(given))
    if kind == "reference" and not standard:
        described.update(_lookup_keys(name, given))
    return make_field(described)


def _given_keys(given: FieldConfig) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "label": given.label,
        "length": given.length,
        "precision": given.precision,
        "scale": given.scale,
        "externalId": given.external_id,
        "idLookup": given.external_id,
        "unique": given.unique,
        "caseSensitive": given.case_sensitive,
        "restrictedPicklist": given.restricted,
        "defaultValue": given.default,
        "defaultedOnCreate": None if given.default is None else True,
        "nillable": None if given.required is None else not given.required,
        "createable": given.createable,
        "updateable": given.updateable,
    }
    if given.values is not None:
        keys["picklist"] = [
            {"value": value, "defaultValue": value == given.default} for value in given.values
        ]
    return {key: value for key, value in keys.items() if value is not None}


def _lookup_keys(name: str, given: FieldConfig) -> dict[str, Any]:
    targets = given.reference_to or []
    relationship = given.relationship_name
    if relationship is None:
        relationship = name.removesuffix("__c") + "__r" if name.endswith("__c") else None
    child = given.child_relationship_name
    if child and name.endswith("__c") and not child.endswith("__r"):
        child += "__r"
    return {
        "referenceTo": [targets] if isinstance(targets, str) else targets,
        "relationshipName": relationship,
        "child": {"relationshipName": child, "cascadeDelete": given.cascade_delete},
    }


def _found(org: Org) -> None:
    """Creates the records that every org has: its Organization and its users."""
    config = org.config
    users = org.table("User")
    with committed(WriteContext(org, user_id="")) as context:
        for each in config.users:
            user_id = users.ids.next()
            org.users[each.username.lower()] = User(
                id=user_id,
                username=each.username,
                password=each.password,
                security_token=each.security_token,
                marketing_user=each.marketing_user,
                active=each.active,
                password_expired=each.password_expired,
            )
            context.user_id = context.user_id or user_id
            context.insert(users, _user_row(org, user_id, each.username, each.model_dump()))
        context.insert(
            org.table("Organization"),
            {
                "Id": org.id,
                "Name": config.company or config.name,
                "OrganizationType": config.edition,
                "IsSandbox": config.sandbox,
                "InstanceName": "LOCAL",
                "DefaultLocaleSidKey": "en_US",
                "LanguageLocaleKey": "en_US",
                "TimeZoneSidKey": "GMT",
                "FiscalYearStartMonth": 1,
            },
        )
    org.rows_written.clear()


def _user_row(org: Org, user_id: str, username: str, given: Mapping[str, Any]) -> dict[str, Any]:
    last_name = given["last_name"] or username.partition("@")[0]
    first_name = given["first_name"]
    return {
        "Id": user_id,
        "Username": username,
        "FirstName": first_name,
        "LastName": last_name,
        "Name": f"{first_name} {last_name}" if first_name else last_name,
        "Email": username,
        "Alias": last_name[:8],
        "CommunityNickname": username[:40],
        "IsActive": given["active"],
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "UserType": "Standard",
        "UserPermissionsMarketingUser": given["marketing_user"],
        "CompanyName": org.config.company,
    }
