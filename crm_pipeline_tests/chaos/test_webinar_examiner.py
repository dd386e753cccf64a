"""The examiner of all that webinars tell sees what it is there to see."""

import pytest

from crm_pipeline_tests.chaos.webinar_examiner import Fact, examine_facts

ANN = Fact("member", "ann", ("Attended", 15))
EVENTS = [Fact("activity", "ann", ("Webinar Registration",)), Fact("activity", "ann", ("View",))]


def test_what_is_as_it_is_to_be_is_no_finding() -> None:
    assert not examine_facts([ANN, *EVENTS], [*reversed(EVENTS), ANN])


@pytest.mark.parametrize(
    ("there", "kind", "said"),
    [
        (EVENTS, "lost", "member of ann: 0 of 1"),
        ([ANN, EVENTS[0]], "lost", "activity of ann: 1 of 2"),
        ([ANN, ANN, *EVENTS], "doubled", "member of ann: 2 of 1"),
        ([ANN._replace(says=("Registered", 15)), *EVENTS], "wrong", "and not [('Attended', 15)]"),
        ([ANN, ANN._replace(whose="bob"), *EVENTS], "wrong", "member of bob is not to be there"),
    ],
)
def test_what_is_not_is_found(there: list[Fact], kind: str, said: str) -> None:
    found = examine_facts(there, [ANN, *EVENTS])
    assert said in "".join(getattr(found, kind))
    assert sum(map(len, (found.lost, found.doubled, found.wrong))) == 1
