-- Gives every account the state that one account has after a cycle that found nothing.
WITH states AS (
    INSERT INTO crm.sync_state
    SELECT (jsonb_populate_record(s, jsonb_build_object('account_id', a.account_id))).*
    FROM crm.sync_state AS s
    INNER JOIN crm.account AS a ON s.account_id <> a.account_id
    WHERE s.account_id = %(model)s
)

INSERT INTO crm.source_position
SELECT (jsonb_populate_record(p, jsonb_build_object('account_id', a.account_id))).*
FROM crm.source_position AS p
INNER JOIN crm.account AS a ON p.account_id <> a.account_id
WHERE p.account_id = %(model)s
