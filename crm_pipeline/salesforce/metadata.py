"""Metadata of objects, as a project that the Salesforce CLI deploys: source format, in files.

Elements stand in the order of Salesforce's published schema (metadata WSDL): the full name, then
the others by name.

Sources: Metadata API Developer Guide, "CustomObject", "CustomField", "PermissionSet"; Salesforce
DX Developer Guide, "Source Format".
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from crm_pipeline.salesforce.org_objects import (
    NUMBER_DIGITS,
    TYPES,
    OrgField,
    OrgObject,
    package_of,
)

_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
ROOM = "force-app/main/default"
"""The folder of a project that is deployed."""

Project = Mapping[str, str]
"""The texts of a project's files, by their paths."""


def source_project(
    objects: Sequence[OrgObject], *, permission_set: str, label: str, api_version: str
) -> Project:
    """Returns a project with these objects and fields, and a permission set for both.

    Args:
        objects: of standard ones only the fields are made; nothing of what a package brings.
        permission_set: its API name.
        label: as people read it.
        api_version: such as 62.0.
    """
    project = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "sourceApiVersion": api_version,
    }
    files = {"sfdx-project.json": json.dumps(project, indent=2) + "\n"}
    for each in objects:
        folder = f"{ROOM}/objects/{each.name}"
        if each.is_custom and not package_of(each.name):
            files[f"{folder}/{each.name}.object-meta.xml"] = xml("CustomObject", _object(each))
        for field in each.fields:
            if field.name.endswith("__c") and not package_of(field.name):
                path = f"{folder}/fields/{field.name}.field-meta.xml"
                files[path] = xml("CustomField", _field(field, each))
    path = f"{ROOM}/permissionsets/{permission_set}.permissionset-meta.xml"
    files[path] = xml("PermissionSet", _rights(objects, label))
    return files


def _object(each: OrgObject) -> dict[str, Any]:
    said = {
        "deploymentStatus": "Deployed",
        "description": each.says,
        "label": each.label,
        "pluralLabel": each.plural,
    }
    if each.is_event:
        return {**said, "eventType": "HighVolume", "publishBehavior": "PublishAfterCommit"}
    return {
        **said,
        "enableReports": True,
        "nameField": {"label": f"{each.label} Name", "type": "Text"},
        "sharingModel": "ControlledByParent" if each.is_detail else "ReadWrite",
    }


def _field(field: OrgField, of: OrgObject) -> dict[str, Any]:
    said: dict[str, Any] = {
        "fullName": field.name,
        "label": field.label,
        "type": TYPES[field.kind].metadata,
    }
    if field.says:
        said["inlineHelpText"] = field.says
    if field.length:
        said["length"] = field.length
    match field.kind:
        case "text":
            said |= {"externalId": field.is_key, "unique": field.is_key}
            if field.is_key:
                said["caseSensitive"] = True
        case "long_text":
            said["visibleLines"] = 3
        case "checkbox":
            said["defaultValue"] = False
        case "number":
            said |= {"precision": NUMBER_DIGITS, "scale": field.scale}
        case "lookup" | "master_detail":
            said |= {
                "referenceTo": field.refers_to,
                "relationshipLabel": of.plural,
                "relationshipName": field.children,
            }
            if field.kind == "lookup":
                said["deleteConstraint"] = "SetNull"
            else:
                masters = [f.name for f in of.fields if f.kind == "master_detail"]
                said |= {
                    "relationshipOrder": masters.index(field.name),
                    "reparentableMasterDetail": False,
                    "writeRequiresMasterRead": False,
                }
    if field.kind not in ("checkbox", "master_detail", "long_text"):
        said["required"] = False
    return said


def _rights(objects: Sequence[OrgObject], label: str) -> dict[str, Any]:
    """A permission set; one that names a detail's master, or a field of an event, does not deploy.

    Nor does one with rights on a detail and none on its standard master, or with View All on a
    detail only: that reading is the least that goes along. Fields of activities are those of Event
    and Task there.
    """
    own = {each.name for each in objects if each.is_custom}
    masters = {f.refers_to for o in objects for f in o.fields if f.kind == "master_detail"} - own
    read_along = masters | ({"Account"} if "Opportunity" in masters else set())
    return {
        "fieldPermissions": [
            {"editable": editable, "field": name, "readable": True}
            for name, editable in sorted(
                (f"{shown_as}.{field.name}", not field.only_read)
                for each in objects
                for shown_as in (("Event", "Task") if each.name == "Activity" else (each.name,))
                for field in each.fields
                if field.name.endswith("__c") and field.kind != "master_detail"
                if not each.is_event
            )
        ],
        "hasActivationRequired": False,
        "label": label,
        "objectPermissions": [
            *(_rights_on(name, writes=False) for name in sorted(map(str, read_along))),
            *(
                _rights_on(each.name, changes=not each.is_event, all_of_them=not each.is_detail)
                for each in sorted(objects, key=lambda each: each.name)
                if each.is_custom
            ),
        ],
    }


def _rights_on(
    sobject: str, *, writes: bool = True, changes: bool = True, all_of_them: bool = True
) -> dict[str, Any]:
    return {
        "allowCreate": writes,
        "allowDelete": writes and changes,
        "allowEdit": writes and changes,
        "allowRead": True,
        "modifyAllRecords": False,
        "object": sobject,
        "viewAllRecords": writes and changes and all_of_them,
    }


def xml(tag: str, said: Mapping[str, Any]) -> str:
    """Returns the text of a file: an element of this type, with what it says by element."""
    root = ET.Element(tag, {"xmlns": _NAMESPACE})
    _fill(root, said)
    ET.indent(root, "    ")
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _fill(element: ET.Element, said: Mapping[str, Any]) -> None:
    for name in sorted(said, key=lambda name: (name != "fullName", name)):
        value = said[name]
        for each in value if isinstance(value, list) else [value]:
            child = ET.SubElement(element, name)
            if isinstance(each, Mapping):
                _fill(child, each)
            else:
                child.text = str(each).lower() if isinstance(each, bool) else str(each)
