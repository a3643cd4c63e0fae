"""The gateway's own description of itself is what it does: schemathesis makes requests of it, good and bad."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from schemas.topics import EVENT_TYPES
from streams.edge.gateway.openapi import document
from tests.edge.gateway.served import Served, served

schema = schemathesis.openapi.from_dict(json.loads(document()))
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
)
def test_whatever_the_document_lets_through_is_answered_as_it_says(case: schemathesis.Case[Any], gateway: Served) -> None:
    headers = {"Authorization": f"Bearer {gateway.token}"}
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{gateway.port}",
        headers=headers,
        # No JSON Schema says what holds between two fields, as that a source begins with its subject.
        excluded_checks=[positive_data_acceptance],
    )


def test_every_event_is_described(gateway: Served) -> None:
    said = gateway.ask("GET", "/v1/openapi.json").json

    assert set(said["components"]["schemas"]["Event"]["discriminator"]["mapping"]) == set(EVENT_TYPES)
    assert all(kind.__name__ in said["components"]["schemas"] for kind in EVENT_TYPES.values())
