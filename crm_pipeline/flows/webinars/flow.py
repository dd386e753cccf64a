"""The webinar cycle, declared: from registrations and attendances to people and activities."""

from crm_pipeline.declaration import Flow, Outside, Promise, Topic
from crm_pipeline.flows.webinars import NAME, shown
from crm_pipeline.flows.webinars.reading import read
from crm_pipeline.sources.participations import EXTRACT_NAMES, EXTRACTS
from crm_pipeline.sources.tables import COLUMNS_READ

_TOPICS = (
    Topic(
        "registrations",
        "Registrations for event sessions: the rows shipped to the warehouse since the last "
        "cycle, with the person's details.",
        group=NAME,
        technology="postgres",
        after=(
            "warehouse/registration",
            "warehouse/person",
            "warehouse/event_session",
            "warehouse/event",
        ),
        counts=("rows",),
        shows=shown.registrations,
        reads=("registrations",),
    ),
    Topic(
        "attendances",
        "Attendances of event sessions, with the last 10 poll answers and the last 5 chat "
        "messages of each.",
        group=NAME,
        technology="postgres",
        after=(
            "warehouse/attendance",
            "warehouse/person",
            "warehouse/event_session",
            "warehouse/event",
            "warehouse/poll_question",
            "warehouse/poll_answer",
            "warehouse/chat_message",
            "warehouse/chat_reply",
            "warehouse/interaction",
        ),
        counts=("rows",),
        shows=shown.attendances,
        reads=("attendances",),
    ),
    Topic(
        "filtered_leads",
        "The registrations and attendances that may reach Salesforce: without those whose email "
        "address is missing, impossible, or contains one of the account's filter strings, and "
        "without those that are none: waitlisted, denied, of no minutes, and the like.",
        group=NAME,
        technology="python",
        after=("registrations", "attendances"),
        counts=("rows_read", "known_already", "rows_in", "rejected", "part_of_another", "accepted"),
        shows=shown.filtered_leads,
        reads=EXTRACT_NAMES,
    ),
    Topic(
        "lead_payloads",
        "The wanted state of Salesforce: each person's lead or contact fields and one activity "
        "for each registration and attendance. Stored in the ledger together with the account's "
        "watermark, so that nothing read is ever lost.",
        group=NAME,
        technology="python",
        after=("filtered_leads",),
        counts=("people", "activities_new", "activities_changed"),
        reads=EXTRACT_NAMES,
        records=True,
        columns=shown.columns(),
    ),
    Topic(
        "retried_operations",
        "Writes that failed in earlier cycles and were tried again: at most 50 of the account, the "
        "oldest of each flow in turn, each five times in all; what still fails waits for support.",
        group=NAME,
        technology="salesforce",
        after=("lead_payloads",),
        counts=("retried", "retried_done"),
        shows=lambda report: {"exhausted": report.counts.exhausted},
        retries=True,
    ),
    Topic(
        "load_results",
        "The results of the writes: an existing lead or contact gets the fields that changed, a "
        "new person becomes a lead, and each gets the activity. What an earlier cycle wrote is "
        "taken back here, where somebody has asked for that (`crm-pipeline undo`).",
        group=NAME,
        technology="salesforce",
        after=("lead_payloads", "tracked_leads"),
        counts=(
            "leads_created",
            "leads_updated",
            "contacts_created",
            "contacts_updated",
            "people_unchanged",
            "people_left_out",
            "activities_created",
            "activities_updated",
            "activities_deleted",
            "activities_unchanged",
            "failed",
            "looked_up",
            "fields_changed_to_fit",
            "taken_back",
            "left_as_they_are",
        ),
        shows=shown.load_results,
        sends=("person", "activity", "undo"),
    ),
)

_TABLES = tuple(
    Outside(
        f"warehouse/{table}",
        f"The platform's {what}, shipped to the warehouse every 15 minutes.",
        "postgres",
        columns=COLUMNS_READ[table],
        rows_of=rows_of,
    )
    for table, what, rows_of in (
        ("registration", "registrations for event sessions", "registrations"),
        ("attendance", "attendances of event sessions", "attendances"),
        ("person", "people who registered or attended", ""),
        ("event_session", "sessions of events", ""),
        ("poll_question", "poll questions", ""),
        ("poll_answer", "answers to poll questions", ""),
        ("chat_message", "chat messages", ""),
        ("chat_reply", "replies to chat messages", ""),
        ("interaction", "other things that attendees did: surveys, downloads, reactions", ""),
    )
)

_PERSON = {"Phone": "phone", "Email": "email", "LeadSource": "picklist"}

_OBJECTS = tuple(
    Outside(f"salesforce/{sobject}", what, "salesforce", after=("load_results",), columns=columns)
    for sobject, what, columns in (
        (
            "Lead",
            "Potential customers in the client's org: new people become leads.",
            {"Salutation": "picklist", "Street": "textarea", **_PERSON},
        ),
        (
            "Contact",
            "Known people in the client's org, kept current; made here where an account says so.",
            {"Salutation": "picklist", "MailingStreet": "textarea", **_PERSON},
        ),
        (
            "Event",
            "Activities in the client's org: one for each registration and attendance.",
            {
                "WhoId": "reference",
                "Subject": "combobox",
                "ActivityDateTime": "datetime",
                "DurationInMinutes": "int",
                "Description": "textarea",
            },
        ),
    )
)

_PROMISES = (
    Promise(
        "every_row_is_accounted_for",
        "load_results",
        "Every row that the last cycle read was rejected, was known already, is part of another "
        "visit's attendance, or is delivered or queued: nothing is lost on the way.",
        numbers={
            "rows_read": "Rows that the last cycle read.",
            "known": "Those that were known already.",
            "new": "The others.",
            "rejected": "New ones that are not sent, for a reason.",
            "parts": "New ones that are part of another visit's attendance.",
            "intended": "New ones that are wanted in the org as they are.",
            "delivered": "Of these, what is in the org.",
            "queued": "Of these, what waits, or is tried again.",
            "replaced": "Of these, what a newer version has overtaken.",
            "left_out": "Of these, what is of people who are not made in the org.",
            "dropped": "Of these, what a person dropped.",
        },
    ),
    Promise(
        "nothing_unread",
        "registrations",
        "Once a day the warehouse's rows are counted against those that were read: none was "
        "missed (one that was is read now), and none waits for its person, session or event.",
        numbers={
            "rows_counted": "Rows that the warehouse had.",
            "rows_found_unread": "Those that had not been read, and were read then.",
            "rows_still_unread": "Those that could not be read.",
            "rows_without_person_session_or_event": "Those that wait for what they belong to.",
            "rows_vanished_from_the_warehouse": "Rows that were read and are not there any more.",
            "hours_since_the_count": "How long ago that was counted.",
        },
    ),
    Promise(
        "every_status_word_is_known",
        "filtered_leads",
        "No registration is held because nobody has said what its status word means: `crm-pipeline "
        "account set ACCOUNT stage_of=…` says it, and what is held goes on.",
        only_warns=True,
        numbers={
            "registrations_held": "Registrations whose status word means nothing yet.",
            "members_held": "Memberships of such registrations.",
        },
    ),
    Promise(
        "no_filtered_address",
        "lead_payloads",
        "No payload is meant for an address that one of the account's filter strings matches.",
        numbers={
            "filtered_addresses_in_payloads": "Payloads for an address that a filter matches.",
        },
    ),
    Promise(
        "payloads_fit_the_org",
        "lead_payloads",
        "What was sent keeps to the lengths of the org's fields, and new records have every "
        "required value (the newest 10,000 payloads of the last cycle).",
        numbers={
            "payloads": "Payloads that were looked at.",
            "values_too_long": "Values that are longer than their field.",
            "required_values_missing": "New records that lack a required value.",
        },
    ),
    Promise(
        "few_writes_fail",
        "load_results",
        "At most one in ten writes of the last cycle failed.",
        only_warns=True,
        numbers={
            "succeeded": "Writes of the last cycle that the org has taken.",
            "failed": "Those that it has refused.",
            "percent_failed": "These in percent of both.",
        },
    ),
    Promise(
        "no_exhausted_retries",
        "retried_operations",
        "No operation has used up its five tries; those that have wait for support "
        "(`crm-pipeline operations list`).",
        numbers={
            "exhausted": "Operations that have used up their tries.",
        },
    ),
)

WEBINARS = Flow(
    NAME,
    # Every account has this flow.
    settings=lambda account: account,
    topics=_TOPICS,
    sources=EXTRACTS,
    outside=(*_TABLES, *_OBJECTS),
    promises=_PROMISES,
    read=read,
    share=250_000,
    count=shown.count,
)
