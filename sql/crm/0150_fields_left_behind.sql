-- A conversion takes along the custom fields that the org's admin has mapped, and nobody says which.

CREATE FUNCTION crm.custom_fields(fields jsonb) RETURNS text []
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(f.key ORDER BY f.key)
    FROM jsonb_each(fields) AS f
    WHERE lower(right(f.key, 3)) = '__c' AND f.value NOT IN ('null', 'false', '""')
$$;

COMMENT ON FUNCTION crm.custom_fields
IS 'The custom fields among some that hold something; NULL where there are none.';

ALTER TABLE crm.identity ADD COLUMN left_behind text [];

COMMENT ON COLUMN crm.identity.left_behind
IS 'Custom fields that the conversion of the lead may not have taken along: they are written where '
   'nothing stands there. NULL once that was looked at.';

-- Those who were converted before are looked at when something else is wanted of them.
UPDATE crm.identity AS i
SET left_behind = crm.custom_fields(i.sent)
WHERE
    i.sobject = 'Contact'
    AND i.reason LIKE 'converted from %'
    AND crm.custom_fields(i.sent) IS NOT NULL;
