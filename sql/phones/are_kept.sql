-- Whether an account's numbers are those of its org: read in this region, and kept since by all that
-- was read back of leads and contacts.
SELECT EXISTS (
    SELECT FROM crm.org_phones_kept AS k
    WHERE
        k.account_id = :account_id
        AND k.region IS NOT DISTINCT FROM CAST(:region AS text)
        AND NOT EXISTS (
            SELECT FROM crm.org_position AS p
            WHERE
                p.account_id = k.account_id
                AND p.sobject IN ('Lead', 'Contact')
                AND p.read_at > k.kept_at
        )
) AS kept
