"""Each number that a check shows is explained on it."""

from sqlalchemy import Engine

from crm_pipeline.database.statements import statement
from crm_pipeline.lineage.assets import PROMISES, check_key
from crm_pipeline.lineage.checks import checks_for_the_ui


def test_each_number_of_a_check_is_explained_and_no_other(module_pipeline: Engine) -> None:
    specs = {spec.key: spec for spec in checks_for_the_ui().check_specs}
    asked = {"account_ids": ["nobody"], "freshness_minutes": 60}
    with module_pipeline.connect() as connection:
        for promise in PROMISES:
            columns = connection.execute(statement(f"checks/{promise.name}"), asked).keys()
            assert set(promise.numbers) == {*columns} - {"account_id", "passed"}, promise.name
            told = specs[check_key(promise)].metadata["legend"].value
            for key in (*promise.numbers, "console"):
                assert f"| `{key}` | " in told
            assert all(says.endswith(".") for says in promise.numbers.values())
