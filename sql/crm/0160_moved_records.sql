-- Which records may have become others, by a column of their own: to compare all that was written
-- since the last look cost more than to write it. Nobody deletes an account, so the key to it is
-- looked up for each record in vain, as it is not for operations.

ALTER TABLE crm.record DROP CONSTRAINT record_account_id_fkey;

ALTER TABLE crm.record ADD COLUMN moved boolean NOT NULL DEFAULT false;

UPDATE crm.record AS r
SET moved = true
FROM crm.record_look AS l
WHERE r.account_id = l.account_id AND r.seen_at >= l.looked_at;

ALTER TABLE crm.record DROP COLUMN seen_at;

CREATE INDEX record_moved ON crm.record (account_id) WHERE moved;

COMMENT ON COLUMN crm.record.moved
IS 'What refers to it may name the record that stood here before; not looked at yet.';

-- Few prospects have a tag whose name changes, and an account's prospects are read for that: to keep
-- an index of all tags cost as much as to keep the prospects.

DROP INDEX crm.prospect_tags;
DROP INDEX crm.prospect_scores;
