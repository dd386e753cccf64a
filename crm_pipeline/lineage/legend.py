"""The meaning of each key of the metadata, shown on the asset as a legend."""

from collections.abc import Iterable, Mapping

from dagster import MarkdownMetadataValue, MetadataValue

_WRITTEN = {
    f"{what}_{how}": f"{says} that were {did} in the org."
    for what, says in {
        "leads": "Leads",
        "contacts": "Contacts",
        "activities": "Activities",
        "members": "Members of campaigns",
    }.items()
    for how, did in {"created": "created", "updated": "changed", "deleted": "deleted"}.items()
}

LEGEND: Mapping[str, str] = {
    **_WRITTEN,
    "account": "The name of the account.",
    "cycle": "The cycle, as `crm-pipeline state ACCOUNT` numbers it; 0: it only looked.",
    "absent": "The choice of the account by which there is nothing to do here.",
    "rows": "Rows that say something new: they may be added up over cycles.",
    "dagster/partition_row_count": "The same as `rows`, as Dagster plots it.",
    "rows_read": "Rows that were read: those known already, and those that say something new.",
    "rows_in": "Rows that say something new: accepted, rejected or part of another attendance.",
    "known_already": "Rows that were read before: those shipped shortly before the last cycle.",
    "rejected": "New rows that are not sent; `rejected_by_reason` says why.",
    "rejected_by_reason": "The rejected rows by reason; they add up to `rejected`.",
    "part_of_another": "Visits of a session that are one attendance with an earlier one.",
    "accepted": "New rows of which something is sent; of requests, those that are done.",
    "event_sessions": "The sessions that new rows are of.",
    "rows_by_event_session": "New rows by session.",
    "people": "People of whom something new is wanted.",
    "activities_new": "Activities that are wanted for the first time.",
    "activities_changed": "Activities that are wanted otherwise than before.",
    "retried": "Failed operations that were tried again.",
    "retried_done": "Those of them that went through.",
    "exhausted": "Operations that have used up their tries: people decide about them.",
    "people_unchanged": "People whose record is as it is wanted: nothing was written.",
    "people_left_out": "People who are not in the org, of accounts that create nobody.",
    "activities_unchanged": "Activities that are as they are wanted: nothing was written.",
    "members_unchanged": "Members that are as they are wanted: nothing was written.",
    "failed": "Tries that the org refused in this cycle; `crm-pipeline operations list ACCOUNT`.",
    "looked_up": "Writes whose answer was lost, and that were looked up in the org.",
    "fields_changed_to_fit": "Values that a field does not take: shortened or left out.",
    "taken_back": "Records that are as they were before a cycle that somebody took back.",
    "left_as_they_are": "Records of such a cycle that stay: others have changed them since.",
    "incidents": "Causes that hold up many records, and are open.",
    "api_calls": "Requests to the org that count there.",
    "api_calls_forecast": "The requests that the delivery was expected to take.",
    "api_calls_by_kind": "The requests by what they were for; they add up to `api_calls`.",
    "api_used_today": "Requests of all applications in the org's last 24 hours, as it says.",
    "api_limit_a_day": "The requests that the org allows in 24 hours.",
    "data_storage_mb": "What the new records take of the org's data storage, in megabytes.",
    "route": "The way of the delivery: composite calls, or Bulk API 2.0.",
    "route_reason": "Why this way.",
    "campaigns": "Whether the account has campaigns on.",
    "campaigns_created": "Campaigns that were made in the org.",
    "campaigns_linked": "Campaigns that were there and are used.",
    "events_to_read_again": "Events whose rows are read again for another campaign or mapping.",
    "rows_to_read_again": "Their rows.",
    "api_calls_to_read_again_at_most": "The most requests that these may take.",
    "memberships_new": "Memberships that are wanted for the first time.",
    "memberships_changed": "Memberships that are wanted otherwise than before.",
    "memberships_without_campaign_or_status": "Those that are not sent for want of one of them.",
    "campaigns_counted": "Campaigns whose members were counted in the org.",
    "complete": "Those of them that have all members that they should.",
    "members_missing": "Members that should be in the org and are not.",
    "members_wanted": "People in campaigns whom the platform is to register or invite.",
    "opted_out": "Those of them who do not want email.",
    "without_usable_address": "Those of them of whom no address is usable.",
    "refused": "Of what Account Engagement was told, what it refused.",
    "unsure": "Of what it was told, that of which the answer was lost: not told again.",
    "told": "Messages that were taken where they were told.",
    "leads_new": "Tracked leads of which nothing was known.",
    "leads_changed": "Tracked leads that say something else than before.",
    "attribution": "Whether the account has attribution on.",
    "read": "Opportunities that were read of the org.",
    "new": "Those of them that were not known.",
    "changed": "Those of them that are otherwise than before.",
    "unchanged": "What is as it was, or as it is wanted: nothing was written.",
    "looked_at": "Opportunities that were matched, as something about them changed.",
    "matched": "Those of them that belong to a tracked lead.",
    "matched_by_rule": "The matches by the rule that found them.",
    "waiting": "What is still to be sent or decided; of opportunities, those without a match.",
    "waiting_by_reason": "Opportunities without a match, by why.",
    "engagement": "Whether the account has the engagement workflow on.",
    "examined": "Rows of the source, or records of the org, that were looked at.",
    "create": "Records that were made in the org.",
    "update": "Records that were changed in the org.",
    "delete": "Records that were deleted in the org.",
    "calls": "Requests to the org for this step.",
    "gone": "Prospects that left the source, or that people deleted in the org.",
    "confirmed": "Events of which a reading of the org shows what they were to bring about.",
    "objects": "Objects whose records were counted.",
    "differing": "Those of them of which source, ledger and org do not have the same number.",
    "users_read": "Users of the platform that were read.",
    "tickets_read": "Feedback tickets of the platform that were read.",
    "without_person": "Tickets of nobody who is known in the org.",
    "removed": "People who were erased on request.",
    "suppressed": "People who are not processed any more on request.",
    "state": "Complete, Paused, Held or Failed.",
    "reason": "Why it is not Complete.",
    "remedy": "What people can do about it.",
    "notes": "What else they may want to know.",
    "seconds": "How long the cycle took.",
    "watermark": "When the newest row was shipped that was read.",
    "since": "Since when the account is in this state.",
    "last_complete": "When a cycle last ended Complete.",
    "next_try": "When the account is tried again.",
    "org": "The org's address.",
    "console": "The account, or its plan, in the console.",
    "calls_of_this_plan": "Requests that the plan itself has taken.",
    "minutes_about": "About how long the cycle would take.",
    "share_of_the_day": "Its requests, of those that the org allows a day: 0.02 is 2 %.",
    "records": "What would become of records, by object.",
    "codes": "Why records would be refused or left out, by object and code.",
    "values_that_do_not_fit": "Values that would be shortened or left out, by field.",
    "calls_by_kind": "The requests of the cycle, by what they are for.",
    "plan": "The number of the plan.",
    "apply": "The command that does exactly what the plan says.",
    "accounts": "Accounts of which something happened, in that run or on that day.",
    "cycles": "Cycles that ended that day.",
    "failed_cycles": "Those of them that failed.",
    "paused_cycles": "Those of them that stopped for the org's limits, or were told to.",
    "held_cycles": "Those of them that would have done far more than usual.",
    "activities_read": "Registrations and attendances that were read: wanted, known and rejected.",
    "activities_wanted": "Those of them that are new or changed, and are sent.",
    "activities_known": "Those of them that were known already.",
    "activities_rejected": "Those of them that are new or changed, and are not sent.",
    "people_updated": "Leads and Contacts that were changed in the org.",
    "written": "All records that were created, changed or deleted in the org.",
    "written_late": "Those of them that came later than promised, where that was counted.",
    "on_time_percent": "The others, in percent.",
    "refused_tries": "Tries that the org refused.",
    "incidents_opened": "Causes that began that day to hold up many records.",
    "requests_received": "Requests from Salesforce that came that day.",
    "by_account": "The numbers by account, at most 100: those with most first, of a day the worst.",
    "records_read": "Records that were read of the org, as something about them changed.",
    "read_along": "Its rows are read along with those of other tables, and not counted.",
    "dagster/row_count": "Records of all accounts that the ledger knew there when they were "
    "counted last, once a day.",
}
"""By key, a sentence for analysts and support."""

ALWAYS = ("account", "cycle")
"""Keys of each step of a cycle."""

OF_THE_STATE = (
    *("state", "reason", "remedy", "notes", "since", "next_try", "last_complete"),
    *("waiting", "exhausted", "seconds", "watermark", "org", "console"),
)

OF_UNDONE = ("state", "reason", "remedy", "console")
"""Keys of a step that a cycle has not come to."""

OF_A_RUN = ("accounts", "by_account")
"""Keys of what is outside, when a run has read or written something there."""

WRITTEN = ("create", "update", "delete")

ROW_COUNT = "dagster/row_count"

OF_A_PLAN = (
    *("state", "reason", "notes", "known_already", "api_calls", "calls_of_this_plan"),
    *("minutes_about", "share_of_the_day", "records", "codes", "values_that_do_not_fit"),
    *("calls_by_kind", "plan", "apply", "console"),
)

OF_A_DAY = (
    *("accounts", "cycles", "failed_cycles", "paused_cycles", "held_cycles"),
    *("activities_read", "activities_wanted", "activities_known", "activities_rejected"),
    *("leads_created", "people_updated", "activities_created", "members_created"),
    *("written", "written_late", "on_time_percent", "refused_tries", "incidents_opened"),
    *("requests_received", "api_calls", "waiting", "exhausted", "by_account"),
)


def legend(keys: Iterable[str]) -> dict[str, MarkdownMetadataValue]:
    """Returns the metadata of an asset that explains the keys of its events, in this order.

    Raises:
        KeyError: a key is not explained in `LEGEND`.
    """
    return explained({key: LEGEND[key] for key in keys})


def explained(meanings: Mapping[str, str]) -> dict[str, MarkdownMetadataValue]:
    """Returns the metadata that explains keys, each by its sentence."""
    lines = [f"| `{key}` | {says} |" for key, says in meanings.items()]
    return {"legend": MetadataValue.md("\n".join(["| | |", "|---|---|", *lines]))}
