"""Apps that a program hands to uvicorn, in the form that it takes and in the one that it does not."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.loading import read_effects

APP = "import os\nimport uvicorn\nfrom fastapi import FastAPI\napp = FastAPI()\n"


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
    assert bool(read_effects(ast.parse(APP + call), (APP + call).encode(), (3, 12)).failing) is refused
