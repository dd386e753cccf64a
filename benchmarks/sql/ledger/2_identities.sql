-- Each of them is a Lead that was sent.
INSERT INTO crm.identity (account_id, person_key, sobject, salesforce_id, reason, sent, as_of)
SELECT
    p.account_id,
    p.person_key,
    'Lead',
    '00Q' || lpad(p.person_key::text, 15, '0'),
    'created',
    '{"Email": "md5", "LastName": "md5", "Company": "md5", "City": "md5"}',
    p.as_of
FROM crm.person AS p
WHERE p.address LIKE 'former%%'
