-- Other people whose records were found by some addresses and who have another address now, with
-- the addresses by which that is so: the one by which the record was chosen, and those that were
-- written to it. Absorbed people have no address: theirs are their successor's.
SELECT
    m.address,
    i.address AS known_address,
    ARRAY(
        SELECT v.intent #>> '{Lead,Email}'
        FROM crm.operation AS v
        WHERE
            v.account_id = i.account_id
            AND v.natural_key = 'person:' || i.person_key
            AND v.state = 'done'
            AND v.intent #>> '{Lead,Email}' IS NOT NULL
        OFFSET 0
    ) AS written
FROM jsonb_to_recordset(CAST(:matches AS jsonb)) AS m (address text, salesforce_id text)
INNER JOIN crm.identity AS i
    ON i.account_id = :account_id AND m.salesforce_id = i.salesforce_id
INNER JOIN crm.person AS p
    ON i.person_key = p.person_key AND p.address <> m.address
