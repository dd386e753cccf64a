-- Whether a census is asked for, or the account takes one each day and has taken none today.
SELECT
    EXISTS (SELECT FROM crm.campaign_census_request AS r WHERE r.account_id = :account_id)
    OR (
        :daily
        AND NOT EXISTS (
            SELECT FROM crm.campaign_census AS c
            WHERE c.account_id = :account_id AND c.taken_at > now() - interval '1 day'
        )
    ) AS due
