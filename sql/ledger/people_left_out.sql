-- The people who are left out, since the org does not know them and the account makes nobody.
SELECT count(DISTINCT o.person_key)
FROM crm.operation AS o
WHERE
    o.account_id = :account_id
    AND o.kind = 'person'
    AND o.state = 'left_out'
    AND o.reason_code = 'UNKNOWN_PERSON'
