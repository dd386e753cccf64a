-- The platform's ids of some people.
SELECT p.value AS user_id
FROM crm.person_pointer AS p
WHERE
    p.account_id = :account_id
    AND p.kind = 'platform'
    AND p.person_key = any(CAST(:person_keys AS bigint []))
UNION
SELECT u.user_id
FROM crm.platform_user AS u
WHERE u.account_id = :account_id AND u.digest = any(:digests)
