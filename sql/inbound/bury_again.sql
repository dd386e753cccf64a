INSERT INTO crm.erased (account_id, digest, verb)
SELECT :account_id, decode(r.digest, 'hex'), r.verb
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (digest text, verb text)
WHERE r.verb <> 'lift'
ON CONFLICT (account_id, digest) DO UPDATE
SET seq = DEFAULT, verb = excluded.verb, expires_at = NULL
WHERE crm.erased.verb <> excluded.verb OR crm.erased.expires_at IS NOT NULL
