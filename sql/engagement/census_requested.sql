-- Whether a census is asked for.
SELECT EXISTS (
    SELECT FROM crm.engagement_census_request AS r
    WHERE r.account_id = :account_id
) AS requested
