"""The switches for what nobody could tell of real orgs, as the file of an org knows them."""

from typing import Any, get_args

from crm_pipeline.local_org.config import OpenQuestions


def switches() -> dict[str, tuple[Any, ...]]:
    """Returns the values of each switch by its name, the default first."""
    found = {}
    for name, each in OpenQuestions.model_fields.items():
        values = (True, False) if each.annotation is bool else get_args(each.annotation)
        found[name] = (each.default, *(value for value in values if value != each.default))
    return found
