-- Once a day each account's rows in the warehouse are counted against what was read of them.

CREATE TABLE crm.source_count (
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    source text NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT now(),
    rows bigint NOT NULL DEFAULT 0,
    again bigint [] NOT NULL DEFAULT '{}',
    members_read_at timestamptz,
    still_unread bigint NOT NULL DEFAULT 0,
    incomplete bigint NOT NULL DEFAULT 0,
    vanished bigint NOT NULL DEFAULT 0,
    explained jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (account_id, source)
);

COMMENT ON TABLE crm.source_count IS 'The last count of each source: of the warehouse''s rows, what was read.';
COMMENT ON COLUMN crm.source_count.again
IS 'Ids of rows that no cycle had read; their activities were read then.';
COMMENT ON COLUMN crm.source_count.members_read_at
IS 'When these rows were read for members of campaigns.';
COMMENT ON COLUMN crm.source_count.still_unread IS 'Those that the extract did not give even then.';
COMMENT ON COLUMN crm.source_count.incomplete
IS 'Rows that cannot be read: their person, session or event is not in the warehouse.';
COMMENT ON COLUMN crm.source_count.vanished
IS 'Rows that were read once and are not in the warehouse any more.';
COMMENT ON COLUMN crm.source_count.explained
IS 'Days that differ, and whose rows were compared: the numbers on both sides, and the vanished.';

-- Accounts that are there already are counted one after another within the coming day.
INSERT INTO crm.source_count (account_id, source, counted_at)
SELECT a.account_id, s.source, now() - random() * interval '1 day'
FROM crm.account AS a
CROSS JOIN (VALUES ('registrations'), ('attendances')) AS s (source);
