-- These full readings are done, unless they were asked for again since.
DELETE FROM crm.engagement_request AS r
USING unnest(CAST(:prospect_ids AS text []), CAST(:times AS timestamptz []))
    AS done (prospect_id, requested_at)
WHERE
    r.account_id = :account_id
    AND r.prospect_id = done.prospect_id
    AND r.requested_at = done.requested_at
