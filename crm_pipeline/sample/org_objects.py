"""Declared objects, as the file of a local org has them."""

from collections.abc import Iterable
from typing import Any

from crm_pipeline.salesforce.org_objects import TYPES, OrgField, OrgObject


def objects_of_org(objects: Iterable[OrgObject], *, locking: bool = False) -> dict[str, Any]:
    """Returns the part `objects` of an org's file.

    Args:
        objects: declared ones.
        locking: whether their lookups to standard objects lock these, as they do where these may
            not be deleted before.
    """
    found = {
        each.name: {"fields": {field.name: _field(field) for field in each.fields}}
        for each in objects
    }
    for fields in found.values() if locking else ():
        for said in fields["fields"].values():
            if said["type"] == "reference" and not said["reference_to"].endswith("__c"):
                said["on_delete"] = "restrict"
    return found


def _field(field: OrgField) -> dict[str, Any]:
    said: dict[str, Any] = {"label": field.label}
    if field.refers_to is not None:
        kind = "master_detail" if field.kind == "master_detail" else "reference"
        return said | {
            "type": kind,
            "reference_to": field.refers_to,
            "child_relationship_name": field.children,
        }
    said["type"] = TYPES[field.kind].described
    if field.length:
        said["length"] = field.length
    if field.kind == "number":
        said["scale"] = field.scale
    if field.kind == "checkbox":
        said["default"] = False
    if field.is_key:
        said |= {"external_id": True, "unique": True, "case_sensitive": True}
    return said
