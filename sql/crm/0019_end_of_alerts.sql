-- People who were told of something are told when it is over.

ALTER TABLE crm.alert ADD COLUMN end_sent_at timestamptz;

COMMENT ON COLUMN crm.alert.end_sent_at
IS 'When every channel had taken that it is over; NULL: nobody was told of it, or to be sent still.';

-- What was over before is no news.
UPDATE crm.alert SET end_sent_at = closed_at WHERE closed_at IS NOT NULL;
