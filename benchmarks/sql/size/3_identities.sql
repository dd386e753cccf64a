-- Each member is the contact that it was.
INSERT INTO crm.identity (account_id, person_key, sobject, salesforce_id, reason, sent, as_of)
SELECT %(account)s, n, 'Contact', '003' || n, '', '{}', now()
FROM generate_series(1, %(members)s::bigint) AS n
