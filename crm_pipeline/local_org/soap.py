"""SOAP: `login()`, off from API v65 on and in orgs that switch it off, and the few calls beside it.

Those are `logout()`, and with a session `emptyRecycleBin()` and `undelete()`.
"""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from crm_pipeline.exceptions import PicklableError
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.logins import Refusal, check_password, open_session
from crm_pipeline.local_org.routing import Answer, Call, Route
from crm_pipeline.local_org.soap_bin import OPERATIONS, answer_in_xml
from crm_pipeline.local_org.store import Org, User
from crm_pipeline.local_org.xml_bodies import parsed

FIRST_WITHOUT_LOGIN = 65
_LAST_RETIRED = 30
_INVALID_LOGIN = "Invalid username, password, security token; or user locked out."
_NO_TOKEN = (
    f"{_INVALID_LOGIN} Are you at a new location? When accessing Salesforce--either via a desktop "
    "client or the API--from outside of your company\u2019s trusted networks, you must add a "
    "security token to your password to log in. To get your new security token, log in to "
    "Salesforce. From your personal settings, enter Reset My Security Token in the Quick Find "
    "box, then select Reset My Security Token."
)
_DISABLED = (
    "SOAP API login() is disabled by default in this org. Contact the org administrator to "
    "enable SOAP API login()."
)


class _Fault(PicklableError):  # noqa: N818 - an answer
    def __init__(self, code: str, message: str, kind: str = "UnexpectedErrorFault") -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.kind = kind


def soap(org: Org, call: Call) -> Answer:
    """`POST /services/Soap/u/59.0`: one call; what is not known here is a fault (HTTP 500)."""
    flavour = "enterprise" if call.params["flavour"] == "c" else "partner"
    try:
        version = _version(call)
        envelope = _envelope_of(call.body)
        texts = dict(envelope)
        operation = next((name for name in OPERATIONS if name in texts), None)
        if "logout" in texts:
            org.sessions.pop(texts.get("sessionId", ""), None)
            content = "<logoutResponse/>"
        elif operation is not None:
            user_id = _user_of_session(org, texts.get("sessionId", ""))
            ids = [text for name, text in envelope if name in ("ids", "ID")]
            content = answer_in_xml(org, user_id, operation, ids)
        else:
            content = _login_response(org, call, _user(org, version, texts))
    except SalesforceError as error:
        fault = _Fault(error.error_code, error.message)
        return _envelope(500, f'xmlns:sf="urn:fault.{flavour}.soap.sforce.com"', _told(fault))
    except _Fault as fault:
        return _envelope(500, f'xmlns:sf="urn:fault.{flavour}.soap.sforce.com"', _told(fault))
    return _envelope(200, f'xmlns="urn:{flavour}.soap.sforce.com"', content)


def _version(call: Call) -> int:
    version = call.params["soap_version"].partition(".")[0]
    is_number = version.isascii() and version.isdigit() and len(version) < 4
    number = int(version) if is_number else 0
    if number <= _LAST_RETIRED:
        raise _Fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    return number


def _user_of_session(org: Org, session_id: str) -> str:
    session = org.session(session_id)
    if session is None:
        text = "Invalid Session ID found in SessionHeader: Illegal Session"
        raise _Fault("INVALID_SESSION_ID", text)
    org.meter.charge(org.now())
    return session.user_id


def kind_of(call: Call) -> str:
    """The kind of a call, for faults and counts."""
    return next((f"soap.{name}" for name in OPERATIONS if name.encode() in call.body), "login")


def _envelope_of(body: bytes) -> list[tuple[str, str]]:
    """All elements in their order: local name and text."""
    try:
        envelope = parsed(body)
    except ValueError as error:
        raise _Fault("soapenv:Client", f"The request is not well-formed XML: {error}") from None
    return [(each.tag.rpartition("}")[2], each.text or "") for each in envelope.iter()]


def _user(org: Org, version: int, texts: Mapping[str, str]) -> User:
    if "login" not in texts:
        raise _Fault("INVALID_OPERATION", "The call is not available here")
    if version >= FIRST_WITHOUT_LOGIN or not org.config.logins.soap:
        raise _Fault("INVALID_OPERATION", _DISABLED)
    in_scope = long_id(texts.get("organizationId", "")) == org.id
    checked = check_password(
        org, texts.get("username", ""), texts.get("password", ""), trusted_network=in_scope
    )
    if checked is Refusal.TOKEN_MISSING:
        raise _Fault("LOGIN_MUST_USE_SECURITY_TOKEN", _NO_TOKEN, "LoginFault")
    if isinstance(checked, Refusal):
        raise _Fault("INVALID_LOGIN", _INVALID_LOGIN, "LoginFault")
    return checked


def _login_response(org: Org, call: Call, user: User) -> str:
    path = f"{call.params['soap_version']}/{org.id[:15]}"
    row = org.table("User").rows[user.id]
    result = {
        "metadataServerUrl": f"{call.base_url}/services/Soap/m/{path}",
        "passwordExpired": str(user.password_expired).lower(),
        "sandbox": str(org.config.sandbox).lower(),
        "serverUrl": f"{call.base_url}/services/Soap/{call.params['flavour']}/{path}",
        "sessionId": open_session(org, user).token,
        "userId": user.id,
    }
    currencies = list(org.config.currencies)
    info = {
        "accessibilityMode": "false",
        "currencySymbol": "$",
        "orgDefaultCurrencyIsoCode": currencies[0] if currencies else "USD",
        "organizationId": org.id,
        "organizationMultiCurrency": str(bool(currencies)).lower(),
        "organizationName": org.config.company or org.name,
        "userDefaultCurrencyIsoCode": row.get("DefaultCurrencyIsoCode"),
        "userEmail": row.get("Email"),
        "userFullName": row.get("Name"),
        "userId": user.id,
        "userLanguage": "en_US",
        "userLocale": "en_US",
        "userName": user.username,
        "userTimeZone": "GMT",
        "userType": "Standard",
        "userUiSkin": "Theme3",
        "sessionSecondsValid": str(int((org.config.logins.session_minutes or 0) * 60)),
    }
    inner = f"{_elements(result)}<userInfo>{_elements(info)}</userInfo>"
    return f"<loginResponse><result>{inner}</result></loginResponse>"


def _elements(values: Mapping[str, str | None]) -> str:
    return "".join(
        f'<{key} xsi:nil="true"/>' if value is None else f"<{key}>{escape(value)}</{key}>"
        for key, value in values.items()
    )


def _told(fault: _Fault) -> str:
    kind, plain = fault.kind, fault.kind == "LoginFault" or ":" in fault.code
    code = fault.code if plain else f"sf:{fault.code}"
    bare, text = fault.code.rpartition(":")[2], escape(fault.message)
    return (
        f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{bare}: {text}</faultstring>"
        f'<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{bare}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{text}</sf:exceptionMessage></sf:{kind}></detail></soapenv:Fault>"
    )


def _envelope(status: int, namespace: str, content: str) -> Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        f'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" {namespace} '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>"
    )
    return Answer(status=status, body=body, media_type="text/xml; charset=utf-8")


_PATH = "/services/Soap/{flavour}/{soap_version}"

ROUTES = (
    Route("POST", _PATH, "login", soap, counted=False, session=False, kind_of=kind_of),
    Route(
        "POST",
        f"{_PATH}/{{organization}}",
        "login",
        soap,
        counted=False,
        session=False,
        kind_of=kind_of,
    ),
)
