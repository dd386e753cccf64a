-- Before other intents are staged in the same transaction.
DELETE FROM staged_intent
