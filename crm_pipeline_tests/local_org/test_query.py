import time
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.selection import select
from crm_pipeline_tests.local_org.wire import VERSION, Caller, add, add_all, serving

SEE_DESCRIBE = "Please reference your WSDL or the describe call for the appropriate names."


@pytest.fixture(scope="module")
def people():
    """Three leads, two accounts with contacts, a campaign with members, events."""
    objects = {
        "Lead": {"fields": {"Score__c": {"type": "double"}, "Day__c": {"type": "date"}}},
        "Note__c": {
            "fields": {
                "Lead__c": {"reference_to": "Lead", "child_relationship_name": "Notes"},
                "Text__c": {"type": "textarea", "length": 32000},
            }
        },
    }
    with serving(objects=objects, hidden_fields=["Lead.Fax"]) as caller:
        org = caller.org
        ada, bob, _ = add_all(
            org,
            "Lead",
            [
                {
                    "FirstName": "Ada",
                    "LastName": "Lovelace",
                    "Company": "Engines",
                    "Email": "Ada@Example.com",
                    "Score__c": 7,
                    "Day__c": "2026-05-14",
                },
                {"LastName": "O'Brien", "Company": "Pubs", "Email": "bob@example.com"},
                {"LastName": "zed_1", "Company": "engines", "Score__c": 2.5},
            ],
        )
        parent = add(org, "Account", Name="Group")
        acme = add(org, "Account", Name="Acme", ParentId=parent)
        add(org, "Contact", LastName="Smith", AccountId=acme, Email="smith@example.com")
        add(org, "Contact", LastName="Jones", AccountId=acme)
        contact = add(org, "Contact", LastName="Alone")
        campaign = add(org, "Campaign", Name="Webinar")
        add(org, "CampaignMember", CampaignId=campaign, LeadId=ada)
        for who in (ada, contact):
            add(
                org,
                "Event",
                Subject="Call",
                WhoId=who,
                ActivityDateTime="2026-05-14T10:00:00Z",
                DurationInMinutes=30,
            )
        add(org, "Note__c", Lead__c=bob, Text__c="hello")
        yield caller


def last_names(caller: Caller, where: str) -> list[str]:
    return sorted(caller.values(f"SELECT LastName FROM Lead WHERE {where}"))


def test_a_record_comes_with_its_attributes_and_its_fields_in_the_order_asked_for(people):
    answer = people.get("query", params={"q": "select lastname, ID, email from lead limit 1"})
    lead = answer.json()["records"][0]
    assert list(lead) == ["attributes", "LastName", "Id", "Email"]
    assert lead["attributes"] == {
        "type": "Lead",
        "url": f"/services/data/v{VERSION}/sobjects/Lead/{lead['Id']}",
    }
    assert answer.json()["totalSize"] == 1
    assert answer.json()["done"] is True
    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Email = 'ADA@example.COM'", ["Lovelace"]),
        ("Email IN ('ada@example.com', 'BOB@example.com', 'x')", ["Lovelace", "O'Brien"]),
        ("Email NOT IN ('ada@example.com')", ["O'Brien", "zed_1"]),
        ("Email = null", ["zed_1"]),
        ("Email = ''", ["zed_1"]),
        ("Email != null", ["Lovelace", "O'Brien"]),
        ("Email IN (null, 'bob@example.com')", ["O'Brien", "zed_1"]),
        ("Email != 'ada@example.com'", ["O'Brien", "zed_1"]),
        (r"LastName = 'o\'brien'", ["O'Brien"]),
        ("LastName LIKE 'LOVE%'", ["Lovelace"]),
        (r"LastName LIKE 'zed\_1'", ["zed_1"]),
        ("NOT Email LIKE '%'", ["zed_1"]),
        ("Company = 'Engines' AND Score__c > 2.5", ["Lovelace"]),
        ("Company = 'Engines' AND (Score__c = 2.5 OR Email = null)", ["zed_1"]),
        ("Score__c < 7", ["zed_1"]),
        ("Score__c >= 2.5", ["Lovelace", "zed_1"]),
        ("Score__c = null", ["O'Brien"]),
        ("IsConverted = false", ["Lovelace", "O'Brien", "zed_1"]),
        ("IsConverted = TRUE", []),
        ("Day__c = 2026-05-14", ["Lovelace"]),
        ("Day__c > 2026-05-14", []),
        ("CreatedDate = TODAY", ["Lovelace", "O'Brien", "zed_1"]),
        ("CreatedDate > LAST_N_DAYS:1", ["Lovelace", "O'Brien", "zed_1"]),
        ("CreatedDate < YESTERDAY", []),
        ("CreatedDate > 2020-01-01T00:00:00+02:00", ["Lovelace", "O'Brien", "zed_1"]),
        ("Id IN (SELECT LeadId FROM CampaignMember)", ["Lovelace"]),
        ("Id NOT IN (SELECT LeadId FROM CampaignMember)", ["O'Brien", "zed_1"]),
        (
            "Id IN (SELECT WhoId FROM Event WHERE Subject = 'call') AND Company = 'Engines'",
            ["Lovelace"],
        ),
        ("Owner.Name LIKE 'admin%'", ["Lovelace", "O'Brien", "zed_1"]),
        ("LastName > 'm' AND LastName < 'p'", ["O'Brien"]),
    ],
)
def test_where(people, where, found):
    assert last_names(people, where) == found


def test_ids_of_15_and_18_characters_are_the_same(people):
    (lead_id,) = people.values("SELECT Id FROM Lead WHERE LastName = 'zed_1'")
    for written in (lead_id, lead_id[:15]):
        assert people.values(f"SELECT LastName FROM Lead WHERE Id = '{written}'") == ["zed_1"]
        assert people.values(f"SELECT LastName FROM Lead WHERE Id IN ('{written}')") == ["zed_1"]


def test_parents_are_nested_and_null_where_there_is_none(people):
    records = people.get(
        "query",
        params={
            "q": "SELECT LastName, Account.Name, Account.Parent.Name, Account.Owner.Username "
            "FROM Contact ORDER BY LastName DESC"
        },
    ).json()["records"]
    smith, jones, alone = records
    assert smith["Account"]["Name"] == jones["Account"]["Name"] == "Acme"
    assert smith["Account"]["attributes"]["type"] == "Account"
    assert smith["Account"]["Parent"]["Name"] == "Group"
    assert smith["Account"]["Owner"]["Username"] == "admin@acme.test"
    assert alone["Account"] is None


def test_a_polymorphic_parent_is_a_name_and_tells_its_type(people):
    records = people.query("SELECT Who.Type, Who.Name, Who.Company FROM Event ORDER BY Who.Type")
    assert [(one["Who"]["Type"], one["Who"]["Name"]) for one in records] == [
        ("Contact", "Alone"),
        ("Lead", "Ada Lovelace"),
    ]
    assert records[0]["Who"]["attributes"]["type"] == "Name"
    assert "/sobjects/Contact/003" in records[0]["Who"]["attributes"]["url"]
    subjects = people.values("SELECT Subject FROM Event WHERE Who.Type = 'Lead'")
    assert subjects == ["Call"]


def test_children_are_selected_within_their_parent(people):
    acme, group = people.query(
        "SELECT Name, (SELECT LastName FROM Contacts WHERE LastName != 'Smith' "
        "ORDER BY LastName LIMIT 5) FROM Account ORDER BY Name"
    )
    children = acme["Contacts"]
    assert (children["totalSize"], children["done"]) == (1, True)
    assert children["records"][0]["LastName"] == "Jones"
    assert children["records"][0]["attributes"]["type"] == "Contact"
    assert group["Contacts"] is None


def test_children_of_a_custom_lookup_are_named_by_its_relationship(people):
    (record,) = people.query(
        "SELECT (SELECT Text__c FROM Notes__r) FROM Lead WHERE LastName LIKE 'O%'"
    )
    assert record["Notes__r"]["records"][0]["Text__c"] == "hello"
    (note,) = people.query("SELECT Lead__r.Company FROM Note__c")
    assert note["Lead__r"]["Company"] == "Pubs"


def test_sorting_ignores_case_and_puts_nulls_first_unless_told_otherwise(people):
    assert people.values("SELECT Company FROM Lead ORDER BY Company, LastName") == [
        "Engines",
        "engines",
        "Pubs",
    ]
    by_score = "SELECT Score__c FROM Lead ORDER BY Score__c"
    assert people.values(by_score) == [None, 2.5, 7.0]
    assert people.values(f"{by_score} DESC") == [None, 7.0, 2.5]
    assert people.values(f"{by_score} DESC NULLS LAST") == [7.0, 2.5, None]
    assert people.values(f"{by_score} NULLS LAST LIMIT 1 OFFSET 1") == [7.0]


def test_count_without_a_field_gives_a_total_and_no_records(people):
    answer = people.get("query", params={"q": "select count() from Lead where Email != null"})
    assert answer.json() == {"totalSize": 2, "done": True, "records": []}


def test_aggregates_are_named_by_alias_or_by_number(people):
    answer = people.get(
        "query",
        params={
            "q": "SELECT COUNT(Id), COUNT(Score__c) scored, MAX(Score__c), MIN(LastName), "
            "SUM(Score__c), AVG(Score__c), COUNT_DISTINCT(Company) FROM Lead"
        },
    )
    assert answer.json()["records"] == [
        {
            "attributes": {"type": "AggregateResult"},
            "expr0": 3,
            "scored": 2,
            "expr1": 7.0,
            "expr2": "Lovelace",
            "expr3": 9.5,
            "expr4": 4.75,
            "expr5": 2,
        }
    ]


def test_group_by_having_and_order_by_an_aggregate(people):
    assert people.query(
        "SELECT Account.Name, COUNT(Id) n FROM Contact GROUP BY Account.Name "
        "HAVING COUNT(Id) > 0 ORDER BY COUNT(Id) DESC"
    ) == [{"Name": "Acme", "n": 2}, {"Name": None, "n": 1}]
    having = "SELECT Company FROM Lead GROUP BY Company HAVING COUNT(Id) > 1"
    assert people.values(having) == ["Engines"]


def test_of_more_groups_than_a_page_holds_a_limit_must_choose():
    leads = [{"LastName": "L", "Company": f"C{number}"} for number in range(2_001)]
    with serving(records={"Lead": leads}) as caller:
        grouped = "SELECT Company FROM Lead GROUP BY Company"
        assert caller.refused(grouped)["errorCode"] == "EXCEEDED_ID_LIMIT"
        assert len(caller.values(f"{grouped} LIMIT 2000")) == 2_000


def must_be(field: str, kind: str, *, quoted: bool) -> str:
    return (
        f"value of filter criterion for field '{field}' must be of type {kind} and should "
        f"{'' if quoted else 'not '}be enclosed in quotes"
    )


NO_TYPE = (
    "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
    "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure "
    f"to append the '__c' after the entity name. {SEE_DESCRIBE}"
)
NO_RELATIONSHIP = (
    "Didn't understand relationship 'Nothing' in field path. If you are attempting to use a custom "
    f"relationship, be sure to append the '__r' after the custom relationship name. {SEE_DESCRIBE}"
)
NESTED_SEMI_JOIN = (
    "SELECT Id FROM Lead WHERE Id IN (SELECT LeadId FROM CampaignMember "
    "WHERE CampaignId IN (SELECT Id FROM Campaign))"
)
NO_COLUMN = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom "
    f"field name. {SEE_DESCRIBE}"
)


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        (
            "select count() from XYZZY",
            "INVALID_TYPE",
            NO_TYPE,
        ),
        (
            "SELECT Id, Status, Location, Body FROM Lead",
            "INVALID_FIELD",
            (
                "\nSELECT Id, Status, Location, Body FROM Lead\n                   ^\nERROR at "
                f"Row:1:Column:20\nNo such column 'Location' on entity 'Lead'. {NO_COLUMN}"
            ),
        ),
        ("SELECT Fax FROM Lead", "INVALID_FIELD", "No such column 'Fax' on entity 'Lead'."),
        ("SELECT Id FROM Lead WHERE Fax = 'x'", "INVALID_FIELD", "No such column 'Fax'"),
        ("SELECT Who.Foo FROM Event", "INVALID_FIELD", "No such column 'Foo' on entity 'Name'."),
        (
            "SELECT Nothing.Name FROM Lead",
            "INVALID_FIELD",
            NO_RELATIONSHIP,
        ),
        (
            "SELECT (SELECT Id FROM Nothings) FROM Lead",
            "INVALID_TYPE",
            "Didn't understand relationship 'Nothings' in FROM part of query call.",
        ),
        (
            "SELECT Id FROM Lead WHERE Description LIKE 'x%'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Lead ORDER BY Description",
            "MALFORMED_QUERY",
            "field 'Description' can not be sorted in a query call",
        ),
        (
            "SELECT Description FROM Lead GROUP BY Description",
            "MALFORMED_QUERY",
            "field 'Description' can not be grouped in a query call",
        ),
        (
            "SELECT Email FROM Lead GROUP BY Company",
            "MALFORMED_QUERY",
            "Field must be grouped or aggregated: Email",
        ),
        (
            "SELECT SUM(Email) FROM Lead",
            "MALFORMED_QUERY",
            "field Email does not support aggregate operator SUM",
        ),
        (
            "SELECT Id FROM Lead WHERE IsConverted = 'false'",
            "INVALID_FIELD",
            must_be("IsConverted", "boolean", quoted=False),
        ),
        (
            "SELECT Id FROM Lead WHERE Email = 5",
            "INVALID_FIELD",
            must_be("Email", "string", quoted=True),
        ),
        (
            "SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            must_be("CreatedDate", "dateTime", quoted=False),
        ),
        (
            "SELECT Id FROM Lead WHERE Score__c = 'x'",
            "INVALID_FIELD",
            must_be("Score__c", "double", quoted=False),
        ),
        (
            "SELECT Id FROM Lead WHERE Day__c = 2026-02-30",
            "INVALID_FIELD",
            "value of filter criterion for field 'Day__c' must be of type date",
        ),
        (
            "SELECT Id FROM Lead WHERE Id = 'ZZZ'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: ZZZ",
        ),
        (
            "SELECT Id FROM Lead WHERE Id LIKE '00Q%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on id field",
        ),
        ("SELECT Id, Id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
        (
            "SELECT Id FROM Lead WHERE Email = null OR Id IN (SELECT LeadId FROM CampaignMember)",
            "MALFORMED_QUERY",
            "Semi join sub-selects are not allowed with the 'OR' operator",
        ),
        (
            "SELECT Id FROM Lead WHERE NOT Id IN (SELECT LeadId FROM CampaignMember)",
            "MALFORMED_QUERY",
            "Semi join sub-selects are only allowed at the top level WHERE expressions",
        ),
        (
            NESTED_SEMI_JOIN,
            "MALFORMED_QUERY",
            "Nesting of semi join sub-selects is not supported",
        ),
        (
            "SELECT Id FROM Lead WHERE Id IN (SELECT AccountId FROM Contact)",
            "MALFORMED_QUERY",
            (
                "The selected field 'AccountId' in the subquery and the left operand field in the "
                "where expression in the outer query 'Id' should point to the same object type"
            ),
        ),
        ("SELECT Id FROM Lead ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context"),
        (
            "SELECT Id FROM Lead OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
        ),
        (
            f"SELECT Id FROM Lead LIMIT {2**63}",
            "MALFORMED_QUERY",
            "number out of range: 922337203685477580...",
        ),
        ("SELECT Id FROM Lead LIMIT 1" + "0" * 5000, "MALFORMED_QUERY", "number out of range"),
        (
            f"SELECT (SELECT Id FROM Contacts LIMIT {2**64}) FROM Account",
            "MALFORMED_QUERY",
            "number out of range",
        ),
        *(
            (
                f"SELECT Id FROM Lead WHERE Address {condition}",
                "INVALID_FIELD",
                "field 'Address' can not be filtered in a query call",
            )
            for condition in ("= null", "!= null", "IN (null)", "NOT IN ('x')", "LIKE 'x'", "> 1")
        ),
        (
            "SELECT Id FROM Contact WHERE Account.BillingAddress = null",
            "INVALID_FIELD",
            "field 'Account.BillingAddress' can not be filtered in a query call",
        ),
        *(
            (
                f"SELECT {function}(Address) FROM Lead",
                "MALFORMED_QUERY",
                f"field Address does not support aggregate operator {function}",
            )
            for function in ("COUNT", "COUNT_DISTINCT", "MIN")
        ),
        (
            "SELECT Address FROM Lead GROUP BY Address",
            "MALFORMED_QUERY",
            "field 'Address' can not be grouped in a query call",
        ),
        ("SELECT NOPE(Id) FROM Lead", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT MasterRecord.Foo.Bar FROM Lead", "INVALID_FIELD", "relationship 'Foo'"),
    ],
)
def test_a_wrong_query_gets_salesforces_error(people, soql, code, message):
    error = people.refused(soql)
    assert error["errorCode"] == code
    assert message in error["message"]


ENDLESS_NOT = f"SELECT Id FROM Lead WHERE {'(NOT ' * 5000}Email = null{')' * 5000}"
ENDLESS_CHILDREN = (
    f"{'SELECT Id, (' * 2000}SELECT Id FROM ChildAccounts"
    f"{') FROM ChildAccounts' * 1999}) FROM Account"
)


@pytest.mark.parametrize(
    ("soql", "code"),
    [(ENDLESS_NOT, "QUERY_TOO_COMPLICATED"), (ENDLESS_CHILDREN, "MALFORMED_QUERY")],
)
def test_a_query_without_end_is_refused(people, soql, code):
    with pytest.raises(SalesforceError) as refusal:
        select(people.org, soql, VERSION)
    assert refusal.value.error_code == code


def columns(people: Caller, soql: str) -> dict[str, Any]:
    answer = people.get("query", params={"q": soql, "columns": "true"})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_query_tells_its_columns_if_it_is_asked(people):
    told = columns(
        people, "SELECT Id, IsDeleted, Owner.Name, Name, (SELECT Email FROM Contacts) FROM Account"
    )
    assert (told["entityName"], told["keyPrefix"]) == ("Account", "001")
    assert (told["groupBy"], told["idSelected"]) == (False, True)
    named = told["columnMetadata"]
    assert [each["columnName"] for each in named] == [
        "Id",
        "IsDeleted",
        "Owner",
        "Name",
        "Contacts",
    ]
    assert [each["aggregate"] for each in named] == [False, False, False, False, True]
    within = [[each["columnName"] for each in one["joinColumns"]] for one in named]
    assert within == [[], [], ["Name"], [], ["Email"]]
    assert named[1] == {
        "aggregate": False,
        "apexType": "Boolean",
        "booleanType": True,
        "columnName": "IsDeleted",
        "custom": False,
        "displayName": "IsDeleted",
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": [],
        "numberType": False,
        "textType": False,
        "updatable": False,
    }
    assert "records" not in told


def test_aggregates_are_told_by_alias_or_number_and_what_they_are(people):
    told = columns(people, "SELECT Company, COUNT(Id), MAX(Score__c) m FROM Lead GROUP BY Company")
    assert told["groupBy"] is True
    assert [
        (each["columnName"], each["displayName"], each["aggregate"], each["numberType"])
        for each in told["columnMetadata"]
    ] == [
        ("Company", "Company", False, False),
        ("expr0", "COUNT(Id)", True, True),
        ("m", "MAX(Score__c)", True, True),
    ]
    (count,) = columns(people, "SELECT COUNT() FROM Lead")["columnMetadata"]
    assert count["aggregate"] is True


def test_a_call_without_a_query_is_refused(people):
    answer = people.get("query")
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "MALFORMED_QUERY"


def test_deleted_records_are_seen_by_query_all_only():
    with serving() as caller:
        kept, gone = add(caller.org, "Account", Name="A"), add(caller.org, "Account", Name="B")
        caller.call("DELETE", f"sobjects/Account/{gone}")
        soql = {"q": "SELECT Id, IsDeleted FROM Account ORDER BY Name"}
        assert caller.values(soql["q"]) == [kept]
        both = caller.get("queryAll", params=soql).json()["records"]
        assert [(one["Id"], one["IsDeleted"]) for one in both] == [(kept, False), (gone, True)]


def test_a_large_result_comes_in_pages_by_a_cursor():
    with serving() as caller:
        names = [f"Account {number:04}" for number in range(2500)]
        add_all(caller.org, "Account", [{"Name": name} for name in names])
        soql = "SELECT Name FROM Account ORDER BY Name"
        first = caller.get("query", params={"q": soql}).json()
        assert (first["totalSize"], first["done"], len(first["records"])) == (2500, False, 2000)
        assert first["nextRecordsUrl"].startswith(f"/services/data/v{VERSION}/query/01g")
        assert first["nextRecordsUrl"].endswith("-2000")
        second = caller.get(first["nextRecordsUrl"]).json()
        assert second["done"]
        assert "nextRecordsUrl" not in second
        assert [one["Name"] for one in first["records"] + second["records"]] == names
        assert caller.get(first["nextRecordsUrl"]).json() == second


def test_the_client_may_ask_for_smaller_pages_but_not_for_fewer_than_200_records():
    with serving() as caller:
        add_all(caller.org, "Account", [{"Name": f"{n}"} for n in range(700)])
        for asked, given in (("300", 300), ("10", 200), ("9000", 700)):
            options = {"Sforce-Query-Options": f"batchSize={asked}"}
            answer = caller.get("query", params={"q": "SELECT Id FROM Account"}, headers=options)
            assert len(answer.json()["records"]) == given


def test_pages_are_shorter_than_asked_where_the_org_says_so_or_texts_are_long():
    with serving(limits={"query_batch_size": 3}) as caller:
        add_all(caller.org, "Account", [{"Name": f"{n}"} for n in range(7)])
        page = caller.get("query", params={"q": "SELECT Id FROM Account"}).json()
        sizes = [len(page["records"])]
        while not page["done"]:
            page = caller.get(page["nextRecordsUrl"]).json()
            sizes.append(len(page["records"]))
        assert sizes == [3, 3, 1]
    with serving() as caller:
        text = "x" * 30_000
        records = [{"LastName": f"{n}", "Company": "C", "Description": text} for n in range(40)]
        add_all(caller.org, "Lead", records)
        for soql, given in (
            ("SELECT Id, Description FROM Lead", 16),
            ("SELECT Id FROM Lead", 40),
        ):
            page = caller.get("query", params={"q": soql}).json()
            assert len(page["records"]) == given
            assert page["totalSize"] == 40


@pytest.mark.parametrize(
    "locator", ["01g000000000000AAA-2000", "nonsense", "01gXX-5", "01g000000000000AAA-x"]
)
def test_an_unknown_cursor_is_refused(people, locator):
    answer = people.get(f"query/{locator}")
    assert answer.status_code == 400
    assert answer.json() == [
        {"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}
    ]


def test_a_cursor_keeps_the_records_that_the_query_found():
    with serving(limits={"query_batch_size": 1}) as caller:
        first, second = add(caller.org, "Account", Name="A"), add(caller.org, "Account", Name="B")
        page = caller.get("query", params={"q": "SELECT Id FROM Account"}).json()
        assert page["records"][0]["Id"] == first
        caller.call("DELETE", f"sobjects/Account/{second}")
        assert caller.get(page["nextRecordsUrl"]).json()["records"][0]["Id"] == second


def test_a_get_of_more_than_16_kilobytes_is_refused_but_not_inside_a_composite(people):
    emails = ",".join(f"'someone.{i}@example.com'" for i in range(900))
    soql = f"SELECT Id FROM Lead WHERE Email IN ({emails})"
    assert people.get("query", params={"q": soql}).status_code == 414
    long_header = {"X-Filler": "x" * 17_000}
    answer = people.get("query", params={"q": "SELECT Id FROM Lead"}, headers=long_header)
    assert answer.status_code == 431
    many = ",".join(f"'someone.{i}@example.com'" for i in range(2500))
    url = f"/services/data/v{VERSION}/query?q=SELECT Id FROM Lead WHERE Email IN ({many})"
    subrequest = {"method": "GET", "referenceId": "leads", "url": url}
    answer = people.post("composite", json={"compositeRequest": [subrequest]})
    (part,) = answer.json()["compositeResponse"]
    assert (part["httpStatusCode"], part["body"]["totalSize"]) == (200, 0)


def test_relative_dates_go_by_the_orgs_clock():
    with serving(logins={"session_minutes": None}) as caller:
        add(caller.org, "Account", Name="A")
        today = "SELECT Name FROM Account WHERE CreatedDate = TODAY"
        assert caller.values(today) == ["A"]
        caller.org.clock_shift += timedelta(days=2)
        assert caller.values(today) == []
        assert caller.values(today.replace("TODAY", "N_DAYS_AGO:2")) == ["A"]
        assert caller.values(today.replace("TODAY", "LAST_N_DAYS:2")) == ["A"]


def test_two_thousand_emails_are_found_among_many_leads_in_milliseconds():
    with serving() as caller:
        emails = [f"someone.{number}@example.com" for number in range(20_000)]
        records = [{"LastName": "L", "Company": "C", "Email": email} for email in emails]
        add_all(caller.org, "Lead", records)
        wanted = ",".join(f"'{email.upper()}'" for email in emails[::10])
        soql = (
            "SELECT Id, Email, FirstName, LastName, Company, Title, Phone, Status FROM Lead "
            f"WHERE Email IN ({wanted}) AND IsConverted = false"
        )
        select(caller.org, "SELECT Id FROM Lead LIMIT 1", VERSION).rows()
        started = time.thread_time()
        selected = select(caller.org, soql, VERSION)
        found = [selected.render(row) for row in selected.rows()]
        assert time.thread_time() - started < 0.5
        assert [one["Email"] for one in found] == emails[::10]


FRAGMENTS = st.sampled_from(
    [
        *("Id", "Email", "Score__c", "Day__c", "CreatedDate", "IsConverted", "Description"),
        *("Owner.Name", "Owner.Type", "MasterRecord.Name", "Notes__r", "OwnerId", "Address"),
        *("COUNT(Id)", "MAX(Address)", "SUM(Score__c)", "COUNT()", "MIN(OwnerId)"),
    ]
)
VALUES = st.sampled_from(
    [
        *("'x'", "null", "true", "1", "1e999", "-3.5", "2026-01-01", "2026-99-99", "TODAY"),
        *("2026-01-01T00:00:00Z", "2026-01-01T99:00:00Z", "LAST_N_YEARS:99999", "'%'", r"'\x'"),
        *("(SELECT Id FROM Lead)", "('x', 1)", "(null)", "'00Q000000000001'", "N_DAYS_AGO:99999"),
    ]
)
OPERATORS = st.sampled_from(["=", "!=", "<", ">=", "LIKE", "IN", "NOT IN"])


@settings(max_examples=500, deadline=None)
@given(
    chosen=st.lists(FRAGMENTS, min_size=1, max_size=3),
    where=st.lists(st.tuples(FRAGMENTS, OPERATORS, VALUES), max_size=3),
    negated=st.booleans(),
    grouped=st.none() | FRAGMENTS,
    sorted_by=st.none() | FRAGMENTS,
)
def test_any_query_is_answered_or_refused(people, chosen, where, negated, grouped, sorted_by):
    soql = f"SELECT {', '.join(chosen)} FROM Lead"
    if where:
        conditions = " AND ".join(" ".join(parts) for parts in where)
        soql += f" WHERE NOT ({conditions})" if negated else f" WHERE {conditions}"
    if grouped:
        soql += f" GROUP BY {grouped}"
    if sorted_by:
        soql += f" ORDER BY {sorted_by}"
    try:
        selected = select(people.org, soql, VERSION)
        orjson.dumps([selected.render(row) for row in selected.rows()])
    except SalesforceError:
        return
