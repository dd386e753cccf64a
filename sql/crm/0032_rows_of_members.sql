-- The membership that each row of the source tells of: when the row moves to another event or
-- person, or vanishes, the former membership goes by the rows that it still has. Takes about two
-- minutes for a million memberships.

CREATE TABLE crm.member_row (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    source_row text NOT NULL,
    natural_key text NOT NULL,
    PRIMARY KEY (account_id, source_row)
);

COMMENT ON TABLE crm.member_row
IS 'Of which membership each row of the source tells: r4711 is a registration, a99 an attendance.';

INSERT INTO crm.member_row (account_id, source_row, natural_key)
SELECT DISTINCT ON (o.account_id, told.source_row) o.account_id, told.source_row, o.natural_key
FROM crm.operation AS o
INNER JOIN crm.account AS a ON o.account_id = a.account_id
CROSS JOIN LATERAL (
    SELECT jsonb_object_keys(o.memory -> 'rows') AS source_row
    UNION ALL
    SELECT jsonb_object_keys(o.memory -> 'unknown')
) AS told
WHERE
    o.kind = 'member'
    AND NOT EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = o.account_id
            AND newer.natural_key = o.natural_key
            AND newer.version > o.version
    )
ORDER BY o.account_id ASC, told.source_row ASC, o.as_of DESC;

-- Rows that are not in the source any more: few.
CREATE INDEX operation_vanished ON crm.operation (account_id) WHERE memory ? 'vanished';

-- Whether a membership is ours to delete.
ALTER TABLE crm.campaign_member ADD COLUMN created boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN crm.campaign_member.created
IS 'The pipeline made this membership; others were there before.';

UPDATE crm.campaign_member AS m
SET created = true
FROM crm.operation AS o
WHERE
    o.account_id = m.account_id
    AND o.natural_key = 'member:' || m.event_id || ':' || m.person_key
    AND o.kind = 'member'
    AND o.action = 'create'
    AND o.state = 'done'
    AND o.salesforce_id = m.member_id;
