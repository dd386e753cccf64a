-- What said the same long ago is another thing now.
UPDATE crm.request
SET sameness = sameness || convert_to(' ' || request_id, 'UTF8')
WHERE
    account_id = :account_id
    AND sameness = :sameness
    AND received_at < now() - make_interval(hours => :hours)
