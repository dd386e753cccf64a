-- Whatever else fails in an account, its load is over with that.
COMMENT ON COLUMN crm.brake.load_approved
IS 'A person has approved a load: no limit holds until a whole cycle has read all and sent it.';
