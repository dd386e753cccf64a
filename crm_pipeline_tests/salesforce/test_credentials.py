"""Credentials show their secrets to nobody but the encryption and the login."""

import pytest

from crm_pipeline.salesforce.credentials import (
    ClientCredentials,
    JwtBearer,
    PasswordToken,
    from_json,
    to_json,
)

ALL = [
    ClientCredentials(client_id="app", client_secret="s3cret"),
    JwtBearer(client_id="app", username="api@acme.com", private_key="-----BEGIN s3cret"),
    PasswordToken(username="api@acme.com", password="s3cret", security_token="s3cretToken"),
]


@pytest.mark.parametrize("credentials", ALL, ids=lambda c: c.method)
def test_credentials_survive_being_stored(credentials):
    assert from_json(to_json(credentials)) == credentials


@pytest.mark.parametrize("credentials", ALL, ids=lambda c: c.method)
def test_no_representation_shows_a_secret(credentials):
    shown = f"{credentials!r} {credentials} {credentials.model_dump()} {vars(credentials)}"

    assert "s3cret" not in shown
    assert "s3cret" not in credentials.model_dump_json()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b'{"method":"client_credentials","client_id":"app","client_secret":["s3cret"]}', "secret"),
        (b'{"method":"password","username":"u","password":"s3cret","more":1}', "more"),
        (b'{"method":"magic","password":"s3cret"}', "method"),
        (b"s3cret", "JSON"),
    ],
)
def test_what_is_no_credential_is_refused_without_showing_it(text, field):
    with pytest.raises(ValueError, match=field) as refused:
        from_json(text)

    assert "s3cret" not in str(refused.value)
    assert refused.value.__context__ is None
