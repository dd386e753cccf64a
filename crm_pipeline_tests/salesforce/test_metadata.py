"""Metadata to deploy: well formed, in the order of the published schema, nothing too much."""

import json
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import pytest

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.salesforce.metadata import Project, source_project

ALL = EngagementSettings(
    pages=True,
    accounts=True,
    opportunity_tags=True,
    opportunity_scores=True,
    master_detail=("account",),
    by_event=True,
)
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"

# The elements that we use, as they follow each other in the metadata WSDL of API 62.0; the full
# name comes first, as all types extend Metadata.
ORDER = {
    "CustomField": """
        fullName caseSensitive defaultValue deleteConstraint description externalId
        inlineHelpText label length
        precision referenceTo relationshipLabel relationshipName relationshipOrder
        reparentableMasterDetail required scale type unique visibleLines writeRequiresMasterRead
    """,
    "CustomObject": """
        fullName deploymentStatus description eventType label nameField pluralLabel publishBehavior
        sharingModel
    """,
    "nameField": "fullName displayFormat label type",
    "PermissionSet": """
        fullName description fieldPermissions hasActivationRequired label objectPermissions
    """,
    "fieldPermissions": "editable field readable",
    "objectPermissions": """
        allowCreate allowDelete allowEdit allowRead modifyAllRecords object viewAllRecords
    """,
}


@pytest.fixture
def project() -> Project:
    return source_project(
        ALL.org_objects, permission_set="Engagement", label="Engagement", api_version="62.0"
    )


def parsed(project: Project) -> dict[PurePosixPath, ET.Element]:
    return {
        PurePosixPath(path): ET.fromstring(text)
        for path, text in project.items()
        if path.endswith(".xml")
    }


def said(element: ET.Element) -> dict[str, str | None]:
    return {child.tag.removeprefix(NAMESPACE): child.text for child in element}


def test_elements_follow_the_published_schema(project: Project):
    seen = set()
    for root in parsed(project).values():
        for element in root.iter():
            name = element.tag.removeprefix(NAMESPACE)
            assert element.tag.startswith(NAMESPACE)
            children = [child.tag.removeprefix(NAMESPACE) for child in element]
            if children:
                order = ORDER[name].split()
                assert [order.index(child) for child in children] == sorted(
                    order.index(child) for child in children
                )
                seen.add(name)
    assert seen == ORDER.keys()


def test_files_lie_where_the_source_format_has_them(project: Project):
    config = json.loads(project["sfdx-project.json"])
    assert config["packageDirectories"] == [{"path": "force-app", "default": True}]
    assert config["sourceApiVersion"] == "62.0"
    room = PurePosixPath("force-app/main/default")
    suffixes = {"CustomObject": "object", "CustomField": "field", "PermissionSet": "permissionset"}
    for path, root in parsed(project).items():
        kind = suffixes[root.tag.removeprefix(NAMESPACE)]
        assert path.is_relative_to(room)
        assert path.name.endswith(f".{kind}-meta.xml")
        if kind == "field":
            assert path.name == f"{said(root)['fullName']}.field-meta.xml"
            assert path.parent.name == "fields"
        if kind == "object":
            assert path.parent.name == path.name.removesuffix(".object-meta.xml")


def test_everything_declared_is_there_and_standard_objects_get_fields_only(project: Project):
    files = {str(path) for path in parsed(project)}
    for each in ALL.org_objects:
        folder = f"force-app/main/default/objects/{each.name}"
        assert (f"{folder}/{each.name}.object-meta.xml" in files) is each.is_custom
        for field in each.fields:
            assert f"{folder}/fields/{field.name}.field-meta.xml" in files
    assert "force-app/main/default/objects/Lead/fields/Favorite__c.field-meta.xml" in files


def field(project: Project, of: str, name: str) -> dict[str, str | None]:
    path = f"force-app/main/default/objects/{of}/fields/{name}.field-meta.xml"
    return said(ET.fromstring(project[path]))


def test_keys_are_unique_case_sensitive_external_ids(project: Project):
    assert field(project, "Prospect__c", "Prospect_Id__c") == {
        "fullName": "Prospect_Id__c",
        "caseSensitive": "true",
        "externalId": "true",
        "label": "Prospect Id",
        "length": "255",
        "required": "false",
        "type": "Text",
        "unique": "true",
    }


def test_lookups_are_emptied_and_masters_cascade(project: Project):
    assert field(project, "Prospect_Score_Instance__c", "Lead__c") == {
        "fullName": "Lead__c",
        "deleteConstraint": "SetNull",
        "label": "Lead",
        "referenceTo": "Lead",
        "relationshipLabel": "Engagement Scores",
        "relationshipName": "Engagement_Scores",
        "required": "false",
        "type": "Lookup",
    }
    assert field(project, "Account_Score__c", "Account__c") == {
        "fullName": "Account__c",
        "label": "Account",
        "referenceTo": "Account",
        "relationshipLabel": "Account Scores",
        "relationshipName": "Engagement_Scores",
        "relationshipOrder": "0",
        "reparentableMasterDetail": "false",
        "type": "MasterDetail",
        "writeRequiresMasterRead": "false",
    }
    path = "force-app/main/default/objects/{0}/{0}.object-meta.xml"
    detail, other = path.format("Account_Score__c"), path.format("Score__c")
    found = {file: ET.fromstring(project[file]) for file in (detail, other)}
    assert said(found[detail])["sharingModel"] == "ControlledByParent"
    assert said(found[other])["sharingModel"] == "ReadWrite"


def test_the_permission_set_leaves_out_what_would_not_deploy(project: Project):
    path = "force-app/main/default/permissionsets/Engagement.permissionset-meta.xml"
    root = ET.fromstring(project[path])
    fields = {said(each)["field"] for each in root.iter(f"{NAMESPACE}fieldPermissions")}
    others = [each for each in ALL.org_objects if not each.is_event]
    every = {f"{each.name}.{field.name}" for each in others for field in each.fields}
    assert every - fields == {
        "Account_Score__c.Account__c",
        "SW_Account_Tag_Segment_Trigger__c.Account__c",
    }
    rights = [said(each) for each in root.iter(f"{NAMESPACE}objectPermissions")]
    custom = {each.name for each in ALL.org_objects if each.is_custom}
    assert {each["object"] for each in rights} == {"Account", *custom}
    # Without Read on its master no right on a detail deploys; View All of it would need that there.
    [of_master] = [each for each in rights if each["object"] == "Account"]
    assert {name for name, value in of_master.items() if value == "true"} == {"allowRead"}
    narrow = {each["object"] for each in rights if each["viewAllRecords"] == "false"}
    details = {"SW_Account_Tag_Segment_Trigger__c", "Account_Score__c"}
    assert narrow == {"Account", "Prospect_Match__e", *details}


def test_an_event_is_published_and_nothing_else_can_be_done_with_it(project: Project):
    folder = "force-app/main/default"
    path = f"{folder}/objects/Prospect_Match__e/Prospect_Match__e.object-meta.xml"
    assert said(ET.fromstring(project[path])) == {
        "deploymentStatus": "Deployed",
        "description": "A Lead or Contact is to show this of its prospect.",
        "eventType": "HighVolume",
        "label": "Prospect Match",
        "pluralLabel": "Prospect Matches",
        "publishBehavior": "PublishAfterCommit",
    }
    rights = ET.fromstring(project[f"{folder}/permissionsets/Engagement.permissionset-meta.xml"])
    [of_event] = [
        said(each)
        for each in rights.iter(f"{NAMESPACE}objectPermissions")
        if said(each)["object"] == "Prospect_Match__e"
    ]
    allowed = {name for name, value in of_event.items() if value == "true"}
    assert allowed == {"allowCreate", "allowRead"}
    fields = {str(said(each)["field"]) for each in rights.iter(f"{NAMESPACE}fieldPermissions")}
    assert not any(name.startswith("Prospect_Match__e") for name in fields)


def test_what_a_package_brings_is_not_deployed():
    shown = {"saleswings__Hot__c": "temperature", "Liked__c": "favorite"}
    chosen = EngagementSettings(objects={"tag": "saleswings__SW_Tag__c"}, person_fields=shown)
    files = source_project(
        chosen.org_objects, permission_set="Engagement", label="E", api_version="62.0"
    )
    assert not [path for path in files if "saleswings__Hot__c" in path]
    assert not [path for path in files if path.endswith("saleswings__SW_Tag__c.object-meta.xml")]
    assert [path for path in files if path.endswith("Lead/fields/Liked__c.field-meta.xml")]
    rights = files["force-app/main/default/permissionsets/Engagement.permissionset-meta.xml"]
    assert "<field>Lead.saleswings__Hot__c</field>" in rights
