"""The data dictionary has every field that an account fills, each with its source and rule."""

from pathlib import Path

from crm_pipeline_tests.cli.conftest import Run


def lines(page: str) -> dict[str, list[str]]:
    rows = [line.strip("|").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows[1:]}


def test_every_field_is_in_the_dictionary(run: Run, acme: str, tmp_path: Path) -> None:
    run("account", "set", acme, "campaigns={}", 'person_field_policies={"Phone": "never"}')
    sets = ("account", "mapping", "set", acme)
    run(*sets, "Lead.Budget__c", "--source", "answers.budget")
    run(*sets, "Lead.Rating", "--constant", "Warm | hot")
    run(*sets, "CampaignMember.Share__c", "--source", "percent_attended")
    found = lines(run("account", "dictionary", acme).stdout)
    assert found["Lead.Email"][0] == "email"
    assert found["Contact.MailingCity"][0] == "city"
    assert found["Lead.Phone"][1].endswith("written: never")
    assert found["Lead.Budget__c"][0] == "answers.budget"
    assert found["CampaignMember.Share__c"] == ["percent_attended", "all together", "93"]
    assert "No Show" in found["CampaignMember.Status"][1]
    assert found["Event.DurationInMinutes"][2] == "0"
    assert "Lead.Rating" in found
    run("account", "set", acme, 'attribution={"last_touch": {"gclid": "Last_Gclid__c"}}')
    found = lines(run("account", "dictionary", acme).stdout)
    assert found["Contact.Last_Gclid__c"][:2] == ["gclid", "the last touch; written: source"]
    out = tmp_path / "fields.md"
    said = run("account", "dictionary", acme, "--out", out).stdout
    assert f"{len(found)} fields" in said
    assert lines(out.read_text(encoding="utf-8")) == found
