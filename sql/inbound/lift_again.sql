DELETE FROM crm.erased AS e
USING jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (digest text, verb text)
WHERE
    e.account_id = :account_id
    AND e.digest = decode(r.digest, 'hex')
    AND r.verb = 'lift'
