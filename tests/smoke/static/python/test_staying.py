"""Whether programs stay once they have come to their end: threads may end with them."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.loading import read_effects
from smoke.static.python.staying import soon_done


def failing(text: str) -> list[tuple[str, bool]]:
    found = read_effects(ast.parse(text), text.encode(), (3, 12)).failing
    return [(each.name, each.main) for each in found]


PAHO = "import paho.mqtt.client as mqtt\nclient = mqtt.Client()\n"
THREAD = "import threading\nt = threading.Thread(target=print, daemon=True)\n"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (f"{PAHO}client.loop_start()\n", True),
        (f"{PAHO}client.loop_start()\nprint('started')\n", True),
        (f"{PAHO}client.loop_start()\nclient.loop_forever()\n", False),
        (f"{PAHO}client.loop_start()\nwhile True:\n    pass\n", False),
        (f"{PAHO}def main():\n    client.loop_start()\nif __name__ == '__main__':\n    main()\n", True),
        (f"{THREAD}t.start()\n", True),
        (f"{THREAD}t.start()\nt.join()\n", False),
        (f"{THREAD}u = threading.Thread(target=print)\nu.start()\nt.start()\n", False),
        ("import threading\nt = threading.Thread(target=print)\nt.start()\n", False),
        ("s = BackgroundScheduler()\ns.start()\n", True),
        ("s = BackgroundScheduler(daemon=False)\ns.start()\n", False),
    ],
)
def test_a_thread_may_end_with_the_program(text: str, ends: bool) -> None:
    assert failing(text) == (
        [("the program ends here, and with it the thread that it has started", True)] if ends else []
    )


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("print('migrated')\n", True),
        ("import asyncio\nasync def make():\n    pass\nasyncio.run(make())\n", True),
        ("cursor.execute('CREATE TABLE t (a)')\n", True),
        ("while True:\n    pass\n", False),
        ("from http.server import HTTPServer\nHTTPServer().serve_forever()\n", False),
        ("app.run()\n", False),
    ],
)
def test_work_that_is_soon_done(text: str, done: bool) -> None:
    assert soon_done(text) is done
