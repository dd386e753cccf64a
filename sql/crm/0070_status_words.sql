-- The meaning of status words is the account's, with campaigns or without: its people and activities
-- go by it, too.
UPDATE crm.account AS a
SET settings = (
    a.settings || jsonb_strip_nulls(
        jsonb_build_object(
            'stage_of', a.settings #> '{campaigns,stage_of}',
            'unknown_stage', a.settings #> '{campaigns,unknown_stage}'
        )
    )
)
#- '{campaigns,stage_of}'
#- '{campaigns,unknown_stage}'
WHERE jsonb_typeof(a.settings -> 'campaigns') = 'object';

-- Registrations that are held for their status, by its word: looked at in each cycle, since a setting
-- may explain the word. Of one that went on since, the version before is superseded.
CREATE INDEX operation_held_status ON crm.operation (account_id, (memory ->> 'status'))
WHERE state = 'rejected' AND memory ? 'status';
