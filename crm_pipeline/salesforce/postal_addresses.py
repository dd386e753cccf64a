"""States and countries, in orgs that keep them as picklists (the default in new orgs).

There a text such as Country "DE" is refused with FIELD_INTEGRITY_EXCEPTION, and nothing of the
record is saved. Each address then has, beside `Country` and `State`, the fields `CountryCode` and
`StateCode`, by which a describe tells that they are picklists (help: State and Country
Picklists). We write the codes.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crm_pipeline.salesforce.countries import country_code, plain_name, subdivision_code
from crm_pipeline.salesforce.fields import FieldSchema, PicklistValue
from crm_pipeline.salesforce.values import Why

_ANY_COUNTRY = ""
"""Instead of a country, for states of which the describe does not say whose they are."""


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """The four fields of one address, and what they may hold.

    Attributes:
        countries: codes by code and by name, in lower case.
        states: by the country's code: codes by code and by name, in lower case.
    """

    country: str
    country_code: str
    state: str
    state_code: str | None
    countries: Mapping[str, str]
    states: Mapping[str, Mapping[str, str]]


def postal_addresses_of(fields: Mapping[str, FieldSchema]) -> list[PostalAddress]:
    """The addresses of an object whose states and countries are picklists."""
    addresses = []
    for name, code in fields.items():
        if not name.endswith("CountryCode") or not code.values:
            continue
        prefix = name.removesuffix("CountryCode")
        state_code = fields.get(f"{prefix}StateCode")
        addresses.append(
            PostalAddress(
                country=f"{prefix}Country",
                country_code=name,
                state=f"{prefix}State",
                state_code=state_code.name if state_code else None,
                countries=_by_name(code.values),
                states=_states(code.values, state_code.values if state_code else ()),
            )
        )
    return addresses


def fit_postal_address(
    address: PostalAddress, fitted: dict[str, Any], *, state_alone: bool
) -> Iterator[tuple[str, Why, Any]]:
    """Puts codes in the place of texts, in `fitted` itself.

    Args:
        address: the address.
        fitted: fields of a record.
        state_alone: whether a state may come without its country, which the record then has.

    Yields:
        What had to be left out: field, why, value.
    """
    if address.country in fitted:
        country = fitted.pop(address.country)
        code = None if country is None else _country(address, country)
        if code is None and country is not None:
            yield address.country, Why.UNKNOWN_COUNTRY, country
        else:
            fitted.setdefault(address.country_code, code)
    if address.state in fitted:
        state = fitted.pop(address.state)
        found = None if state is None else _state(address, fitted, state, state_alone)
        if isinstance(found, Why):
            yield address.state, found, state
        elif address.state_code is not None:
            fitted.setdefault(address.state_code, found)


def _country(address: PostalAddress, text: str) -> str | None:
    """The org's code of a country: by its own names, else by those that are usual anywhere."""
    own = _by_any_spelling(address.countries, text)
    if own is not None:
        return own
    code = country_code(text)
    if code is None:
        return None
    return address.countries.get(code.casefold()) or next(
        (own for name, own in address.countries.items() if country_code(name) == code), None
    )


def _by_any_spelling(names: Mapping[str, str], text: str) -> str | None:
    found = names.get(text.casefold())
    if found is None and (plain := plain_name(text)):
        found = next((own for name, own in names.items() if plain_name(name) == plain), None)
    return found


def _state(address: PostalAddress, fitted: Mapping[str, Any], state: str, alone: bool) -> str | Why:
    country = fitted.get(address.country_code)
    if country is not None:
        own = address.states.get(country, {})
        # The same code is one of other countries' states, too.
        code = subdivision_code(country, state)
        return (
            _by_any_spelling({**address.states.get(_ANY_COUNTRY, {}), **own}, state)
            or (code and own.get(code.casefold()))
            or Why.UNKNOWN_STATE
        )
    if not alone or address.country_code in fitted:
        return Why.STATE_WITHOUT_COUNTRY
    found = {
        states[state.casefold()] for states in address.states.values() if state.casefold() in states
    }
    return found.pop() if len(found) == 1 else Why.STATE_WITHOUT_COUNTRY


def _by_name(values: "tuple[PicklistValue, ...]") -> dict[str, str]:
    found = {choice.label.casefold(): choice.value for choice in values if choice.active}
    return found | {choice.value.casefold(): choice.value for choice in values if choice.active}


def _states(
    countries: "tuple[PicklistValue, ...]", states: "tuple[PicklistValue, ...]"
) -> dict[str, dict[str, str]]:
    """The states of each country; a state's bitmap says for which of them it is valid."""
    found: dict[str, dict[str, str]] = {}
    for state in states:
        if not state.active:
            continue
        for country in _countries_of(state.valid_for, countries):
            of_country = found.setdefault(country, {})
            of_country.setdefault(state.label.casefold(), state.value)
            of_country[state.value.casefold()] = state.value
    return found


def _countries_of(valid_for: str | None, countries: "tuple[PicklistValue, ...]") -> Iterator[str]:
    if valid_for is None:
        yield _ANY_COUNTRY
        return
    bits = b64decode(valid_for)
    for index, country in enumerate(countries):
        if index >> 3 < len(bits) and bits[index >> 3] & (0x80 >> (index & 7)):
            yield country.value
