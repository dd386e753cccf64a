-- Whose visits these are, to which sessions, and which of them are part of another.
INSERT INTO crm.visit (account_id, attendance_id, person_key, event_session_id, on_demand, part_of)
SELECT :account_id, v.*
FROM unnest(
    CAST(:attendance_ids AS bigint []),
    CAST(:person_keys AS bigint []),
    CAST(:sessions AS bigint []),
    CAST(:on_demand AS boolean []),
    CAST(:parts_of AS bigint [])
) AS v
ON CONFLICT (account_id, attendance_id) DO UPDATE SET
    person_key = excluded.person_key,
    event_session_id = excluded.event_session_id,
    on_demand = excluded.on_demand,
    part_of = excluded.part_of
