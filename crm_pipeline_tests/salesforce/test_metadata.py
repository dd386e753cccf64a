"""Metadata to deploy: well formed, in the order of the published schema, nothing too much."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import pytest

from crm_pipeline.accounts import webinar_objects
from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.engagement_objects import PERSON_SOURCES
from crm_pipeline.accounts.feedback_records import FeedbackObject
from crm_pipeline.salesforce.metadata import Project, source_project
from crm_pipeline.salesforce.org_objects import OrgObject
from crm_pipeline.salesforce.report_metadata import reports

ALL = EngagementSettings(
    pages=True,
    accounts=True,
    opportunity_tags=True,
    opportunity_scores=True,
    master_detail=("account",),
    by_event=True,
)
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"

# The elements that we use, as they follow each other in the metadata WSDL (API 62.0 to 67.0), with
# their types there; those with a ! may not be left out. All types extend Metadata, whose full name
# comes first.
SCHEMA = {
    "CustomField": """
        fullName:string caseSensitive:boolean defaultValue:string deleteConstraint:DeleteConstraint
        description:string externalId:boolean inlineHelpText:string label:string length:int
        precision:int referenceTo:string relationshipLabel:string relationshipName:string
        relationshipOrder:int reparentableMasterDetail:boolean required:boolean scale:int
        type:FieldType unique:boolean visibleLines:int writeRequiresMasterRead:boolean
    """,
    "CustomObject": """
        fullName:string deploymentStatus:DeploymentStatus description:string enableReports:boolean
        eventType:PlatformEventType label:string nameField:CustomField pluralLabel:string
        publishBehavior:PlatformEventPublishBehavior sharingModel:SharingModel
    """,
    "PermissionSet": """
        fullName:string description:string fieldPermissions:PermissionSetFieldPermissions
        hasActivationRequired:boolean label:string! objectPermissions:PermissionSetObjectPermissions
    """,
    "Report": """
        columns:ReportColumn description:string filter:ReportFilter format:ReportFormat!
        groupingsDown:ReportGrouping name:string! reportType:string! scope:string
        showDetails:boolean showGrandTotal:boolean showSubTotals:boolean
        timeFrameFilter:ReportTimeFrameFilter
    """,
    "ReportColumn": "field:string!",
    "ReportFilter": "criteriaItems:ReportFilterItem",
    "ReportFilterItem": """
        column:string! columnToColumn:boolean isUnlocked:boolean operator:FilterOperation!
        value:string
    """,
    "ReportGrouping": "dateGranularity:UserDateGranularity field:string! sortOrder:SortOrder!",
    "ReportTimeFrameFilter": "dateColumn:string! interval:UserDateInterval!",
    "ReportFolder": """
        accessType:FolderAccessTypes name:string! publicFolderAccess:PublicFolderAccess
    """,
    "ReportType": """
        baseObject:string! category:ReportTypeCategory! deployed:boolean! description:string
        join:ObjectRelationship label:string! sections:ReportLayoutSection
    """,
    "ObjectRelationship": "outerJoin:boolean! relationship:string!",
    "ReportLayoutSection": "columns:ReportTypeColumn masterLabel:string!",
    "ReportTypeColumn": "checkedByDefault:boolean! field:string! table:string!",
    "PermissionSetFieldPermissions": "editable:boolean! field:string! readable:boolean",
    "PermissionSetObjectPermissions": """
        allowCreate:boolean! allowDelete:boolean! allowEdit:boolean! allowRead:boolean!
        modifyAllRecords:boolean! object:string! viewAllFields:boolean viewAllRecords:boolean!
    """,
}
VALUES = {
    "string": r"(?s).+",
    "boolean": "true|false",
    "int": "[0-9]+",
    "DeleteConstraint": "Cascade|Restrict|SetNull",
    "DeploymentStatus": "InDevelopment|Deployed",
    "FieldType": "Text|LongTextArea|Email|Phone|Url|Checkbox|Number|DateTime|Lookup|MasterDetail",
    "PlatformEventType": "HighVolume|StandardVolume",
    "PlatformEventPublishBehavior": "PublishAfterCommit|PublishImmediately",
    "ReportFormat": "MultiBlock|Matrix|Summary|Tabular",
    "FilterOperation": "equals|notEqual|lessThan|greaterThan|contains|startsWith",
    "UserDateGranularity": "None|Day|Week|Month|Quarter|Year",
    "SortOrder": "Asc|Desc",
    "UserDateInterval": "INTERVAL_[A-Z0-9]+",
    "FolderAccessTypes": "Shared|Public|Hidden|PublicInternal",
    "PublicFolderAccess": "ReadOnly|ReadWrite",
    "ReportTypeCategory": "accounts|opportunities|cases|leads|campaigns|activities|other",
    "SharingModel": "Private|Read|ReadWrite|ControlledByParent",
}

# By type of field: what is said of it, and of what else it may say something (Metadata API guide,
# "CustomField"); with a range, a number.
ALWAYS = {"fullName", "label", "type"}
KINDS: dict[str, tuple[dict[str, tuple[int, int] | None], set[str]]] = {
    "Text": ({"length": (1, 255)}, {"required", "externalId", "unique", "caseSensitive"}),
    "LongTextArea": ({"length": (256, 131_072), "visibleLines": (2, 50)}, set()),
    "Email": ({}, {"required"}),
    "Phone": ({}, {"required"}),
    "Url": ({}, {"required"}),
    "DateTime": ({}, {"required"}),
    "Checkbox": ({"defaultValue": None}, set()),
    "Number": ({"precision": (1, 18), "scale": (0, 17)}, {"required"}),
    "Lookup": (
        {"referenceTo": None, "relationshipName": None, "deleteConstraint": None},
        {"relationshipLabel", "required"},
    ),
    "MasterDetail": (
        {"referenceTo": None, "relationshipName": None, "relationshipOrder": (0, 1)},
        {"relationshipLabel", "reparentableMasterDetail", "writeRequiresMasterRead"},
    ),
}
OF_EVENTS = {"Checkbox", "DateTime", "Number", "Text", "LongTextArea"}
LONGEST = {"label": 40, "pluralLabel": 40, "relationshipLabel": 80, "inlineHelpText": 510}
_NAME = r"[A-Za-z](_?[A-Za-z0-9])*"

EVERY_FIELD = {
    **{f"A_{source}__c": source for source in PERSON_SOURCES},
    "A_score__c": "score:7",
    "A_grade__c": "grade:7",
    "saleswings__Hot__c": "temperature",
}
PROJECTS = {
    "default": EngagementSettings().org_objects,
    "all": ALL.org_objects,
    "every field": EngagementSettings(by_event=True, person_fields=EVERY_FIELD).org_objects,
    "details": ALL.model_copy(
        update={"prefix": "our_", "master_detail": ("account", "opportunity")}
    ).org_objects,
    "webinars": webinar_objects.OBJECTS,
    "feedback": [FeedbackObject().org_object],
}


def project_of(objects: Sequence[OrgObject]) -> Project:
    return source_project(
        objects, permission_set="Engagement", label="Engagement", api_version="62.0"
    )


@pytest.fixture
def project() -> Project:
    return project_of(ALL.org_objects)


every_project = pytest.mark.parametrize("objects", PROJECTS.values(), ids=PROJECTS)


def parsed(project: Project) -> dict[PurePosixPath, ET.Element]:
    return {
        PurePosixPath(path): ET.fromstring(text)
        for path, text in project.items()
        if path.endswith(".xml")
    }


def said(element: ET.Element) -> dict[str, str | None]:
    return {child.tag.removeprefix(NAMESPACE): child.text for child in element}


def obeys(element: ET.Element, kind: str) -> None:
    """An element has what its type has in the published schema, in that order, once each."""
    declared = [each.partition(":") for each in SCHEMA[kind].split()]
    types = {name: of.removesuffix("!") for name, _, of in declared}
    names = [child.tag.removeprefix(NAMESPACE) for child in element]
    order = list(types)
    assert [order.index(name) for name in names] == sorted(order.index(name) for name in names)
    assert {name for name, _, of in declared if of.endswith("!")} <= set(names)
    for child, name in zip(element, names, strict=True):
        if types[name] in SCHEMA:
            obeys(child, types[name])
        else:
            assert names.count(name) == 1
            assert len(child) == 0
            assert re.fullmatch(VALUES[types[name]], child.text or ""), (name, child.text)


@every_project
def test_elements_are_those_of_the_published_schema(objects: Sequence[OrgObject]):
    for root in parsed(project_of(objects)).values():
        assert root.tag.startswith(NAMESPACE)
        obeys(root, root.tag.removeprefix(NAMESPACE))


def test_report_types_and_reports_are_of_the_published_schema():
    statuses = ["Requested", "Attended, in part"]
    roots = parsed(reports(campaign_type="Webinar", to_call=statuses, fields={}))
    kinds = Counter[str]()
    for path, root in roots.items():
        kind = root.tag.removeprefix(NAMESPACE)
        kinds[kind] += 1
        obeys(root, kind)
        assert path.name.endswith(f".{kind[0].lower()}{kind[1:]}-meta.xml")
        if kind == "Report":
            of = said(root)
            assert len(of["name"] or "") <= 40
            assert len(of["description"] or "") <= 255
            # No column may be one that rows are grouped by.
            groups, columns = (
                {e.findtext(f"{NAMESPACE}field") for e in root.iter(f"{NAMESPACE}{name}")}
                for name in ("groupingsDown", "columns")
            )
            assert groups.isdisjoint(columns)
    assert kinds == {"ReportType": 1, "ReportFolder": 1, "Report": 2}
    values = {e.text for root in roots.values() for e in root.iter(f"{NAMESPACE}value")}
    # A comma is between values, unless it stands in quotes.
    assert values == {"Webinar", 'Requested,"Attended, in part"'}


@every_project
def test_each_field_says_what_its_type_needs_and_nothing_else(objects: Sequence[OrgObject]):
    masters = Counter[PurePosixPath]()
    for path, root in parsed(project_of(objects)).items():
        if root.tag != f"{NAMESPACE}CustomField":
            continue
        of = said(root)
        kind = str(of["type"])
        needs, may = KINDS[kind]
        assert needs.keys() <= of.keys() - ALWAYS <= needs.keys() | may | {"inlineHelpText"}, path
        for name, span in needs.items():
            if span is not None:
                assert span[0] <= int(of[name] or "") <= span[1], (path, name)
        assert re.fullmatch(f"{_NAME}__c", of["fullName"] or "")
        assert re.fullmatch(_NAME, of.get("relationshipName") or "A")
        # A required lookup cannot be emptied; capitals matter only where values are unique.
        assert of.get("deleteConstraint") != "SetNull" or of["required"] == "false"
        assert "caseSensitive" not in of or of["unique"] == "true"
        if path.parts[-3].endswith("__e"):
            assert kind in OF_EVENTS
        masters[path.parent] += kind == "MasterDetail"
    assert max(masters.values()) <= 2


@every_project
def test_labels_fit(objects: Sequence[OrgObject]):
    for root in parsed(project_of(objects)).values():
        for element in root.iter():
            name = element.tag.removeprefix(NAMESPACE)
            assert len(element.text or "") <= LONGEST.get(name, 1_000)


@every_project
def test_rights_stand_on_those_they_need(objects: Sequence[OrgObject]):
    [root] = [
        root
        for path, root in parsed(project_of(objects)).items()
        if path.name.endswith(".permissionset-meta.xml")
    ]
    rights = [said(each) for each in root.iter(f"{NAMESPACE}objectPermissions")]
    for of in rights:
        allowed = {name for name, value in of.items() if value == "true"}
        assert "allowRead" in allowed
        assert "allowDelete" not in allowed or "allowEdit" in allowed
    fields = [said(each) for each in root.iter(f"{NAMESPACE}fieldPermissions")]
    assert {each["readable"] for each in fields} <= {"true"}
    named = [str(each.get("object") or each["field"]) for each in (*rights, *fields)]
    assert len(named) == len({each.lower() for each in named})


def test_with_events_the_fields_of_people_are_only_read(project: Project):
    path = "force-app/main/default/permissionsets/Engagement.permissionset-meta.xml"
    fields = {
        str(each["field"]): each["editable"]
        for each in map(said, ET.fromstring(project[path]).iter(f"{NAMESPACE}fieldPermissions"))
    }
    assert fields["Lead.Favorite__c"] == fields["Contact.Temperature__c"] == "false"
    assert fields["Account.Temperature__c"] == fields["Prospect__c.Favorite__c"] == "true"


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
