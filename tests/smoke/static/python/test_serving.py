"""Calls that listen at loopback."""

from __future__ import annotations

import pytest

from smoke.static.python.reading import read_source
from smoke.static.python.source import Source


def read(text: str) -> Source:
    return read_source("a.py", text.encode(), None)


@pytest.mark.parametrize(
    ("text", "port", "variables"),
    [
        ("import uvicorn\nuvicorn.run(app)", None, ()),
        ("import uvicorn as u\nu.run(app, host='localhost', port=81)", 81, ()),
        ("from waitress import serve\nserve(app, listen='127.0.0.1:82')", 82, ()),
        ("import socketserver\nsocketserver.TCPServer(('127.0.0.1', 83), h)", 83, ()),
        ("PORT = 84\nHOST = '127.0.0.1'\nfrom flask import Flask\na = Flask('a')\na.run(HOST, PORT)", 84, ()),
        ("import os, uvicorn\nuvicorn.run(app, host=os.environ.get('H') or 'localhost')", None, ("H",)),
        ("import gradio as gr\nwith gr.Blocks() as d:\n    pass\nd.launch()", None, ("GRADIO_SERVER_NAME",)),
        ("import grpc\ns = grpc.server(p)\ns.add_insecure_port('localhost:85')", 85, ()),
    ],
)
def test_what_listens_at_loopback_is_found(text: str, port: int | None, variables: tuple[str, ...]) -> None:
    [local] = read(text).local
    assert (local.port, local.variables) == (port, variables)


@pytest.mark.parametrize(
    "text",
    [
        "import uvicorn\nuvicorn.run(app, host=args.host)",
        "import uvicorn\nuvicorn.run(app, **options)",
        "from flask import Flask\na = Flask('a')\na.run('0.0.0.0')",
        "from http.server import HTTPServer\nHTTPServer(('', 80), h)",
        "class A:\n    def run(self): pass\nA().run('127.0.0.1')",
        "import waitress\nwaitress.serve(app)",
    ],
)
def test_others_are_left_alone(text: str) -> None:
    assert read(text).local == []
