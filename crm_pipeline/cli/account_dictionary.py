"""`crm-pipeline account dictionary`: where each field of the org comes from, as a page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from crm_pipeline.cli.arguments import AccountId
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.show import counted, say

if TYPE_CHECKING:
    from crm_pipeline.accounts.account import Account
    from crm_pipeline.accounts.campaigns import CampaignSettings
    from crm_pipeline.accounts.store import FieldMapping


class DictionaryLine(NamedTuple):
    """A field of the org: where its value comes from, by which rule, and an example."""

    field: str
    source: str
    rule: str
    example: str


_RULES: Mapping[str, str] = {
    "Lead": "the newest row that says something",
    "Contact": "the newest row that says something",
    "Event": "as its row says",
    "Campaign": "as the event says; follows it while nobody changed it",
    "CampaignMember": "the newest row",
}

_EXAMPLES: Mapping[str, str] = {
    "first_name": "Ann",
    "surname": "Miller",
    "title": "Dr.",
    "job_title": "Head of Sales",
    "company_name": "Acme Ltd",
    "street": "1 High Street",
    "city": "Leeds",
    "county": "West Yorkshire",
    "postal_code": "LS1 1AA",
    "country_code": "GB",
    "phone_1": "+44 113 496 0000",
    "email": "ann@example.com",
    "minutes_attended": "56",
    "utm_source": "newsletter",
    "opted_out": "false",
    "budget": "5000",
}


def dictionary(
    account_id: AccountId,
    out: Annotated[Path | None, typer.Option(help="A file; without it, it is printed.")] = None,
) -> None:
    """Write which column of the platform fills which field, by which rule, as a page (Markdown)."""
    from crm_pipeline.accounts.store import field_mappings, get_account

    with transaction() as connection:
        account = get_account(connection, account_id)
        mappings = field_mappings(connection, account_id)
    lines = list(dictionary_lines(account, mappings))
    page = "\n".join(
        (
            f"# Fields that account {account_id} fills",
            "",
            "| field | from | rule | example |",
            "|---|---|---|---|",
            *(f"| {' | '.join(_cell(each) for each in line)} |" for line in lines),
            "",
        )
    )
    if out is None:
        for line in page.splitlines():
            say(line, as_it_is=True)
        return
    out.write_text(page, encoding="utf-8")
    say(f"Wrote {counted(len(lines), 'field')} to {out}.")


def dictionary_lines(
    account: "Account", mappings: "list[FieldMapping]"
) -> "Iterator[DictionaryLine]":
    """Yields a line for each field that an account fills, ordered by object and field.

    Args:
        account: the account.
        mappings: its own mapping.
    """
    lines = [*_decided(account), *_mapped(account, mappings), *_of_tracked_leads(account)]
    yield from sorted(lines, key=lambda line: line.field)


def _decided(account: "Account") -> "Iterator[DictionaryLine]":
    """The fields that no mapping fills."""
    chosen = account.settings
    yield DictionaryLine("Event.WhoId", "the person's record", "matching", "00Q…")
    yield DictionaryLine(
        "Event.Subject", "activity_subject", "as its row says", "Webinar Registration"
    )
    yield DictionaryLine(
        "Event.ActivityDateTime",
        "registered_at, attended_at",
        "the first visit of a session",
        "2026-03-01T12:02:00Z",
    )
    yield DictionaryLine("Event.DurationInMinutes", "always 0", "constant", "0")
    parts = ", ".join(chosen.activity_text)
    yield DictionaryLine("Event.Description", parts, "all visits of a session", "Event: Expo 2026")
    if chosen.activity_external_id_field is not None:
        yield DictionaryLine(
            f"Event.{chosen.activity_external_id_field}",
            "registration_id, attendance_id",
            "as its row says",
            "registration:4711",
        )
    if chosen.campaigns is not None:
        yield from _decided_of_campaigns(chosen.campaigns)


def _decided_of_campaigns(chosen: "CampaignSettings") -> "Iterator[DictionaryLine]":
    from crm_pipeline.accounts.webinar_objects import FIELDS

    for name, source, rule, example in (
        ("Name", "event_name", "follows the event", "Expo 2026"),
        ("Description", "event_id", "when it is made", "Webinar platform: event 4711"),
        ("Type", "campaign_type", "constant", chosen.campaign_type),
        ("StartDate", "starts_at", "follows the event", "2026-03-01"),
        ("EndDate", "ends_at", "follows the event", "2026-03-02"),
        ("IsActive", "always true", "constant", "true"),
    ):
        yield DictionaryLine(f"Campaign.{name}", source, rule, example)
    if chosen.campaign_status:
        yield DictionaryLine(
            "Campaign.Status", "starts_at, ends_at", "by today's date", "In Progress"
        )
    if chosen.external_id_field is not None:
        yield DictionaryLine(
            f"Campaign.{chosen.external_id_field}", "event_id", "when it is made", "4711"
        )
    for each in FIELDS:
        if each.sobject == "Campaign" and each.source is None and each.kind != "text":
            said = (each.says, "a census, where the org has the field", each.example)
            yield DictionaryLine(f"Campaign.{each.name}", *said)
    if chosen.grain == "both" or chosen.series_parent is not None:
        yield DictionaryLine(
            "Campaign.ParentId", "event_id, series_parent", "follows the event", "701…"
        )
    yield DictionaryLine("CampaignMember.CampaignId", "event_id", "the event's campaign", "701…")
    for person in ("LeadId", "ContactId"):
        yield DictionaryLine(f"CampaignMember.{person}", "the person's record", "matching", "00…")
    labels = ", ".join(status.label for status in chosen.statuses.values())
    yield DictionaryLine(
        "CampaignMember.Status", "status, attendances", f"one of all sessions: {labels}", "Attended"
    )


def _mapped(account: "Account", mappings: "list[FieldMapping]") -> "Iterator[DictionaryLine]":
    from crm_pipeline.accounts.webinar_objects import FIELDS
    from crm_pipeline.flows.campaigns.rules import campaign_map, member_map
    from crm_pipeline.flows.campaigns.sums import SUMMED
    from crm_pipeline.sources.mapping import field_maps

    known = {(each.sobject, each.source): each for each in FIELDS}
    maps = dict(field_maps(account.settings, mappings))
    if account.settings.campaigns is not None:
        maps["Campaign"] = campaign_map(mappings)
        link = account.settings.campaigns.join_link_field
        maps["CampaignMember"] = member_map(mappings, join_link_field=link)
    for sobject, each in maps.items():
        for name, source in each.sources.items():
            declared = known.get((sobject, source))
            rule = _RULES[sobject]
            if sobject == "CampaignMember" and source in SUMMED:
                rule = declared.rule if declared else "all rows together"
            if sobject in ("Lead", "Contact"):
                rule = f"{rule}; written: {account.settings.policy(name)}"
            example = declared.example if declared else _EXAMPLES.get(source, "")
            yield DictionaryLine(f"{sobject}.{name}", source, rule, example)
        for name, value in each.constants.items():
            yield DictionaryLine(f"{sobject}.{name}", "constant", "constant", value)


def _of_tracked_leads(account: "Account") -> "Iterator[DictionaryLine]":
    chosen = account.settings.attribution
    if chosen is None:
        return
    from crm_pipeline.accounts.templates import sources_of

    first, last = chosen.first_touch_policy, chosen.last_touch_policy
    filled = [
        (chosen.id_field, "lead_id", "the first tracked lead", first),
        (chosen.kind_field, "kind", "the first tracked lead", first),
        *((f, column, "the first touch", first) for column, f in chosen.first_touch.named.items()),
        *((f, column, "the last touch", last) for column, f in chosen.last_touch.named.items()),
        *(
            (field, str(source), "the newest lead that says it", last)
            for field, source in sources_of(chosen.further_fields).items()
        ),
    ]
    for field, column, rule, policy in filled:
        for sobject in ("Lead", "Contact") if field is not None else ():
            yield DictionaryLine(f"{sobject}.{field}", column, f"{rule}; written: {policy}", "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
