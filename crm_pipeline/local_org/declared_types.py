"""The objects of an org: the bundled ones, and what its file makes of them."""

from typing import Any

from crm_pipeline.local_org.addresses import add_code_fields
from crm_pipeline.local_org.config import FieldConfig, ObjectConfig, OrgConfig, OrgConfigError
from crm_pipeline.local_org.currencies import add_currencies
from crm_pipeline.local_org.ids import base62
from crm_pipeline.local_org.person_accounts import add_person_accounts
from crm_pipeline.local_org.schema import (
    SObjectType,
    bundled_types,
    connect,
    custom_type,
    event_type,
    make_field,
)

_ACTIVITIES = ("event", "task")
_NO_MASTERS = frozenset({"lead", "user", "event", "task", "activity"})
_MAX_MASTERS = 2
_OTHER_SETTINGS = {
    "type", "required", "values", "reference_to", "child_relationship_name", "on_delete",
    "reparentable",
}  # fmt: skip


def declared_types(config: OrgConfig) -> dict[str, SObjectType]:
    """Returns the objects by lower-case name, connected. Raises `OrgConfigError`."""
    types = {each.name.lower(): each for each in bundled_types()}
    _set_up_picklists(types, config)
    _add_objects(types, config)
    for name, settings in config.objects.items():
        for target in _ACTIVITIES if name.lower() == "activity" else (name.lower(),):
            of = types[target]
            for field_name, given in settings.fields.items():
                where = f"objects.{name}.fields.{field_name}"
                _add_field(of, field_name, given, where)
        if name.lower() != "activity":
            _finish(types, types[name.lower()], settings)
    if config.state_and_country_picklists:
        for each in types.values():
            add_code_fields(each)
    if config.person_accounts:
        add_person_accounts(types)
    if config.currencies:
        add_currencies(types, list(config.currencies))
    connect(types)
    return types


def _set_up_picklists(types: dict[str, SObjectType], config: OrgConfig) -> None:
    """The stages and the lead statuses of the file are the values of their picklists."""
    if config.opportunity_stages:
        labels = [each.label for each in config.opportunity_stages if each.active]
        _change(types["opportunity"], "StageName", {"picklist": labels})
    if config.lead_statuses:
        default = next((each for each in config.lead_statuses if each.default), None)
        label = (default or config.lead_statuses[0]).label
        values = [
            {"value": each.label, "defaultValue": each.label == label}
            for each in config.lead_statuses
        ]
        _change(types["lead"], "Status", {"picklist": values, "defaultValue": label})


def _change(of: SObjectType, name: str, changes: dict[str, Any]) -> None:
    of.fields[name.lower()] = make_field({**of.fields[name.lower()].given, **changes})


def _add_objects(types: dict[str, SObjectType], config: OrgConfig) -> None:
    custom = 0
    for name, settings in config.objects.items():
        key = name.lower()
        if key in types or key == "activity":
            continue
        label = settings.label or _label(name)
        plural = settings.label_plural or f"{label}s"
        if key.endswith("__c"):
            types[key] = custom_type(name, label, plural, f"a{base62(custom, 2)}")
        elif key.endswith("__e"):
            types[key] = event_type(name, label, plural, f"e{base62(custom, 2)}")
            types[key].publish = settings.publish
        else:
            raise OrgConfigError(
                f"objects.{name}: is no object of this org, and the name of a custom object ends "
                "in __c, that of a platform event in __e"
            )
        custom += 1


def _add_field(of: SObjectType, name: str, given: FieldConfig, where: str) -> None:
    standard = of.fields.get(name.lower())
    base = standard.given if standard else _described(name, given, where)
    if "type" not in base:
        raise OrgConfigError(f"{where}: type: is needed for a field that is not there yet")
    described = {**base, **_changes(given)}
    if given.type == "master_detail":
        described |= _master_detail(of, given, where)
    of.fields[name.lower()] = make_field(described)


def _finish(types: dict[str, SObjectType], of: SObjectType, settings: ObjectConfig) -> None:
    """Adds what follows from an object's own settings and from all of its fields."""
    if any(each.is_master_detail for each in of.fields.values()):
        of.fields.pop("ownerid", None)
    if settings.auto_number is not None:
        of.auto_number = settings.auto_number
        fixed = {"autoNumber": True, "createable": False, "updateable": False, "nillable": False}
        _change(of, "Name", fixed)
    if settings.record_types:
        of.fields["recordtypeid"] = make_field(
            {
                "name": "RecordTypeId",
                "label": "Record Type ID",
                "type": "reference",
                "defaultedOnCreate": True,
                "referenceTo": ["RecordType"],
                "relationshipName": "RecordType",
            }
        )
    rights = settings.model_dump(
        include={"createable", "updateable", "deletable"}, exclude_none=True
    )
    of.describe.update(rights)
    if settings.activities:
        for each in _ACTIVITIES:
            targets = types[each].fields["whatid"].reference_to
            _change(types[each], "WhatId", {"referenceTo": [*targets, of.name]})


def _label(name: str) -> str:
    return name.removesuffix("__c").removesuffix("__e").replace("_", " ")


def _described(name: str, given: FieldConfig, where: str) -> dict[str, Any]:
    """Returns the describe of a new field unless its settings say otherwise."""
    described: dict[str, Any] = {"name": name, "label": _label(name)}
    described["custom"] = name.endswith("__c")
    if given.type in ("string", "picklist", "textarea"):
        described["length"] = 255
    if given.type in ("double", "currency"):
        described["scale"] = 0
    if given.type is not None:
        described["type"] = given.type
    targets, child = given.reference_to, given.child_relationship_name
    if targets is None:
        if given.type in ("reference", "master_detail"):
            raise OrgConfigError(f"{where}: reference_to: is needed")
        return described
    if described["custom"]:
        described["relationshipName"] = name.removesuffix("__c") + "__r"
        child = f"{child.removesuffix('__r')}__r" if child else None
    described["type"] = "reference"
    described["referenceTo"] = [targets] if isinstance(targets, str) else targets
    cascades = given.on_delete == "cascade"
    described["cascadeDelete"] = cascades
    described["restrictedDelete"] = given.on_delete == "restrict" or bool(given.required)
    described["child"] = {"relationshipName": child, "cascadeDelete": cascades}
    return described


def _master_detail(of: SObjectType, given: FieldConfig, where: str) -> dict[str, Any]:
    """Salesforce: a detail lives and dies with its master, and has neither owner nor sharing."""
    master = given.reference_to
    if not isinstance(master, str):
        raise OrgConfigError(f"{where}: a detail has one master")
    if master.lower() in _NO_MASTERS:
        raise OrgConfigError(f"{where}: a {master} cannot be a master")
    order = sum(each.is_master_detail for each in of.fields.values())
    if order == _MAX_MASTERS:
        raise OrgConfigError(f"{where}: a detail has {_MAX_MASTERS} masters at most")
    child = given.child_relationship_name
    return {
        "relationshipOrder": order,
        "nillable": False,
        "updateable": given.reparentable,
        "cascadeDelete": True,
        "restrictedDelete": False,
        "child": {
            "relationshipName": f"{child.removesuffix('__r')}__r" if child else None,
            "cascadeDelete": True,
        },
    }


def _changes(given: FieldConfig) -> dict[str, Any]:
    """The settings that are keys of describe, and what follows from the others."""
    changes = given.model_dump(by_alias=True, exclude_none=True, exclude=_OTHER_SETTINGS)
    if given.required is not None:
        changes["nillable"] = not given.required
    if given.default is not None:
        changes["defaultedOnCreate"] = True
    if given.external_id is not None:
        changes["idLookup"] = given.external_id
    if given.values is not None:
        changes["picklist"] = [
            {"value": value, "defaultValue": value == given.default} for value in given.values
        ]
    return changes
