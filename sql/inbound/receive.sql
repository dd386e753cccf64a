INSERT INTO crm.request (
    request_id, account_id, kind, door, name, sameness, content, address, digest, body
)
VALUES (
    CAST(:request_id AS uuid),
    :account_id,
    :kind,
    :door,
    :name,
    :sameness,
    :content,
    :address,
    :digest,
    CAST(:body AS jsonb)
)
ON CONFLICT (account_id, sameness) DO NOTHING
RETURNING request_id, received_at
