"""Builds an org from its configuration: schema, users, rules and first records."""

from hashlib import sha256
from typing import Any

from crm_pipeline.local_org.addresses import add_code_fields
from crm_pipeline.local_org.behaviours import add_member_fields
from crm_pipeline.local_org.config import FieldConfig, OrgConfig, OrgConfigError
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import IdCounter, base62, long_id
from crm_pipeline.local_org.journal import Journal
from crm_pipeline.local_org.meter import Meter
from crm_pipeline.local_org.rules import RULES, rules_of
from crm_pipeline.local_org.schema import (
    SObjectType,
    bundled_types,
    connect,
    custom_type,
    make_field,
)
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org, User
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline.local_org.weather import Weather

_ACTIVITIES = ("event", "task")
_OTHER_SETTINGS = {
    "type", "required", "values", "reference_to", "child_relationship_name", "cascade_delete",
}  # fmt: skip


def build_org(blueprint: OrgConfig) -> Org:
    """Returns the org as its file describes it. Raises `OrgConfigError`."""
    try:
        return _built(blueprint)
    except OrgConfigError as error:
        raise OrgConfigError(f"org {blueprint.name}: {error}") from None


def _built(blueprint: OrgConfig) -> Org:
    config = blueprint.model_copy(deep=True)
    org_id = long_id(config.id) if config.id else org_id_of(config.name)
    if org_id is None:
        raise OrgConfigError("id: is not an id of an org")
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
        raise OrgConfigError(f"hidden_fields: {error.args[0]}") from None
    _found(org)
    RULES[org].update(rules_of(org))
    if config.file is not None:
        org.journal = Journal(config.folder / config.file)
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


def _types(config: OrgConfig) -> dict[str, SObjectType]:
    types = {each.name.lower(): each for each in bundled_types()}
    custom = 0
    for name, settings in config.objects.items():
        key = name.lower()
        if key not in types and key != "activity":
            if not key.endswith("__c"):
                raise OrgConfigError(
                    f"objects.{name}: is no object of this org, and the name of a custom object "
                    "ends in __c"
                )
            label = settings.label or _label(name)
            plural = settings.label_plural or f"{label}s"
            types[key] = custom_type(name, label, plural, f"a{base62(custom, 2)}")
            custom += 1
    for name, settings in config.objects.items():
        for target in _ACTIVITIES if name.lower() == "activity" else (name.lower(),):
            fields = types[target].fields
            for field_name, given in settings.fields.items():
                standard = fields.get(field_name.lower())
                base = standard.given if standard else _described(field_name, given)
                if "type" not in base:
                    raise OrgConfigError(
                        f"objects.{name}.fields.{field_name}: type: is needed for a field that is "
                        "not there yet"
                    )
                fields[field_name.lower()] = make_field({**base, **_changes(given)})
    if config.state_and_country_picklists:
        for each in types.values():
            add_code_fields(each)
    connect(types)
    return types


def _label(name: str) -> str:
    return name.removesuffix("__c").replace("_", " ")


def _described(name: str, given: FieldConfig) -> dict[str, Any]:
    """What describe says of a new field unless its settings say otherwise."""
    described: dict[str, Any] = {"name": name, "label": _label(name)}
    described["custom"] = name.endswith("__c")
    if given.type in ("string", "picklist", "textarea"):
        described["length"] = 255
    if given.type in ("double", "currency"):
        described["scale"] = 0
    if given.type is not None:
        described["type"] = given.type
    if given.reference_to is None:
        return described
    targets, child = given.reference_to, given.child_relationship_name
    if described["custom"]:
        described["relationshipName"] = name.removesuffix("__c") + "__r"
        child = f"{child.removesuffix('__r')}__r" if child else None
    described["type"] = "reference"
    described["referenceTo"] = [targets] if isinstance(targets, str) else targets
    described["child"] = {"relationshipName": child, "cascadeDelete": given.cascade_delete}
    return described


def _changes(given: FieldConfig) -> dict[str, Any]:
    """The settings that are keys of describe, and what follows from the others."""
    changes = given.model_dump(by_alias=True, exclude_none=True, exclude=_OTHER_SETTINGS)
    if given.required is not None:
        changes["nillable"] = not given.required
        changes["restrictedDelete"] = bool(given.reference_to) and given.required
    if given.default is not None:
        changes["defaultedOnCreate"] = True
    if given.external_id is not None:
        changes["idLookup"] = given.external_id
    if given.values is not None:
        changes["picklist"] = [
            {"value": value, "defaultValue": value == given.default} for value in given.values
        ]
    return changes


def _found(org: Org) -> None:
    """Creates the records that every org has: its Organization and its users."""
    config = org.config
    users = org.table("User")
    with committed(WriteContext(org, user_id="")) as context:
        for each in config.users:
            user = User(id=users.ids.next(), **each.model_dump())
            org.users[each.username.lower()] = user
            context.user_id = context.user_id or user.id
            context.insert(users, _user_row(org, user))
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


def _user_row(org: Org, user: User) -> dict[str, Any]:
    username, first_name = user.username, user.first_name
    last_name = user.last_name or username.partition("@")[0]
    return {
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
