"""Workers of queues: which module they load, and what else must be installed."""

from __future__ import annotations

from typing import Any

import pytest

from smoke.static.model.servers.workers import celery, worker_of
from tests.smoke.static.model.servers.situation import came_to, given

APP = {"module": "shop.tasks", "application": "*"}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("-A shop.tasks worker", APP),
        (
            "--app=shop.tasks:make worker -B -E",
            {"module": "shop.tasks", "application": "make", "writes": ["celerybeat-schedule"]},
        ),
        ("-A shop.tasks beat --workdir /srv", {**APP, "directory": "/srv", "writes": ["/srv/celerybeat-schedule"]}),
        ("worker", {"doubt": "which app celery works for is not known"}),
        ("-A shop.tasks inspect ping", {"doubt": "celery inspect ping is not looked into"}),
        ("-A $APP worker", {"doubt": "which app '$APP' means is not followed"}),
    ],
)
def test_celery_s_app_is_followed(words: str, wanted: dict[str, Any]) -> None:
    assert came_to(celery, words) == wanted


def test_celery_s_app_may_come_from_the_environment_and_pools_are_needed() -> None:
    assert came_to(celery, "worker", given(CELERY_APP="shop.tasks")) == APP
    assert celery(["-A", "a", "worker", "-P", "gevent"], given()).needs == ["celery", "gevent"]
    assert celery(["-A", "a", "flower"], given()).needs == ["celery", "flower"]
    assert celery(["-A", "a", "worker", "-P", "solo"], given()).needs == ["celery"]


@pytest.mark.parametrize(
    ("module", "words", "wanted"),
    [
        ("dramatiq", "shop.tasks", APP),
        ("dramatiq", "shop.tasks:broker", {"module": "shop.tasks", "application": "broker"}),
        ("arq", "shop.tasks.Settings", {"module": "shop.tasks", "application": "Settings"}),
        ("taskiq", "worker shop.tasks:broker", {"module": "shop.tasks", "application": "broker"}),
        ("dramatiq", "", {"doubt": "what dramatiq works for is not followed"}),
        ("dramatiq", "shop.tasks --processes 4", {"doubt": "what dramatiq works for is not followed"}),
    ],
)
def test_others_name_it_first(module: str, words: str, wanted: dict[str, Any]) -> None:
    assert came_to(worker_of(module), words) == wanted
    assert worker_of(module)([], given()).needs == [module]
