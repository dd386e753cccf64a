"""Texts of settings that can be spelled in one way only: API names, Ids, names in addresses."""

import re
from typing import Annotated

from pydantic import AfterValidator


def _spelled(pattern: str, expected: str, example: str) -> AfterValidator:
    """Refuses what is spelled otherwise, and says what is expected."""
    compiled = re.compile(pattern)

    def check(chosen: str) -> str:
        if not compiled.fullmatch(chosen):
            raise ValueError(f"{expected} is expected, such as {example}")
        return chosen

    return AfterValidator(check)


_NAME = "[A-Za-z][A-Za-z0-9_]*"

FieldApiName = Annotated[str, _spelled(_NAME, "the API name of a field", "Industry")]
CustomFieldName = Annotated[
    str, _spelled(f"{_NAME}__c", "the API name of a custom field", "External_Key__c")
]
ObjectApiName = Annotated[str, _spelled(_NAME, "the API name of an object", "Feedback__c")]
CustomObjectName = Annotated[
    str, _spelled(f"{_NAME}__c", "the API name of a custom object", "Tag__c")
]
EventName = Annotated[
    str, _spelled(f"{_NAME}__e", "the API name of a platform event", "Prospect_Match__e")
]
Prefix = Annotated[
    str,
    _spelled(
        f"({_NAME}_)?", "a text that ends in an underscore", "our_, or saleswings__ of a package"
    ),
]
AddressName = Annotated[
    str, _spelled("[A-Za-z0-9_-]{1,80}", "a name of 80 letters, digits, - and _ at most", "leave")
]
"""A name that stands in an address."""
OrganizationId = Annotated[
    str, _spelled("00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?", "the Id of an org", "00D000000000001")
]
BusinessUnitId = Annotated[
    str, _spelled("0Uv[A-Za-z0-9]{12}([A-Z0-5]{3})?", "the Id of a unit", "0Uv000000000001")
]
