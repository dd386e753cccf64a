import pytest

from crm_pipeline.accounts.account import (
    AccountError,
    AccountSettings,
    checked_account_id,
    checked_login_url,
)


def test_an_account_that_chooses_nothing_gets_the_documented_defaults():
    settings = AccountSettings.parse("acme", {})
    assert settings.api_version == "62.0"
    assert settings.route == "auto"
    assert settings.duplicate_rules == "attach"
    assert settings.activity_external_id_field is None
    assert not settings.assignment_rules
    assert settings.degrade_fields


def test_every_setting_says_what_it_does():
    assert [
        name for name, field in AccountSettings.model_fields.items() if not field.description
    ] == []


def test_texts_of_the_command_line_become_values():
    settings = AccountSettings.parse(
        "acme", {"parallel_requests": "2", "degrade_fields": "false", "api_day_share": "0.5"}
    )
    assert (settings.parallel_requests, settings.degrade_fields) == (2, False)
    assert settings.api_day_share == 0.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parallel_requests", 0),
        ("parallel_requests", 11),
        ("api_day_share", 0),
        ("api_day_share", 1.01),
        ("api_calls_per_cycle", 0),
        ("retry_share", -1),
        ("route", "pigeon"),
        ("duplicate_rules", "ignore"),
        ("api_version", "51.0"),
        ("api_version", "sixty"),
        ("api_version", "62"),
        ("activity_external_id_field", "Subject"),
        ("missing_last_name", ""),
        ("missing_last_name", "x" * 81),
    ],
)
def test_an_impossible_setting_is_named_with_its_account_and_value(name: str, value: object):
    with pytest.raises(AccountError) as refused:
        AccountSettings.parse("acme", {name: value})
    message = str(refused.value)
    assert "\n" not in message
    assert "acme" in message
    assert name in message
    assert repr(value) in message


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("api_version", "62", "a version is written as 62.0"),
        ("api_version", "v62.0", "a version is written as 62.0"),
        ("activity_external_id_field", "Subject", "API name of a custom field is expected, such"),
        ("campaigns", '{"external_id_field": "Key"}', "API name of a custom field is expected"),
        ("person_field_policies", '{"Lead.Phone": "never"}', "API name of a field is expected"),
        ("person_field_policies", '{"Phone": "never", "phone": "source"}', "two policies"),
        ("person_field_policies", "[]", "a JSON object is expected."),
        ("campaigns", "[]", "a JSON object is expected."),
        ("attribution", "{bad", "a JSON object is expected, such as"),
        ("campaigns", '{"attended": null}', "a JSON object is expected."),
        ("stage_of", "[]", "a JSON object is expected."),
        ("attribution", '{"split": "equal"', 'a JSON object is expected, such as {} or {"phone_r'),
        ("attribution", '{"currency": "eur"}', "an ISO code is expected, in capitals, such as EUR"),
        ("stage_of", "no_show", 'such as {"no vino": "no_show"}'),
        ("stage_of", '{"no vino": "absent"}', "'no_show'"),
        ("people_from_stages", "{}", "a JSON list is expected."),
        ("people_from_stages", '["registered", "away"]', "'waitlisted'"),
        ("campaigns", '{"external_id": "Key__c"}', "those that exist: external_id_field, create"),
        (
            "campaigns",
            '{"no_show": {"label": "x", "priority": 9, "text": "x"}}',
            "those that exist: label, has_responded",
        ),
    ],
)
def test_an_impossible_setting_is_explained_in_words_for_people(name: str, value: str, told: str):
    with pytest.raises(AccountError) as refused:
        AccountSettings.parse("acme", {name: value})
    assert told in str(refused.value)
    assert "pattern" not in str(refused.value)
    assert "instance of" not in str(refused.value)


def test_an_unknown_setting_is_answered_with_those_that_exist():
    with pytest.raises(AccountError, match=r"no setting 'paralel_requests'.*parallel_requests"):
        AccountSettings.parse("acme", {"paralel_requests": 2})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        (" https://acme.my.salesforce.com/ ", "https://acme.my.salesforce.com"),
        ("http://127.0.0.1:8080/acme", "http://127.0.0.1:8080/acme"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTPS://Acme.My.Salesforce.com:443", "HTTPS://Acme.My.Salesforce.com:443"),
        (
            "https://acme--uat.sandbox.my.salesforce.com",
            "https://acme--uat.sandbox.my.salesforce.com",
        ),
    ],
)
def test_a_login_url_is_https_or_on_this_machine(given: str, kept: str):
    assert checked_login_url("acme", given) == kept


@pytest.mark.parametrize(
    "address",
    [
        "http://acme.my.salesforce.com",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "ftp://acme.my.salesforce.com",
        "acme.my.salesforce.com",
        "https://",
        "https://[broken",
        "https://acme.my.salesforce.com:port",
        "https://acme.my.salesforce.com/?next=x",
        "https://acme.my.salesforce.com/#x",
        "https://acme.example.com",
        "https://acme.lightning.force.com",
        r"https://evil.example\.salesforce.com",
        r"http://evil.example\@127.0.0.1",
        "https://.salesforce.com",
        "https://a..salesforce.com",
        "https://salesforce.com",
        "https://-.salesforce.com",
        "https://evil.example%2f.salesforce.com",
        "https://evil.example/.salesforce.com",
        "https://evil.example?.salesforce.com",
        "https://evil.example;.salesforce.com",
        "https://evil.example:443.salesforce.com",
        "https://evil.example@acme.my.salesforce.com",
        "https://acme.my.salesforce.com@evil.example",
        "https://acme.my.salesforce.com.evil.example",
        "https://acme.my.salesforce.com:8443",
        "https://acme.my.salesforce.com.",
        "https://\u00e4cme.my.salesforce.com",
        "https://acme.my.s\u0430lesforce.com",
        "https://acme\u3002my.salesforce.com",
        "https://acme.my.sales\nforce.com",
        "https://ac me.my.salesforce.com",
        "https:///acme.my.salesforce.com",
        "https:/acme.my.salesforce.com",
        "//acme.my.salesforce.com",
        "http://127.0.0.1:8080@evil.example",
        "http://0x7f.1",
        "http://127.0.0.1:0/acme",
        "http://127.0.0.1:65536/acme",
        "",
    ],
)
def test_any_other_login_url_is_refused_in_one_line(address: str):
    with pytest.raises(AccountError, match=r"^Account acme: [^\n]+$"):
        checked_login_url("acme", address)


def test_a_login_url_with_a_password_is_refused_without_repeating_it():
    with pytest.raises(AccountError) as refused:
        checked_login_url("acme", "https://ann:s3cret@acme.my.salesforce.com")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("account_id", ["", "a b", "acme/emea", "ärger", "acme\n"])
def test_an_account_id_is_fit_for_a_partition_key(account_id: str):
    with pytest.raises(AccountError):
        checked_account_id(account_id)
    assert checked_account_id("acme-EMEA_2") == "acme-EMEA_2"


def test_each_setting_is_typed_as_it_is_parsed():
    chosen = AccountSettings.parse(
        "acme",
        {
            "campaigns": '{"create_campaigns": false}',
            "start_at": "2026-11-01",
            "roles": '["attendee"]',
            "stage_of": '{"no vino": "no_show"}',
            "api_day_share": "0.25",
            "keep_replaced_values": "true",
        },
    )
    for settings in (AccountSettings(), chosen):
        for name in AccountSettings.model_fields:
            typed = settings.typed(name)
            again = AccountSettings.parse("acme", {name: typed} if typed else {})
            assert getattr(again, name) == getattr(settings, name), name
