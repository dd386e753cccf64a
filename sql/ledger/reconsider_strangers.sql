-- People whom the org did not know, where the account creates nobody: they are looked up again
-- with what waits for them, as soon as something new is about them (or now, all of them). Kinds
-- that the account has off stay as they are until it has them on.
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
WHERE
    o.account_id = :account_id
    AND o.kind = any(CAST(:kinds AS text []))
    AND o.state = 'dropped'
    AND o.reason = :reason
    AND (
        o.person_key IN (SELECT a.person_key FROM again AS a)
        OR NOT EXISTS (
            SELECT FROM crm.operation AS p
            WHERE
                p.account_id = o.account_id
                AND p.person_key = o.person_key
                AND p.kind = 'person'
                AND p.state = 'dropped'
        )
    )
