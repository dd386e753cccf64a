-- People who share a record fill what one of them emptied there.

COMMENT ON COLUMN crm.identity.left_behind
IS 'Fields of ours that the record may lack: custom ones that the conversion of the lead may not have '
   'taken along, and those that another person of the same record emptied. They are written where '
   'nothing stands there. NULL once that was looked at.';
