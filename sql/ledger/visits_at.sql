-- The known visits of these people to these sessions, live or to the recording.
SELECT v.attendance_id, v.person_key, v.event_session_id, v.on_demand, v.part_of
FROM unnest(
    CAST(:person_keys AS bigint []),
    CAST(:sessions AS bigint []),
    CAST(:on_demand AS boolean [])
) AS k (person_key, event_session_id, on_demand)
CROSS JOIN LATERAL (
    SELECT known.*
    FROM crm.visit AS known
    WHERE
        known.account_id = :account_id
        AND known.person_key = k.person_key
        AND known.event_session_id = k.event_session_id
        AND known.on_demand = k.on_demand
    OFFSET 0
) AS v
