-- When a cycle of an account wrote to the org: as far as its sendings or its row are kept.
SELECT coalesce(
    (SELECT min(s.sent_at) FROM crm.sending AS s WHERE s.account_id = :account_id AND s.cycle_id = :cycle_id),
    (SELECT c.started_at FROM crm.cycle AS c WHERE c.account_id = :account_id AND c.cycle_id = :cycle_id)
) AS wrote_at
