-- Other intents may have been staged in the same transaction.
DELETE FROM staged_intent
