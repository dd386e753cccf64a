SELECT
    EXISTS (SELECT FROM crm.erased WHERE account_id = :account_id)
    OR EXISTS (SELECT FROM crm.request WHERE account_id = :account_id)
    OR EXISTS (SELECT FROM crm.listener_key WHERE account_id = :account_id)
