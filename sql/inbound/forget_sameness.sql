-- Whoever is processed again may be removed again.
UPDATE crm.request
SET sameness = sameness || convert_to(' ' || request_id, 'UTF8')
WHERE account_id = :account_id AND digest = any(:digests) AND kind = 'removal'
