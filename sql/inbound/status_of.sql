SELECT
    CAST(request_id AS text) AS request_id,
    kind,
    name,
    state,
    received_at,
    finished_at,
    receipt,
    problem
FROM crm.request
WHERE account_id = :account_id AND request_id = CAST(:request_id AS uuid)
