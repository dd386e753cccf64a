-- A number of its own each time, by which those who looked before see it; what holds for good stays so.
INSERT INTO crm.erased AS e (account_id, digest, verb, expires_at)
VALUES (
    :account_id,
    :digest,
    :verb,
    now() + make_interval(mins => CAST(:minutes AS integer))
)
ON CONFLICT (account_id, digest) DO UPDATE
SET
    seq = DEFAULT,
    verb = CASE WHEN e.verb = 'erase' THEN e.verb ELSE excluded.verb END,
    expires_at = CASE
        WHEN e.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
        ELSE greatest(e.expires_at, excluded.expires_at)
    END
