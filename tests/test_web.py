"""The web process: how the service is, its numbers, and the link that ends a mail channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.testclient import TestClient

from alerts.errors import NotFoundError, StateError
from alerts.web.app import build_app


class Told:
    """A service that notes what it was asked."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.is_well = True

    def health(self) -> Mapping[str, Any]:
        return {"ok": self.is_well, "problems": [] if self.is_well else ["no worker"]}

    def metrics(self) -> Iterable[Metric]:
        if not self.is_well:
            raise StateError("the store does not answer")
        yield GaugeMetricFamily("tocsin_up", "it is up", value=1)

    def unsubscribe(self, token: str) -> object:
        if token == "wrong":
            raise NotFoundError("this link ends no channel")
        self.ended.append(token)
        return None


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def page(told: Told) -> TestClient:
    return TestClient(build_app(told))


def test_health_and_numbers_are_served(page: TestClient, told: Told) -> None:
    assert (page.get("/healthz").status_code, "tocsin_up 1.0" in page.get("/metrics").text) == (200, True)
    told.is_well = False
    assert (page.get("/healthz").status_code, page.get("/metrics").status_code) == (503, 503)


def test_a_mails_link_ends_its_channel_by_post_alone(page: TestClient, told: Told) -> None:
    looked = page.get("/unsubscribe/token")
    assert (looked.status_code, "<button>" in looked.text, told.ended) == (200, True, [])
    done = page.post("/unsubscribe/token", data={"List-Unsubscribe": "One-Click"})
    assert (done.status_code, told.ended) == (200, ["token"])


def test_a_link_that_is_none_of_ours_ends_nothing(page: TestClient, told: Told) -> None:
    assert (page.post("/unsubscribe/wrong").status_code, told.ended) == (404, [])
