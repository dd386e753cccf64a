"""Activities: each under the record that stands for its person."""

from crm_pipeline.delivery.decisions import ACTIVITY, decide_activity
from crm_pipeline.delivery.recording import record_unchanged
from crm_pipeline.delivery.schemas import schemas
from crm_pipeline.delivery.sending import Outbox, write_of
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.due import DueVolumes, due_activities

WINDOW = 10_000
"""Activities decided at a time: their writes fill whole calls."""


def send_activities(session: DeliverySession, volumes: DueVolumes) -> None:
    """Sends every pending activity whose person is in the org."""
    field = session.account.settings.activity_external_id_field
    outbox = Outbox(session, "activities", {(ACTIVITY, "create"): volumes.activities})
    after = 0
    while due := due_activities(session.ledger, session.account_id, after=after, limit=WINDOW):
        after = due[-1].operation_id
        schema = schemas(session, [ACTIVITY])[ACTIVITY]
        decisions = [decide_activity(activity, schema) for activity in due]
        unchanged = [d for d in decisions if d.action == "none"]
        record_unchanged(session, unchanged)
        session.delivered.activities_unchanged += len(unchanged)
        session.ledger.commit()
        keys = {activity.operation_id: activity.natural_key for activity in due}
        changed = [d for d in decisions if d.action != "none"]
        writes = [write_of(d, (field, keys[d.operation_id]) if field else None) for d in changed]
        outbox.add(changed, writes)
    outbox.flush()
