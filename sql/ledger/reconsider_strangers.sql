-- People whom the org did not know, where the account creates nobody: they are looked up again
-- with what waits for them, as soon as something new is about them (or now, all of them).
WITH again AS (
    UPDATE crm.operation AS p
    SET state = 'pending', finished_at = NULL
    WHERE
        p.account_id = :account_id
        AND p.state = 'dropped'
        AND p.kind = 'person'
        AND p.reason = :reason
        AND (
            :all_of_them
            OR EXISTS (
                SELECT FROM crm.operation AS o
                WHERE
                    o.account_id = p.account_id
                    AND o.person_key = p.person_key
                    AND o.kind <> 'person'
                    AND o.state = 'pending'
            )
        )
    RETURNING p.person_key
)

UPDATE crm.operation AS o
SET state = 'pending', finished_at = NULL
FROM again AS a
WHERE
    o.account_id = :account_id
    AND o.person_key = a.person_key
    AND o.kind <> 'person'
    AND o.state = 'dropped'
    AND o.reason = :reason
