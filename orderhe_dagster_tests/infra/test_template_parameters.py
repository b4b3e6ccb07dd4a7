"""Each signature that a template mends names a template and a parameter that there are, and says so."""

from __future__ import annotations

import pytest

from orderhe_dagster.doctor.explain import of_name
from orderhe_dagster.doctor.signatures.table import BY_NAME
from orderhe_dagster.doctor.template_parameters import PARAMETERS, by_templates
from orderhe_dagster_tests.infra import templates
from orderhe_dagster_tests.infra.planting import WALLS


@pytest.mark.parametrize("name", PARAMETERS)
def test_its_signature_template_and_parameter_are_there(name: str) -> None:
    assert name in BY_NAME
    for one in PARAMETERS[name]:
        assert one.template in templates.names()
        assert not one.name or one.name in templates.template(one.template)["Parameters"]
        assert bool(one.name) == bool(one.value)


def test_every_wall_that_a_template_can_have_is_mended_by_one() -> None:
    denied = {"role-is-denied"}  # no template of ours denies: who wrote it there takes it out
    assert {wall for wall, *_ in WALLS} - denied <= set(PARAMETERS)


def test_the_explanation_names_it_for_people_and_programs() -> None:
    facts = {"security_group": "sg-1", "my_address": "203.0.113.7", "port": "3306"}
    why = of_name("no-inbound-rule", facts)
    line = "with CallerAddress=$(curl -s https://checkip.amazonaws.com)/32"
    assert line in " ".join(why.text().split())
    assert line in why.record()["stack"]
    assert by_templates("mysql-lost") == ""
    assert "stack:" not in of_name("root-credentials", {}).text()
