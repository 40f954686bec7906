"""How programs start their servers, and whether they stay."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.loading import read_effects

APP = "import os\nimport uvicorn\nfrom fastapi import FastAPI\napp = FastAPI()\n"


def failing(text: str) -> list[tuple[str, bool]]:
    found = read_effects(ast.parse(text), text.encode(), (3, 12)).failing
    return [(each.name, each.main) for each in found]


@pytest.mark.parametrize(
    ("call", "refused"),
    [
        ("uvicorn.run(app, workers=2)", True),
        ("uvicorn.run(app, reload=True)", True),
        ("uvicorn.run(app, workers=int(os.environ.get('W', '2')))", True),
        ("uvicorn.run(app, workers=int(os.getenv('W', '1')))", False),
        ("uvicorn.run(app, workers=int(os.environ['W']))", False),
        ("uvicorn.run(app, workers=1, reload=False)", False),
        ("uvicorn.run('main:app', workers=2)", False),
        ("NAME = 'main:app'\nuvicorn.run(NAME, workers=2)", False),
        ("uvicorn.run(unknown, workers=2)", False),
        ("uvicorn.run(app, **more)", False),
    ],
)
def test_several_workers_take_the_name_of_an_app(call: str, refused: bool) -> None:
    assert bool(failing(APP + call)) is refused


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
