import time
from collections.abc import Sequence

import pytest
import requests

from crm_pipeline.local_platform.inbox import Fault
from crm_pipeline.local_platform.server import LocalPlatformServer
from crm_pipeline.source_platform.http import MESSAGES_PER_REQUEST, HttpPlatform
from crm_pipeline.source_platform.messages import (
    Message,
    PlatformStopped,
    PlatformUnavailable,
    Reply,
)
from crm_pipeline.source_platform.signing import signed
from crm_pipeline_tests.source_platform.conftest import SECRET, message, way_to


def answers(platform: HttpPlatform, messages: Sequence[Message]) -> list[Reply]:
    return [answer for batch in platform.send(messages) for answer in batch]


def test_messages_are_taken_in_whole_batches(
    server: LocalPlatformServer, platform: HttpPlatform
) -> None:
    messages = [message(number) for number in range(MESSAGES_PER_REQUEST + 1)]
    assert [answer.status for answer in answers(platform, messages)] == ["taken"] * len(messages)
    assert server.inbox.requests == {200: 2}
    told = server.inbox.current["4711", "lead_values", "lead:7"]
    assert (told.version, told.body, told.as_of) == (1, {"value": 7}, messages[7].as_of)


def test_a_large_message_travels_by_itself(
    server: LocalPlatformServer, platform: HttpPlatform
) -> None:
    large = "x" * 700_000
    assert len(answers(platform, [message(1, text=large), message(2, text=large)])) == 2
    assert server.inbox.requests == {200: 2}


def test_a_message_sent_again_counts_once_and_an_older_one_changes_nothing(
    server: LocalPlatformServer, platform: HttpPlatform
) -> None:
    answers(platform, [message(1, version=2, value="new")])
    answers(platform, [message(1, version=2, value="new")])
    answers(platform, [message(1, version=1, value="old")])
    assert server.inbox.repeated == 1
    assert server.inbox.current["4711", "lead_values", "lead:1"].body == {"value": "new"}


def test_one_message_is_refused_and_the_others_are_taken(
    server: LocalPlatformServer, platform: HttpPlatform
) -> None:
    server.inbox.faults.append(Fault(action="refuse", about="lead:2"))
    said = answers(platform, [message(1), message(2), message(3)])
    assert [answer.status for answer in said] == ["taken", "refused", "taken"]
    assert (said[1].code, said[1].reason) == ("ON_DEMAND", "asked to refuse it")


def test_a_batch_that_is_refused_is_halved_until_the_message_is_found(
    server: LocalPlatformServer, platform: HttpPlatform
) -> None:
    messages = [message(number) for number in range(1, 9)]
    messages[5] = message(6, version=0)
    said = answers(platform, messages)
    assert [answer.status for answer in said].count("taken") == 7
    assert said[5] == Reply(
        messages[5].message_id, "refused", "HTTP_422", "refused by the platform"
    )


def test_a_message_that_the_answer_leaves_out_has_no_answer(
    server: LocalPlatformServer, platform: HttpPlatform
) -> None:
    server.inbox.faults.append(Fault(action="forget", about="lead:1"))
    messages = [message(1), message(2)]
    assert [answer.message_id for answer in answers(platform, messages)] == [messages[1].message_id]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_pause_is_asked_for(
    server: LocalPlatformServer, platform: HttpPlatform, status: int
) -> None:
    server.inbox.faults.append(Fault(action="error", status=status, retry_after=7))
    with pytest.raises(PlatformUnavailable, match=f"answered {status}") as raised:
        answers(platform, [message(1)])
    assert raised.value.retry_after == 7
    assert not server.inbox.messages


@pytest.mark.parametrize("fault", [Fault(action="reset"), Fault(action="hang", seconds=1.5)])
@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_is_no_answer_and_sending_again_does_no_harm(
    server: LocalPlatformServer, platform: HttpPlatform, fault: Fault, *, after: bool
) -> None:
    server.inbox.faults.append(fault.model_copy(update={"after": after}))
    impatient = way_to(server, read_timeout=1) if fault.action == "hang" else platform
    with pytest.raises(PlatformUnavailable):
        answers(impatient, [message(1)])
    assert len(server.inbox.messages) == after
    [answer] = answers(platform, [message(1)])
    assert answer.status == "taken"
    assert len(server.inbox.messages) == 1
    assert server.inbox.repeated == after


def test_nothing_is_sent_after_the_platform_went_away(
    server: LocalPlatformServer, platform: HttpPlatform
) -> None:
    server.inbox.faults.append(Fault(action="error", status=503))
    with pytest.raises(PlatformUnavailable):
        answers(platform, [message(number) for number in range(2 * MESSAGES_PER_REQUEST)])
    assert server.inbox.requests == {503: 1}


def test_a_wrong_secret_stops(server: LocalPlatformServer) -> None:
    stranger = HttpPlatform(f"{server.url}/messages", "another secret", read_timeout=20)
    with pytest.raises(PlatformStopped, match="check PLATFORM_SECRET"):
        answers(stranger, [message(1)])
    assert not server.inbox.messages


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_wrong_address_stops(
    server: LocalPlatformServer, platform: HttpPlatform, status: int
) -> None:
    server.inbox.faults.append(Fault(action="error", status=status))
    with pytest.raises(PlatformStopped, match="check PLATFORM_URL"):
        answers(platform, [message(1)])


def test_nobody_listens(server: LocalPlatformServer) -> None:
    nowhere = HttpPlatform("http://127.0.0.1:9/messages", SECRET, read_timeout=1)
    with pytest.raises(PlatformUnavailable, match="cannot be reached"):
        answers(nowhere, [message(1)])


def test_an_old_signature_is_not_taken(server: LocalPlatformServer) -> None:
    body = b'{"messages":[]}'
    headers = signed(SECRET, "key", int(time.time()) - 3600, body)
    posted = requests.post(
        f"{server.url}/messages",
        data=body,
        headers={**headers, "Idempotency-Key": '"k"'},
        timeout=30,
    )
    assert posted.status_code == 401


def test_a_body_that_was_changed_on_the_way_is_not_taken(server: LocalPlatformServer) -> None:
    headers = signed(SECRET, "key", int(time.time()), b'{"messages":[]}')
    posted = requests.post(
        f"{server.url}/messages",
        data=b'{"messages":[ ]}',
        headers={**headers, "Idempotency-Key": '"k"'},
        timeout=30,
    )
    assert posted.status_code == 401


def test_another_body_under_the_same_key_is_refused(server: LocalPlatformServer) -> None:
    def post(body: bytes) -> int:
        headers = {**signed(SECRET, "key", int(time.time()), body), "Idempotency-Key": '"k"'}
        return requests.post(
            f"{server.url}/messages", data=body, headers=headers, timeout=30
        ).status_code

    assert post(b'{"messages":[]}') == 200
    assert post(b'{"messages":[]}') == 200
    assert post(b'{"messages": []}') == 422


def test_what_it_was_told_can_be_looked_at(
    server: LocalPlatformServer, platform: HttpPlatform
) -> None:
    answers(platform, [message(1), message(1, version=2), message(2)])
    current = requests.get(f"{server.url}/_admin/current?about=lead:1", timeout=30).json()
    assert [told["version"] for told in current] == [2]
    assert "Local source platform" in requests.get(server.url, timeout=30).text
    stats = requests.get(f"{server.url}/_admin/stats", timeout=30).json()
    assert stats == {"messages": 3, "things": 2, "repeated": 0, "requests": {"200": 1}}
    requests.post(f"{server.url}/_admin/reset", timeout=30)
    assert not server.inbox.messages
