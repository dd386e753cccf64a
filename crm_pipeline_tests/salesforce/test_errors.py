"""The error table, entry by entry, against Salesforce's own wordings."""

import pytest

from crm_pipeline.salesforce import errors
from crm_pipeline.salesforce.errors import ERROR_TABLE, Treatment, decide

LOGIN_REFUSED = "Invalid username, password, security token; or user locked out."
LOCKED = "unable to obtain exclusive access to this record or 1 records: 003xx000004TmiQ"

CASES = [
    ("INVALID_SESSION_ID", "Session expired or invalid", 401, Treatment.LOG_IN_AGAIN),
    ("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID", 500, Treatment.LOG_IN_AGAIN),
    ("InvalidSessionId", "Invalid session id", 400, Treatment.LOG_IN_AGAIN),
    (
        "INVALID_SESSION_ID",
        "This session is not valid for use with the REST API",
        401,
        Treatment.STOP_ACCOUNT,
    ),
    (
        "INVALID_SESSION_ID",
        "Connected app is not attached to Agent",
        401,
        Treatment.STOP_ACCOUNT,
    ),
    ("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", 401, Treatment.STOP_ACCOUNT),
    ("INVALID_LOGIN", LOGIN_REFUSED, 500, Treatment.STOP_ACCOUNT),
    ("LOGIN_MUST_USE_SECURITY_TOKEN", LOGIN_REFUSED, 500, Treatment.STOP_ACCOUNT),
    ("PASSWORD_LOCKOUT", "", 500, Treatment.STOP_ACCOUNT),
    ("LOGIN_DURING_RESTRICTED_DOMAIN", "", 500, Treatment.STOP_ACCOUNT),
    ("LOGIN_DURING_RESTRICTED_TIME", "", 500, Treatment.STOP_ACCOUNT),
    ("ORG_NOT_OWNED_BY_INSTANCE", "", 500, Treatment.STOP_ACCOUNT),
    ("INVALID_OPERATION", "SOAP API login() is disabled by default", 500, Treatment.STOP_ACCOUNT),
    ("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "", 403, Treatment.STOP_ACCOUNT),
    ("LOGIN_RATE_EXCEEDED", "", 500, Treatment.PAUSE_ACCOUNT),
    ("invalid_grant", "authentication failure", 400, Treatment.STOP_ACCOUNT),
    ("invalid_grant", "", 400, Treatment.STOP_ACCOUNT),
    ("invalid_grant", "login rate exceeded", 400, Treatment.PAUSE_ACCOUNT),
    ("invalid_client", "invalid client credentials", 400, Treatment.STOP_ACCOUNT),
    ("invalid_client_id", "client identifier invalid", 400, Treatment.STOP_ACCOUNT),
    ("invalid_client_credentials", "", 400, Treatment.STOP_ACCOUNT),
    ("invalid_app_access", "user is not admin approved", 400, Treatment.STOP_ACCOUNT),
    ("inactive_user", "", 400, Treatment.STOP_ACCOUNT),
    ("inactive_org", "", 400, Treatment.STOP_ACCOUNT),
    ("unauthorized_client", "", 400, Treatment.STOP_ACCOUNT),
    ("unsupported_grant_type", "grant type not supported", 400, Treatment.STOP_ACCOUNT),
    ("rate_limit_exceeded", "", 400, Treatment.PAUSE_ACCOUNT),
    ("unknown_error", "retry your request", 400, Treatment.RETRY),
    ("API_DISABLED_FOR_ORG", "API is not enabled for this Organization", 403, "STOP_ACCOUNT"),
    ("API_CURRENTLY_DISABLED", "The REST API is not enabled", 403, "STOP_ACCOUNT"),
    ("ORG_LOCKED", "", 403, Treatment.STOP_ACCOUNT),
    ("TRIAL_EXPIRED", "", 403, Treatment.STOP_ACCOUNT),
    ("LICENSE_LIMIT_EXCEEDED", "", 400, Treatment.STOP_ACCOUNT),
    ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", 400, Treatment.STOP_ACCOUNT),
    ("UNSUPPORTED_API_VERSION", "", 410, Treatment.STOP_ACCOUNT),
    ("InvalidVersion", "", 400, Treatment.STOP_ACCOUNT),
    ("GONE", "", 410, Treatment.STOP_ACCOUNT),
    ("TXN_SECURITY_NO_ACCESS", "", 403, Treatment.STOP_ACCOUNT),
    ("TXN_SECURITY_RUNTIME_ERROR", "", 400, Treatment.STOP_ACCOUNT),
    ("TXN_SECURITY_APEX_ERROR", "", 400, Treatment.STOP_ACCOUNT),
    ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403, Treatment.PAUSE_ACCOUNT),
    (
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        403,
        Treatment.RETRY,
    ),
    ("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", 403, Treatment.RETRY),
    ("ExceededQuota", "ApiBatchItems Limit exceeded", 400, Treatment.PAUSE_ACCOUNT),
    ("SERVER_UNAVAILABLE", "", 503, Treatment.RETRY),
    ("UNKNOWN_EXCEPTION", "An unexpected error occurred", 500, Treatment.RETRY),
    ("QUERY_TIMEOUT", "Your query request was running for too long.", 400, Treatment.RETRY),
    ("REQUEST_RUNNING_TOO_LONG", "", 400, Treatment.RETRY),
    ("TXN_SECURITY_METERING_ERROR", "policies took too long", 400, Treatment.RETRY),
    ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "", 503, Treatment.RETRY),
    ("UNABLE_TO_LOCK_ROW", LOCKED, 400, Treatment.RETRY_SERIALLY),
    ("TooManyLockFailure", "", 400, Treatment.RETRY_SERIALLY),
    ("INVALID_QUERY_LOCATOR", "invalid query locator", 400, Treatment.RESTART_QUERY),
    ("PROCESSING_HALTED", "The transaction was rolled back", 400, Treatment.RESEND),
    ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back", 400, Treatment.RESEND),
    ("DUPLICATES_DETECTED", "Use one of these records?", 400, Treatment.USE_DUPLICATE),
    ("DUPLICATE_VALUE", "Already a campaign member.", 400, Treatment.ALREADY_THERE),
    (
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "cannot reference converted lead",
        400,
        Treatment.SWITCH_TARGET,
    ),
    ("ENTITY_IS_DELETED", "entity is deleted", 404, Treatment.SWITCH_TARGET),
    ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 404, Treatment.SWITCH_TARGET),
    ("STRING_TOO_LONG", "City: data value too large", 400, Treatment.DEGRADE_FIELD),
    ("INVALID_EMAIL_ADDRESS", "Email: invalid email address", 400, Treatment.DEGRADE_FIELD),
    (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Race: bad value for restricted picklist field: abc",
        400,
        Treatment.DEGRADE_FIELD,
    ),
    (
        "FIELD_INTEGRITY_EXCEPTION",
        "There's a problem with this country",
        400,
        Treatment.DEGRADE_FIELD,
    ),
    ("NUMBER_OUTSIDE_VALID_RANGE", "", 400, Treatment.DEGRADE_FIELD),
    ("INVALID_TYPE_ON_FIELD_IN_RECORD", "", 400, Treatment.DEGRADE_FIELD),
    ("INVALID_FIELD", "No such column 'foo' on sobject of type Lead", 400, "DEGRADE_FIELD"),
    ("INVALID_FIELD", "No such column 'x' on entity 'Lead'.", 400, Treatment.STOP_ACCOUNT),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update", 400, "DEGRADE_FIELD"),
    ("DUPLICATE_EXTERNAL_ID", "more than one record found", 400, Treatment.GIVE_UP),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone is wrong", 400, Treatment.GIVE_UP),
    ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", 400, Treatment.MEND_ORG),
    ("MALFORMED_ID", "id value of incorrect type", 400, Treatment.GIVE_UP),
    ("INSUFFICIENT_ACCESS_OR_READONLY", "", 400, Treatment.MEND_ORG),
    ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "", 400, Treatment.GIVE_UP),
    ("INACTIVE_OWNER_OR_USER", "", 400, Treatment.GIVE_UP),
    ("ENTITY_IS_LOCKED", "", 400, Treatment.TRY_LATER),
    # An error that a trigger or a flow met counts, where it is about this write.
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "a trigger failed", 400, Treatment.TRY_LATER),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "a flow failed", 400, Treatment.TRY_LATER),
    ("APEX_ERROR", "System.NullPointerException", 500, Treatment.TRY_LATER),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        f"T: execution of AfterInsert caused by: UNABLE_TO_LOCK_ROW, {LOCKED}: []",
        400,
        Treatment.RETRY_SERIALLY,
    ),
    (
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        f"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: T: UNABLE_TO_LOCK_ROW, {LOCKED}",
        400,
        Treatment.RETRY_SERIALLY,
    ),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "QUERY_TIMEOUT: too long", 400, Treatment.RETRY_SERIALLY),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "SERVER_UNAVAILABLE", 400, Treatment.RETRY_SERIALLY),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "INVALID_SESSION_ID: a callout's", 400, Treatment.TRY_LATER),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "DUPLICATES_DETECTED: of a task", 400, Treatment.TRY_LATER),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "T: FIELD_CUSTOM_VALIDATION_EXCEPTION, No: []",
        400,
        Treatment.GIVE_UP,
    ),
    ("NOT_FOUND", "The requested resource does not exist", 404, Treatment.GIVE_UP),
    ("INVALID_TYPE", "sObject type 'XYZZY' is not supported.", 400, Treatment.STOP_ACCOUNT),
    ("MALFORMED_QUERY", "unexpected token", 400, Treatment.STOP_ACCOUNT),
    ("INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x", 400, Treatment.STOP_ACCOUNT),
    ("JSON_PARSER_ERROR", "", 400, Treatment.STOP_ACCOUNT),
    ("METHOD_NOT_ALLOWED", "", 405, Treatment.STOP_ACCOUNT),
    ("INVALID_BATCH_SIZE", "", 400, Treatment.STOP_ACCOUNT),
    # Codes that the table does not know.
    ("SOMETHING_NEW", "", 400, Treatment.TRY_LATER),
    ("SOMETHING_NEW", "", 500, Treatment.RETRY),
    ("", "<html>", 200, Treatment.TRY_LATER),
    ("", "<html>", 401, Treatment.LOG_IN_AGAIN),
    ("", "<html>", 404, Treatment.RETRY),
    ("", "<html>", 406, Treatment.RETRY),
    ("", "<html>", 408, Treatment.RETRY),
    ("", "<html>", 410, Treatment.STOP_ACCOUNT),
    ("", "<html>", 413, Treatment.TRY_LATER),
    ("", "<html>", 420, Treatment.RETRY),
    ("", "<html>", 429, Treatment.RETRY),
    ("", "<html>", 500, Treatment.RETRY),
    ("", "<html>", 502, Treatment.RETRY),
    ("", "<html>", 503, Treatment.RETRY),
    ("", "<html>", 504, Treatment.RETRY),
]


@pytest.mark.parametrize(("code", "message", "status", "treatment"), CASES)
def test_an_error_has_its_treatment(code, message, status, treatment):
    expected = Treatment[treatment] if isinstance(treatment, str) else treatment

    assert decide(code, message, status) is expected


def test_every_entry_of_the_table_is_tried_above():
    assert {code for code, *_ in CASES} >= set(ERROR_TABLE)


def test_every_treatment_is_used():
    assert set(ERROR_TABLE.values()) == set(Treatment)


def test_a_stopped_account_says_what_to_do():
    for code, treatment in ERROR_TABLE.items():
        if treatment is Treatment.STOP_ACCOUNT:
            problem = errors.stopped(code, 400)
            assert problem.code == code
            assert problem.action
            assert "\n" not in str(problem)


def test_advice_is_given_for_codes_of_the_table_only():
    assert set(errors._ADVICE) <= set(ERROR_TABLE)


def test_a_refused_request_does_not_repeat_what_salesforce_quoted():
    refused = errors.RequestRefused(400, "INVALID_EMAIL_ADDRESS", "Email: ann@x", ["Email"])

    assert "ann" not in f"{refused} {refused!r}"
    assert refused.message == "Email: ann@x"
    assert refused.fields == ("Email",)
