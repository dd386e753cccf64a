-- Whether a prospect was ever read.
SELECT EXISTS (
    SELECT FROM crm.prospect AS p
    WHERE p.account_id = :account_id AND p.prospect_id = :prospect_id
) AS known
