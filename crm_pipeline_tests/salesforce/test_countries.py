"""Countries are known by whatever people call them."""

import unicodedata
from collections.abc import Iterator

import pycountry
import pytest

from crm_pipeline.salesforce.countries import country_code, subdivision_code
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.values import Why
from crm_pipeline_tests.salesforce.describes import (
    CONTACT_WITH_PLACES,
    choices,
    described_field,
)


def names(country) -> Iterator[str]:
    for field in ("alpha_2", "alpha_3", "numeric", "name", "official_name", "common_name"):
        if name := getattr(country, field, None):
            yield name


def spellings(country) -> set[str]:
    """The usual ways to write a country's codes and names."""
    found = set()
    for name in names(country):
        found |= {
            name,
            name.lower(),
            name.upper(),
            f" {name}. ",
            f"The {name}" if len(name) > 3 else name,
            unicodedata.normalize("NFD", name),
            name.replace("'", "’"),
            name.replace(" and ", " & ").replace("Saint ", "St. "),
            unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode(),
            f"{country.alpha_2} - {name}",
            f"{name} ({country.alpha_3})",
        }
    # A number has no zeros in front.
    return {*found, str(int(country.numeric))}


def org_of(*pairs: tuple[str, str]) -> SObjectSchema:
    """An org whose countries have these codes and names."""
    code = described_field(
        "MailingCountryCode", "picklist", restrictedPicklist=True, picklistValues=choices(*pairs)
    )
    country = described_field("MailingCountry", length=80)
    return SObjectSchema.from_describe({"name": "Contact", "fields": [country, code]})


def test_every_usual_spelling_of_every_country_reaches_an_org_with_picklists():
    org = org_of(*((each.alpha_2, each.name) for each in pycountry.countries))
    asked, dropped, wrong = 0, set(), set()
    for country in pycountry.countries:
        for text in spellings(country):
            fitted = org.fit({"MailingCountry": text}, "create").fields
            asked += 1
            if not fitted:
                dropped.add(text)
            elif fitted["MailingCountryCode"] != country.alpha_2:
                wrong.add(text)

    assert asked > 4_000
    assert wrong == set()
    assert dropped == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("uk", "GB"),
        ("England", "GB"),
        ("Großbritannien", "GB"),
        ("Gran Bretaña", "GB"),
        ("ประเทศไทย", "TH"),
        ("한국", "KR"),
        ("Bharat", "IN"),
        ("Sao Tome", "ST"),
        ("GER", "DE"),
        ("Deutschland", "DE"),
        ("Allemagne", "DE"),
        ("ÖSTERREICH", "AT"),
        ("Côte d’Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("Cote D`Ivoire", "CI"),
        ("Tu\u0308rkiye", "TR"),
        ("Turkey", "TR"),
        ("Holland", "NL"),
        ("The Netherlands", "NL"),
        ("Viet Nam", "VN"),
        ("Bolivia", "BO"),
        ("Russia", "RU"),
        ("United Republic of Tanzania", "TZ"),
        ("St. Vincent & the Grenadines", "VC"),
        ("Kosovo", "XK"),
        ("Congo", "CG"),
        ("Niger", "NE"),
        ("Korea, South", "KR"),
        ("Korea, Rep.", "KR"),
        ("Ireland (Republic of)", "IE"),
        ("Congo, Democratic Republic of", "CD"),
        ("Virgin Islands (British)", "VG"),
        ("Great Britain (UK)", "GB"),
        ("England, UK", "GB"),
        ("Germany/Deutschland", "DE"),
        ("Hong Kong, China", "HK"),
        ("Hong Kong SAR China", "HK"),
        ("Myanmar (Burma)", "MM"),
        ("Palestinian Territories", "PS"),
        ("FYR Macedonia", "MK"),
        ("S. Korea", "KR"),
        ("EE.UU.", "US"),
        ("Oesterreich", "AT"),
        ("Hrvatska", "HR"),
        ("Россия", "RU"),
        ("Russland", "RU"),
        ("N. Z.", "NZ"),
        ("NA", "NA"),
        ("N/A", None),
        ("n.a.", None),
        ("Áo", None),
        ("USA/Canada", None),
        ("Georgia, USA", None),
        ("Paris, France", None),
        ("Virgin Islands", None),
        ("Atlantis", None),
        ("-", None),
        ("", None),
    ],
)
def test_a_country_is_known_by_what_people_call_it(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize("text", ["Germany", "DEU", "Deutschland", "276", "de"])
def test_an_org_s_own_codes_are_found_by_its_own_names(text):
    org = org_of(("GER1", "Germany"), ("AUT1", "Austria"))

    assert org.fit({"MailingCountry": text}, "create").fields == {"MailingCountryCode": "GER1"}


def test_what_says_nothing_is_no_country_of_the_org_s_either():
    org = org_of(("NA", "Namibia"), ("AO", "Angola"))

    for text in ("N/A", "n.a.", "Áo"):
        assert org.fit({"MailingCountry": text}, "create").fields == {}
    assert org.fit({"MailingCountry": "na"}, "create").fields == {"MailingCountryCode": "NA"}


def test_a_country_that_the_org_does_not_have_is_left_out_with_its_reason():
    fitted = org_of(("US", "United States")).fit({"MailingCountry": "Deutschland"}, "create")

    assert fitted.fields == {}
    assert [(change.why, change.old) for change in fitted.changes] == [
        (Why.UNKNOWN_COUNTRY, "Deutschland")
    ]


@pytest.mark.parametrize(
    ("country", "state", "code"),
    [
        ("USA", "TEXAS", "TX"),
        ("USA", "US-TX", "TX"),
        ("Australia", "New  South Wales", "NSW"),
        ("AUS", "AU-WA", "WA"),
        ("United States of America", "Texas (TX)", "TX"),
        ("United States of America", "Tex.", None),
    ],
)
def test_a_state_is_known_by_its_names_and_codes(country, state, code):
    places = SObjectSchema.from_describe(CONTACT_WITH_PLACES)
    fitted = places.fit({"MailingCountry": country, "MailingState": state}, "create").fields

    assert fitted.get("MailingStateCode") == code


def test_a_code_is_no_state_s_of_another_country_in_an_org_that_does_not_say_whose_it_is():
    code = described_field(
        "MailingStateCode",
        "picklist",
        restrictedPicklist=True,
        picklistValues=choices(("WA", "Washington"), ("TX", "Texas")),
    )
    fields = [each for each in CONTACT_WITH_PLACES["fields"] if each["name"] != "MailingStateCode"]
    org = SObjectSchema.from_describe({"name": "Contact", "fields": [*fields, code]})

    perth = org.fit({"MailingCountry": "Australia", "MailingState": "Western Australia"}, "create")
    assert perth.fields == {"MailingCountryCode": "AU"}
    texas = org.fit({"MailingCountry": "USA", "MailingState": "texas"}, "create")
    assert texas.fields == {"MailingCountryCode": "US", "MailingStateCode": "TX"}


def test_the_states_of_iso_are_known_with_and_without_accents():
    assert subdivision_code("CA", "Quebec") == subdivision_code("CA", "QUÉBEC") == "QC"
    assert subdivision_code("XX", "Quebec") is None
