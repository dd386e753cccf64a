"""Several currencies, where an org has them switched on; without them no field speaks of any.

Salesforce: a record has one CurrencyIsoCode, in which all its amounts are; rates are those of
CurrencyType, units to one of the corporate currency.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from crm_pipeline.local_org.schema import Field, SObjectType, make_field, type_of_file
from crm_pipeline.local_org.store import Org

_WITHOUT = frozenset(
    {"organization", "opportunitystage", "leadstatus", "recordtype", "group", "currencytype",
     "campaignmemberstatus"}
)  # fmt: skip


def add_currencies(types: dict[str, SObjectType], codes: Sequence[str]) -> None:
    """Gives the objects a CurrencyIsoCode, users a default one, and the org CurrencyType."""
    currency = type_of_file(Path(__file__).with_name("currency_type.json"))
    types["currencytype"] = currency
    for name, of in types.items():
        if name in _WITHOUT or of.publish is not None:
            continue
        of.fields["currencyisocode"] = _iso_code(of, "CurrencyIsoCode", codes)
    user = types["user"]
    user.fields["defaultcurrencyisocode"] = _iso_code(user, "DefaultCurrencyIsoCode", codes)


def _iso_code(of: SObjectType, name: str, codes: Sequence[str]) -> Field:
    can_be_set = of.describe["createable"]
    return make_field(
        {
            "name": name,
            "label": "Currency ISO Code",
            "type": "picklist",
            "length": 3,
            "nillable": False,
            "defaultedOnCreate": True,
            "restrictedPicklist": True,
            "picklist": [{"value": code, "defaultValue": code == codes[0]} for code in codes],
            "createable": can_be_set,
            "updateable": can_be_set,
        }
    )


def currency_of(org: Org, user_id: str) -> str:
    """The user's own currency; somebody unknown has the corporate one."""
    row = org.table("User").rows.get(user_id, {})
    return str(row.get("DefaultCurrencyIsoCode") or next(iter(org.config.currencies)))


def converted(amount: float, from_code: str, to_code: str, rates: Mapping[str, float]) -> float:
    """An amount in another currency, to two places."""
    return round(amount / rates.get(from_code, 1.0) * rates.get(to_code, 1.0), 2)
