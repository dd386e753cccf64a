-- An account's choices for people's records are its own, with campaigns or without.
UPDATE crm.account AS a
SET settings = (
    a.settings || jsonb_strip_nulls(
        jsonb_build_object(
            'unknown_email', a.settings #> '{campaigns,unknown_email}',
            'person_fields', CASE a.settings #>> '{campaigns,person_fields}'
                WHEN 'always' THEN to_jsonb('source'::text)
                ELSE a.settings #> '{campaigns,person_fields}'
            END,
            'person_field_policies', (
                SELECT
                    jsonb_object_agg(
                        p.key, CASE p.value WHEN 'always' THEN 'source' ELSE p.value END
                    )
                FROM jsonb_each_text(a.settings #> '{campaigns,person_field_policies}') AS p
            )
        )
    )
)
#- '{campaigns,unknown_email}'
#- '{campaigns,person_fields}'
#- '{campaigns,person_field_policies}'
WHERE jsonb_typeof(a.settings -> 'campaigns') = 'object';

-- People who were left out, of whom something came while nobody looked for them again: that was
-- rejected as if an operator had dropped them.
UPDATE crm.operation AS o
SET state = 'dropped', reason = p.reason
FROM crm.operation AS p
WHERE
    p.kind = 'person'
    AND p.state = 'dropped'
    AND p.reason = 'not in the org, and the account creates nobody'
    AND o.account_id = p.account_id
    AND o.person_key = p.person_key
    AND o.state = 'rejected'
    AND o.reason = 'its person was dropped by an operator';

-- Looked at before each delivery: whom nobody knew, and whom an operator gave up.
CREATE INDEX operation_dropped ON crm.operation (account_id, kind, operation_id)
WHERE state = 'dropped';
