-- These rows of the source tell of these memberships from now on.
INSERT INTO crm.member_row (
    account_id, source_row, natural_key, event_session_id, attended, of_session
)
SELECT :account_id, r.source_row, r.natural_key, r.event_session_id, r.attended, r.of_session
FROM unnest(
    CAST(:source_rows AS text []),
    CAST(:natural_keys AS text []),
    CAST(:sessions AS bigint []),
    CAST(:attended AS boolean []),
    CAST(:of_session AS text [])
) AS r (source_row, natural_key, event_session_id, attended, of_session)
ON CONFLICT (account_id, source_row) DO UPDATE SET
    natural_key = excluded.natural_key,
    event_session_id = excluded.event_session_id,
    attended = excluded.attended,
    of_session = excluded.of_session
