"""Fields that columns may fill, by their names."""

import pytest

from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.fields import FieldSchema
from crm_pipeline.sources.suggestions import Suggestion, suggested

COLUMNS = ("job_title", "county", "utm_source", "minutes_attended", "surname", "email")


def schema(*names: str, writable: bool = True) -> SObjectSchema:
    fields = {
        name: FieldSchema(name, "string", createable=writable, updateable=writable)
        for name in names
    }
    return SObjectSchema("Lead", fields)


@pytest.mark.parametrize(
    ("field", "column", "why"),
    [
        ("Job_Title__c", "job_title", "the same name"),
        ("JobTitle__c", "job_title", "the same name"),
        ("UTM_Source__c", "utm_source", "the same name"),
        ("UTMSource__c", "utm_source", "the same name"),
        ("Region__c", "county", "another name for it"),
        ("Minutes_Attend__c", "minutes_attended", "nearly the same name"),
        ("Watch_Time__c", "minutes_attended", "another name for it"),
    ],
)
def test_a_field_is_suggested_for_a_column_of_its_name(field: str, column: str, why: str) -> None:
    assert [*suggested(schema(field), COLUMNS, ())] == [Suggestion(field, column, why)]


def test_fields_that_are_taken_alien_or_never_written_are_not() -> None:
    assert not [*suggested(schema("Job_Title__c", "Email"), COLUMNS, ("JOB_TITLE__C", "email"))]
    assert not [*suggested(schema("Fax__c", "County", "Title__c"), COLUMNS, ())]
    assert not [*suggested(schema("County__c", writable=False), COLUMNS, ())]


def test_the_surest_come_first() -> None:
    found = suggested(schema("Job_Titel__c", "Zip__c", "Region__c", "UTM_Source__c"), COLUMNS, ())
    assert [each.field for each in found] == ["Region__c", "UTM_Source__c", "Job_Titel__c"]
