"""State and country picklists, where an org has them switched on.

Salesforce: state and country keep integration values (names) and codes, in step with each other.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.schema import Row, SObjectType, make_field
from crm_pipeline.local_org.tables import Table

_CODE_LENGTH = 10


@cache
def _known() -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
    text = Path(__file__).with_name("countries.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded["countries"], loaded["states"]


def add_code_fields(of: SObjectType) -> None:
    """Gives each address of an object its StateCode and CountryCode."""
    countries, states = _known()
    entries: dict[str, list[dict[str, Any]]] = {
        "Country": [{"value": code, "label": name} for code, name in countries.items()],
        "State": [
            {"value": code, "label": name, "validFor": valid_for}
            for index, country in enumerate(countries)
            for valid_for in [_bit(index)]
            for code, name in states.get(country, {}).items()
        ],
    }
    of.coded_addresses = tuple(
        each.name.removesuffix("Address") for each in of.fields.values() if each.type == "address"
    )
    for prefix in of.coded_addresses:
        for part, values in entries.items():
            controller = f"{prefix}CountryCode" if part == "State" else None
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
                    "picklist": values,
                    "controllerName": controller,
                    "dependentPicklist": controller is not None,
                }
            )
            of.fields[code.name.lower()] = code


def _bit(index: int) -> str:
    """The bitmap by which a describe says that a state is valid for the country of that index."""
    return b64encode(bytes(index >> 3) + bytes([0x80 >> (index & 7)])).decode()


def sync_address(table: Table, row: Row, old: Row | None) -> None:
    """Completes names by codes and codes by names, or refuses what is unknown.

    Does nothing in an org without state and country picklists.
    """
    (countries, states), before = _known(), old or {}
    for prefix in table.type.coded_addresses:
        names = [f"{prefix}{part}" for part in ("Country", "CountryCode", "State", "StateCode")]
        if all(row.get(name) == before.get(name) for name in names):
            continue
        country = _settle(table, row, before, names[0], countries)
        if country is None and _given(row, before, names[2])[0] is not None:
            problem = "A country/territory must be specified before specifying a state value"
            raise _refusal(table, names[2], f"{problem} for field")
        _settle(table, row, before, names[2], states.get(country or "", {}))


def _given(row: Row, old: Row, name: str) -> tuple[str | None, bool]:
    """Returns the changed one of a name and its code (the code if both); True if it is the code."""
    text, code = row.get(name), row.get(f"{name}Code")
    if text != old.get(name) and (code is None or code == old.get(f"{name}Code")):
        return text, False
    return code, True


def _settle(table: Table, row: Row, old: Row, name: str, known: Mapping[str, str]) -> str | None:
    """Brings a name and its code into step; `known` maps codes to names. Returns the code."""
    given, is_code = _given(row, old, name)
    code = None
    if given is not None:
        codes = {(key if is_code else value).lower(): key for key, value in known.items()}
        code = codes.get(given.lower())
        if code is None:
            what, which = "state", "a state from the list of valid states"
            if name.endswith("Country"):
                what, which = "country", "a country/territory from the list of valid countries"
            problem = f"There's a problem with this {what}, even though it may appear correct."
            raise _refusal(table, name, f"{problem} Please select {which}.")
    row[f"{name}Code"] = code
    row[name] = known[code] if code else None
    return code


def _refusal(table: Table, name: str, problem: str) -> Exception:
    label = table.type.fields[name.lower()].label
    return refuse("FIELD_INTEGRITY_EXCEPTION", f"{problem}: {label}", name)
