-- An object's held records were looked for up to this Id; empty: to the last, and the round is over.
INSERT INTO crm.org_sweep (account_id, sobject, after_id, begun_at)
VALUES (:account_id, :sobject, :after_id, now())
ON CONFLICT (account_id, sobject) DO UPDATE
SET
    after_id = excluded.after_id,
    begun_at = CASE WHEN :begins THEN excluded.begun_at ELSE crm.org_sweep.begun_at END
