-- Prospects of Leads and Contacts whose events are to be published again: how they stand is to be
-- said.
UPDATE crm.prospect AS p
SET is_open = true
FROM crm.operation AS o
INNER JOIN crm.engagement_person AS e
    ON
        o.account_id = e.account_id
        AND o.intent -> 'about' ->> 'salesforce_id' = e.salesforce_id
WHERE
    o.account_id = :account_id
    AND o.kind = 'record'
    AND o.state IN ('pending', 'failed')
    AND o.intent ->> 'topic' = :topic
    AND p.account_id = e.account_id
    AND p.email = e.email
    AND p.is_active
    AND NOT p.is_open
