from benchmarks.comparison import Measurement
from benchmarks.examination import Verdict
from benchmarks.report import fastest

RIGHT = Verdict(0, 0, 0, 10, 0, 0, 0)
WRONG = Verdict(1, 0, 0, 10, 0, 0, 0)


def run(seconds: float, *, program: str = "glue", verdict: Verdict = RIGHT) -> Measurement:
    return Measurement(program, 10, 50, seconds, 0, 0, 0, 0, 0, {}, {}, verdict)


def test_of_several_runs_of_one_program_the_fastest_counts():
    found = fastest([run(3), run(1), run(7, program="ours"), run(2)])
    assert [(each.program, each.seconds) for each in found] == [("glue", 1), ("ours", 7)]


def test_a_wrong_answer_counts_however_fast_the_others_were():
    [found] = fastest([run(1), run(9, verdict=WRONG), run(2)])
    assert not found.right
