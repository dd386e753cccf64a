"""What people write is freed of what is not to leave, and of nothing else."""

import pytest

from crm_pipeline.accounts.account import REDACTIONS, AccountError, AccountSettings
from crm_pipeline.sources.redaction import Redaction
from crm_pipeline.sources.redaction_kinds import KINDS
from crm_pipeline.text import JsonText


def test_the_kinds_that_an_account_may_name_are_those_that_are_found() -> None:
    assert sorted(REDACTIONS) == sorted(KINDS)


@pytest.mark.parametrize(
    ("kind", "text", "left"),
    [
        ("cards", "my card 4111 1111 1111 1111, thanks", "my card [removed], thanks"),
        ("cards", "2 cards: 1 4111 1111 1111 1111 12/27", "2 cards: 1 [removed] 12/27"),
        ("cards", "4111111111111111 5500 0000 0000 0004", "[removed] [removed]"),
        ("cards", "4111-1111-1111-1112 is none", None),
        ("cards", "order 20260301120000", None),
        ("bank_accounts", "to DE89 3704 0044 0532 0130 00 please", "to [removed] please"),
        ("bank_accounts", "GB82WEST12345698765432.", "[removed]."),
        ("bank_accounts", "DE89 3704 0044 0532 0130 01", None),
        ("phones", "call +44 20 7946 0018 or 030 901820", "call [removed] or [removed]"),
        ("phones", "(415) 555-2671, 0171/1234567, 04930901820", "[removed], [removed], [removed]"),
        ("phones", "from 10:00 to 11:30 on 2026-03-01, 01.03.2026, room 0815", None),
        ("phones", "ticket 20260301, 12,345,678 visitors, IP 10.0.0.1, v1.2.3-04", None),
        ("emails", "write to ann+x@mail.example.com!", "write to [removed]!"),
        ("emails", "@everybody at 5", None),
        ("national_ids", "SSN 078-05-1120, NINO AB 12 34 56 C", "SSN [removed], NINO [removed]"),
        ("national_ids", "DNI 12345678Z; 1 85 05 78 006 084 91", "DNI [removed]; [removed]"),
        ("national_ids", "Steuer-ID 86 095 742 719", "Steuer-ID [removed]"),
        ("national_ids", "CF RSSMRA85T10A562S, CPF 111.444.777-35", "CF [removed], CPF [removed]"),
        ("national_ids", "811218-9876 in Stockholm", "[removed] in Stockholm"),
        ("national_ids", "12345678A, 86 095 742 718, 811218-9875, 000-12-3456", None),
        ("postal_addresses", "I live at 221B Baker Street, London", "I live at [removed], London"),
        ("postal_addresses", "Hauptstraße 5 in Berlin", "[removed] in Berlin"),
        ("postal_addresses", "12 rue de la Paix", "[removed]"),
        ("postal_addresses", "Calle Mayor 12; Via Roma 7", "[removed]; [removed]"),
        ("postal_addresses", "In 2026 we met on the way, 5 streets away", None),
        ("link_secrets", "https://a.example/x?token=1#t, ok", "https://a.example/x[removed] ok"),
        ("link_secrets", "https://ann:pw@a.example/", "https://[removed]@a.example/"),
        ("link_secrets", "https://a.example/x, really? #1", None),
        ("health", "I am pregnant and have HIV", "I am [removed] and have [removed]"),
        ("health", "Ich bin schwanger", "Ich bin [removed]"),
        ("health", "Canceled my trip", None),
        (r"\bAB-\d+\b", "ticket AB-123", "ticket [removed]"),
    ],
)
def test_a_text_is_freed_of_what_is_not_to_leave(kind: str, text: str, left: str | None) -> None:
    redaction = Redaction.of([kind])
    assert redaction.text(text) == (text if left is None else left)
    assert redaction.taken.total() == (left or "").count("[removed]")


def test_kinds_that_overlap_count_each_and_leave_one_sign() -> None:
    redaction = Redaction.of(["link_secrets", "emails", "cards"])
    said = redaction.text("https://a.example/?mail=ann@example.com&card=4111111111111111")
    assert said == "https://a.example/[removed]"
    assert redaction.in_words() == "Taken out of what people wrote: 1 of link_secrets (redaction)"


def test_free_texts_of_a_row_are_freed_and_nothing_else() -> None:
    columns = {
        "email": "hiv@example.com",
        "surname": "Krebs",
        "phone_1": "+44 20 7946 0018",
        "event_name": "Living with diabetes",
        "join_link": "https://join.example/?token=1",
        "landing_page": "https://www.example/?email=a@b.example",
        "polls": JsonText('[{"question": "Card?", "answer": "4111111111111111"}]'),
        "chats": JsonText('[{"message": "HIV", "replies": ["ring +44 20 7946 0018"]}]'),
        "answers": JsonText('{"card": 4111111111111111, "size": 4.5}'),
        "links": JsonText('[{"label": "Book", "url": "https://b.example/?key=1"}]'),
        "a_column_of_our_own": "diabetic, 221B Baker Street",
    }
    redaction = Redaction.of(REDACTIONS)
    told = redaction.columns(columns)
    unchanged = ("email", "surname", "phone_1", "event_name", "join_link")
    assert {name: told[name] for name in unchanged} == {name: columns[name] for name in unchanged}
    assert told["landing_page"] == "https://www.example/[removed]"
    assert told["polls"].parsed() == [{"question": "Card?", "answer": "[removed]"}]
    assert told["chats"].parsed() == [{"message": "[removed]", "replies": ["ring [removed]"]}]
    assert told["answers"].parsed()["card"] == "[removed]"
    assert float(told["answers"].parsed()["size"]) == 4.5
    assert told["links"].parsed() == [{"label": "Book", "url": "https://b.example/[removed]"}]
    assert told["a_column_of_our_own"] == "[removed], [removed]"
    plain = {"chats": JsonText('[{"message":   "hello"}]'), "email": "a@b.example"}
    assert redaction.columns(plain) is plain


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("phone", "did you mean phones?"),
        ("credit cards", "is no kind: link_secrets, cards"),
        ("(", "is no regular expression"),
    ],
)
def test_a_kind_that_was_mistyped_is_no_pattern(chosen: str, said: str) -> None:
    with pytest.raises(AccountError, match=said):
        AccountSettings.parse("acme", {"redaction": [chosen]})
