"""Describe: global and per object, with every key that a real org's has."""

from typing import Any

from crm_pipeline.local_org.schema import Field, SObjectType
from crm_pipeline.local_org.store import Org

_GLOBAL_KEYS = (
    "activateable", "associateEntityType", "associateParentEntity", "createable", "custom",
    "customSetting", "deepCloneable", "deletable", "deprecatedAndHidden", "feedEnabled",
    "hasSubtypes", "isInterface", "isSubtype", "keyPrefix", "label", "labelPlural", "layoutable",
    "mergeable", "mruEnabled", "name", "queryable", "replicateable", "retrieveable", "searchable",
    "triggerable", "undeletable", "updateable",
)  # fmt: skip
_MASTER_RECORD_TYPE = "012000000000000AAA"


def describe_global(org: Org, version: str) -> dict[str, Any]:
    """All objects, as `GET /sobjects` lists them."""
    objects = sorted(org.types(), key=lambda each: each.name)
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [describe_briefly(each, version) for each in objects],
    }


def describe_briefly(of: SObjectType, version: str) -> dict[str, Any]:
    """An object without its fields."""
    path = _path(of, version)
    brief = {key: of.describe[key] for key in _GLOBAL_KEYS}
    urls = {"rowTemplate": f"{path}/{{ID}}", "describe": f"{path}/describe", "sobject": path}
    return {**brief, "urls": urls}


def describe(org: Org, of: SObjectType, version: str, base_url: str) -> dict[str, Any]:
    """An object with the fields that field-level security shows, relationships and urls."""
    path = _path(of, version)
    return {
        **of.describe,
        "childRelationships": [_child(child, lookup) for child, lookup in of.children],
        "fields": [each.describe for each in org.visible_fields(of)],
        "recordTypeInfos": _record_types(org, of, path),
        "supportedScopes": [
            {"label": f"All {of.label_plural.lower()}", "name": "everything"},
            {"label": f"My {of.label_plural.lower()}", "name": "mine"},
        ],
        "urls": {
            "compactLayouts": f"{path}/describe/compactLayouts",
            "rowTemplate": f"{path}/{{ID}}",
            "approvalLayouts": f"{path}/describe/approvalLayouts",
            "uiDetailTemplate": f"{base_url}/{{ID}}",
            "uiEditTemplate": f"{base_url}/{{ID}}/e",
            "defaultValues": f"{path}/defaultValues?recordTypeId&fields",
            "listviews": f"{path}/listviews",
            "describe": f"{path}/describe",
            "uiNewRecord": f"{base_url}/{of.key_prefix}/e",
            "quickActions": f"{path}/quickActions",
            "layouts": f"{path}/describe/layouts",
            "sobject": path,
        },
    }


def _record_types(org: Org, of: SObjectType, path: str) -> list[dict[str, Any]]:
    """The object's own record types, and the one that every object has."""
    master = {"Id": _MASTER_RECORD_TYPE, "Name": "Master", "DeveloperName": "Master"}
    rows = [row for row in org.table("RecordType").rows.values() if row["SobjectType"] == of.name]
    default = next((row["Id"] for row in rows if row["IsActive"]), _MASTER_RECORD_TYPE)
    return [
        {
            "active": row.get("IsActive", True),
            "available": row.get("IsActive", True),
            "defaultRecordTypeMapping": row["Id"] == default,
            "developerName": row["DeveloperName"],
            "master": row is master,
            "name": row["Name"],
            "recordTypeId": row["Id"],
            "urls": {"layout": f"{path}/describe/layouts/{row['Id']}"},
        }
        for row in [*rows, master]
    ]


def _path(of: SObjectType, version: str) -> str:
    return f"/services/data/v{version}/sobjects/{of.name}"


def _child(child: SObjectType, lookup: Field) -> dict[str, Any]:
    return {
        "cascadeDelete": lookup.child_cascade_delete,
        "childSObject": child.name,
        "deprecatedAndHidden": False,
        "field": lookup.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": lookup.child_relationship_name,
        "restrictedDelete": lookup.restricted_delete,
    }
