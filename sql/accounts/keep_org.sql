INSERT INTO crm.account_org AS o (account_id, client_id, organization_id, login_url)
VALUES (:account_id, :client_id, :organization_id, :login_url)
ON CONFLICT (account_id) DO UPDATE
SET
    client_id = excluded.client_id,
    organization_id = excluded.organization_id,
    other_organization_id = NULL,
    login_url = excluded.login_url,
    checked_at = excluded.checked_at,
    delivers_again = o.delivers_again
    AND o.client_id = excluded.client_id
    AND o.organization_id = excluded.organization_id
