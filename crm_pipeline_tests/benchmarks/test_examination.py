from benchmarks.examination import Person, examine
from benchmarks.job import email, home, job_title, records_of_the_org

ROWS = 20


def right_people() -> list[Person]:
    return [
        Person(home(person) or "Lead", f"id{person}", email(person), job_title(person))
        for person in range(ROWS)
    ]


def right_events() -> list[str | None]:
    return [f"id{person}" for person in range(ROWS)]


def test_the_right_answer_is_right():
    verdict = examine(ROWS, right_people(), {"Webinar Registration": right_events()})
    assert verdict.right
    assert verdict.activities == ROWS


def test_the_org_holds_four_of_ten_people_as_leads_and_two_as_contacts():
    batches = list(records_of_the_org(100, batch=30))
    assert sum(len(batch["Lead"]) for batch in batches) == 40
    assert sum(len(batch["Contact"]) for batch in batches) == 20
    assert all(
        record["Title"] != job_title(int(record["Email"][7:14]))
        for batch in batches
        for records in batch.values()
        for record in records
    )


def test_a_lead_beside_a_contact_is_a_second_person():
    contact = 4
    people = [*right_people(), Person("Lead", "new", email(contact), job_title(contact))]
    verdict = examine(ROWS, people, {"Webinar Registration": right_events()})
    assert verdict.second_persons == 1
    assert not verdict.right


def test_an_activity_at_the_second_person_is_astray():
    people = [*right_people(), Person("Lead", "new", email(4), job_title(4))]
    events = [who_id if who_id != "id4" else "new" for who_id in right_events()]
    verdict = examine(ROWS, people, {"Webinar Registration": events})
    assert verdict.astray_activities == 1
    assert verdict.activities == ROWS - 1
    assert verdict.missing_activities == 0


def test_an_activity_without_a_person_is_astray():
    events = [None, *right_events()[1:]]
    verdict = examine(ROWS, right_people(), {"Webinar Registration": events})
    assert verdict.astray_activities == 1
    assert not verdict.right


def test_an_activity_that_is_missing_is_told():
    verdict = examine(ROWS, right_people(), {"Webinar Registration": right_events()[1:]})
    assert verdict.missing_activities == 1
    assert verdict.activities_in_words() == "19, 1 missing"


def test_an_activity_that_is_there_twice_is_told():
    events = [*right_events(), "id0"]
    verdict = examine(ROWS, right_people(), {"Webinar Registration": events})
    assert verdict.doubled_activities == 1
    assert verdict.activities == ROWS
    assert not verdict.right


def test_a_lost_activity_is_not_made_good_by_a_doubled_one():
    events = ["id1", *right_events()[1:]]
    verdict = examine(ROWS, right_people(), {"Webinar Registration": events})
    assert (verdict.missing_activities, verdict.doubled_activities) == (1, 1)


def test_each_kind_of_activity_counts_on_its_own():
    events = {"Webinar Registration": right_events(), "Webinar Attendance": right_events()}
    verdict = examine(ROWS, right_people(), events)
    assert verdict.right
    assert verdict.activities == 2 * ROWS


def test_a_person_who_is_nowhere_is_missing():
    verdict = examine(ROWS, right_people()[1:], {"Webinar Registration": right_events()})
    assert verdict.missing_persons == 1
    assert verdict.astray_activities == 1


def test_a_record_that_was_not_brought_up_to_date_is_told():
    people = right_people()
    people[0] = Person("Lead", "id0", email(0), "Not asked")
    verdict = examine(ROWS, people, {"Webinar Registration": right_events()})
    assert verdict.outdated_persons == 1
    assert not verdict.right
