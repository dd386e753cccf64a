-- Whether anybody attended these sessions, as far as the rows say that are known now.
UPDATE crm.session_end AS s
SET attended = now_known.attended
FROM unnest(CAST(:sessions AS bigint [])) AS k (event_session_id)
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM crm.member_row AS m
        WHERE m.account_id = :account_id AND m.event_session_id = k.event_session_id AND m.attended
    ) AS attended
) AS now_known
WHERE
    s.account_id = :account_id
    AND s.event_session_id = k.event_session_id
    AND s.attended <> now_known.attended
