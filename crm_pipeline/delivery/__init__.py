"""Delivery: drains an account's ledger into its org, in few calls, and records each answer.

It joins the ledger and the Salesforce room and is shared by all flows; it knows none of them. A
flow that wants a thing written records an intent of a kind that is known here:

- `person`: `{"Lead": {field: value}, "Contact": {field: value}}`; becomes an update of the
  record that stands for the person, or a new Lead.
- `activity`: `{field: value}` of an Event; waits until its person is in the org.
- `campaign`: `{"event_id", "campaign_id", "external_id_field", "create", "campaign", "statuses",
  "unknown_status"}`; finds or creates the event's Campaign, with the statuses its members need, the
  furthest one last.
- `member`: `{"event_id", "Status", "fields": {field: value}, …}` of a CampaignMember; waits until
  its person is in the org and its event's campaign is linked.
- `record`: a record of any object (`ledger.records.RecordWant`).
- `message`: what the source platform is to know (`ledger.messages.MessageWant`).
"""
