-- Whether the rest of the transaction may join row by row. Of operations that a cycle has just written the
-- planner has no numbers, takes them for one, and goes through all of them again for each.
SELECT set_config('enable_nestloop', :allowed, true)
