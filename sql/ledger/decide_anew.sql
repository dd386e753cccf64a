-- The record that was chosen is gone or refuses: match again; no attempt is counted.
WITH undecided AS (
    UPDATE crm.operation
    SET state = 'pending', action = NULL, sobject = NULL, salesforce_id = NULL, sent = NULL
    WHERE operation_id = any(CAST(:operation_ids AS bigint []))
    RETURNING account_id, person_key
)

DELETE FROM crm.identity AS i
USING undecided AS u
WHERE i.account_id = u.account_id AND i.person_key = u.person_key
