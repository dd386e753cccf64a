-- What is sent is told apart by cycles that end from now on.
COMMENT ON COLUMN reporting.phases.phase
IS 'open: logging in, and looking at the org; retry: trying again what was refused; read: the warehouse; '
   'read back: changes of the org; send: deciding what is to be sent; send people, send activities, send '
   'campaigns, send members, send records, send undos: matching and writing these; tell: the source '
   'platform; settle: requests, sums and the account''s state.';
