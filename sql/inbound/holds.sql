-- Whether somebody with one of some hashes is not to be processed.
SELECT EXISTS (
    SELECT FROM crm.erased
    WHERE
        account_id = :account_id
        AND digest = any(:digests)
        AND coalesce(expires_at, now()) >= now()
)
