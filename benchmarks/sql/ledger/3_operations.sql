-- Of each of them an operation that sent the Lead, and one that sent an activity; all but one of a
-- thousand are done.
INSERT INTO crm.operation (
    account_id, flow, kind, natural_key, version, as_of, content_hash, intent, state,
    sobject, action, salesforce_id, created_at, sent_at, finished_at, person_key, error_code
)
SELECT
    p.account_id,
    'webinars',
    k.kind,
    k.key || p.person_key,
    1,
    p.as_of,
    sha256(p.address::bytea),
    jsonb_build_object(
        'Lead', jsonb_build_object(
            'Email', p.address, 'LastName', 'Former' || p.person_key, 'Company', 'A company of some name',
            'City', 'A town', 'Street', 'A street with a number', 'Title', 'Some title'
        )
    ),
    CASE WHEN p.person_key %% 1000 = 1 THEN 'exhausted' ELSE 'done' END,
    k.sobject,
    'insert',
    k.prefix || lpad(p.person_key::text, 15, '0'),
    p.as_of,
    p.as_of,
    p.as_of,
    p.person_key,
    CASE WHEN p.person_key %% 1000 = 1 THEN 'FIELD_CUSTOM_VALIDATION_EXCEPTION' END
FROM crm.person AS p
CROSS JOIN (
    VALUES ('person', 'person:', 'Lead', '00Q'), ('activity', 'registration:former-', 'Event', '00U')
) AS k (kind, key, sobject, prefix)
WHERE p.address LIKE 'former%%'
