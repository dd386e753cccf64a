-- Claims the addresses of people who are to be created in a shared org; gives those that are ours.
-- In the order of addresses, so that two accounts wait for each other in one direction only.
WITH wanted AS (
    SELECT *
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w (operation_id bigint, address text)
),

claimed AS (
    INSERT INTO crm.org_person AS c (organization_id, address_key, account_id)
    SELECT :organization_id, w.address, :account_id
    FROM wanted AS w
    ORDER BY w.address
    ON CONFLICT (organization_id, address_key) DO UPDATE
    SET
        account_id = excluded.account_id,
        sobject = NULL,
        salesforce_id = NULL,
        claimed_at = excluded.claimed_at,
        settled_at = NULL
    WHERE crm.is_void(c, excluded.account_id, :looked_up_at, :grace_seconds)
    RETURNING address_key
)

SELECT w.operation_id
FROM wanted AS w
INNER JOIN claimed AS c ON w.address = c.address_key
