-- Whether people deleted a prospect's record in the org; no row for one that was never read.
SELECT p.is_gone AND NOT p.left_source AS is_deleted
FROM crm.prospect AS p
WHERE p.account_id = :account_id AND p.prospect_id = :prospect_id
