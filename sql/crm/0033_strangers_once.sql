-- Intents about people whom the org did not know have newer versions by now: only the newest of
-- each is to be sent, should they become known.
UPDATE crm.operation AS o
SET state = 'superseded'
WHERE
    o.state = 'dropped'
    AND o.reason = 'not in the org, and the account creates nobody'
    AND EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = o.account_id
            AND newer.natural_key = o.natural_key
            AND newer.version > o.version
    );
