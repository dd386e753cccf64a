-- The rows that a flow is to read again, by source and by the kinds that are said again (NULL: all).
SELECT r.kinds, r.source, array_agg(r.row_id ORDER BY r.row_id) AS row_ids
FROM crm.replay_row AS r
WHERE r.account_id = :account_id AND r.flow = :flow
GROUP BY r.kinds, r.source
