"""State and country picklists, where an org has them switched on.

Salesforce: state and country keep integration values (names) and codes, in step with each other.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.schema import Row, SObjectType, make_field
from crm_pipeline.local_org.store import Table

_CODE_LENGTH = 10


@cache
def _known() -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
    text = Path(__file__).with_name("countries.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded["countries"], loaded["states"]


def add_code_fields(of: SObjectType) -> None:
    """Gives each address of an object its StateCode and CountryCode."""
    countries, states = _known()
    entries = {
        "Country": dict(countries),
        "State": {code: name for each in states.values() for code, name in each.items()},
    }
    of.coded_addresses = tuple(
        each.name.removesuffix("Address") for each in of.fields.values() if each.type == "address"
    )
    for prefix in of.coded_addresses:
        for part, values in entries.items():
            beside = of.fields[f"{prefix}{part}".lower()]
            code = make_field(
                {
                    "name": f"{prefix}{part}Code",
                    "label": f"{beside.label} Code",
                    "type": "picklist",
                    "length": _CODE_LENGTH,
                    "compoundFieldName": beside.compound_field_name,
                    "createable": beside.createable,
                    "updateable": beside.updateable,
                    "picklist": [{"value": key, "label": name} for key, name in values.items()],
                }
            )
            of.fields[code.name.lower()] = code


def sync_address(table: Table, row: Row, old: Row | None) -> None:
    """Completes names by codes and codes by names, or refuses what is unknown.

    Does nothing in an org without state and country picklists.
    """
    for prefix in table.type.coded_addresses:
        _sync(table, row, old or {}, prefix)


def _sync(table: Table, row: Row, old: Row, prefix: str) -> None:
    countries, states = _known()
    names = [f"{prefix}{part}" for part in ("Country", "CountryCode", "State", "StateCode")]
    if all(row.get(name) == old.get(name) for name in names):
        return
    country = _code(row, old, f"{prefix}Country", countries)
    if country == "":
        raise _unknown(table, f"{prefix}Country", "country", "country/territory", "countries")
    row[f"{prefix}CountryCode"] = country
    row[f"{prefix}Country"] = countries[country] if country else None
    of_country = states.get(country or "", {})
    state = _code(row, old, f"{prefix}State", of_country)
    if state is not None and country is None:
        label = table.type.fields[f"{prefix}state".lower()].label
        raise refuse(
            "FIELD_INTEGRITY_EXCEPTION",
            "A country/territory must be specified before specifying a state value for field: "
            f"{label}",
            f"{prefix}State",
        )
    if state == "":
        raise _unknown(table, f"{prefix}State", "state", "state", "states")
    row[f"{prefix}StateCode"] = state
    row[f"{prefix}State"] = of_country[state] if state else None


def _code(row: Row, old: Row, name: str, known: Mapping[str, str]) -> str | None:
    """The code of what the row says: None if it says nothing, empty if it is unknown.

    Of name and code the one that changed counts; if both did, the code.
    """
    text, code = row.get(name), row.get(f"{name}Code")
    text_changed = text != old.get(name)
    code_changed = code != old.get(f"{name}Code")
    if text_changed and not (code_changed and code is not None):
        return _find(text, {value: key for key, value in known.items()})
    if code is None and not code_changed:
        return _find(text, {value: key for key, value in known.items()})
    return _find(code, {key: key for key in known})


def _find(given: str | None, codes: Mapping[str, str]) -> str | None:
    if given is None:
        return None
    folded = given.lower()
    return next((code for key, code in codes.items() if key.lower() == folded), "")


def _unknown(table: Table, name: str, what: str, one: str, several: str) -> Exception:
    label = table.type.fields[name.lower()].label
    problem = f"There's a problem with this {what}, even though it may appear correct."
    remedy = f"Please select a {one} from the list of valid {several}."  # noqa: S608 - no SQL
    return refuse("FIELD_INTEGRITY_EXCEPTION", f"{problem} {remedy}: {label}", name)
