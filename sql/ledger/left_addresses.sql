-- Of records that were found by some addresses: the addresses that were written to them of other
-- people, whose records they are and who have another address now. Absorbed people have none: what
-- was theirs is their successor's.
SELECT m.address, v.intent #>> '{Lead,Email}' AS sent_email
FROM jsonb_to_recordset(CAST(:matches AS jsonb)) AS m (address text, salesforce_id text)
INNER JOIN crm.identity AS i
    ON i.account_id = :account_id AND m.salesforce_id = i.salesforce_id
INNER JOIN crm.person AS p
    ON i.person_key = p.person_key AND p.address <> m.address
INNER JOIN crm.operation AS v
    ON i.account_id = v.account_id AND v.natural_key = 'person:' || i.person_key
WHERE v.state = 'done' AND v.intent #>> '{Lead,Email}' IS NOT NULL
