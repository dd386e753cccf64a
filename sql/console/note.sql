INSERT INTO crm.console_log (who, role, action, account_id, people, detail)
VALUES (:who, :role, :action, :account_id, CAST(:people AS bigint []), :detail)
