-- These rows of a source are to be read again by a flow, for some kinds alone or (NULL) for all; asked for
-- twice, for whatever either wants.
INSERT INTO crm.replay_row AS known (account_id, flow, source, row_id, kinds)
SELECT :account_id, :flow, :source, r.row_id, CAST(:kinds AS text [])
FROM unnest(CAST(:row_ids AS bigint [])) AS r (row_id)
ON CONFLICT (account_id, flow, source, row_id) DO UPDATE
SET kinds = (
    SELECT array_agg(DISTINCT k.kind ORDER BY k.kind)
    FROM unnest(known.kinds || excluded.kinds) AS k (kind)
    WHERE known.kinds IS NOT NULL AND excluded.kinds IS NOT NULL
)
