"""What click and typer demand of a command line."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.loading import read_effects

CLICK = "import click\n"
TYPER = "import typer\napp = typer.Typer()\n"


def asked(text: str) -> list[tuple[tuple[str, ...], int, str]]:
    found = read_effects(ast.parse(text), text.encode(), (3, 12)).asked
    return [(each.options, each.count, each.what) for each in found]


GROUP = [((), 1, "a command")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("@click.group()\ndef cli(): ...\ncli()", GROUP),
        ("@click.group\ndef cli(): ...\ncli(obj={})", GROUP),
        ("@click.group()\n@click.pass_context\n@click.option('--x')\ndef cli(c, x): ...\ncli.main()", GROUP),
        ("@click.group(invoke_without_command=False)\ndef cli(): ...\ncli()", GROUP),
        ("@click.group(invoke_without_command=True)\ndef cli(): ...\ncli()", []),
        ("@click.group(cls=Own)\ndef cli(): ...\ncli()", []),
        ("@click.group(**more)\ndef cli(): ...\ncli()", []),
        ("@other\n@click.group()\ndef cli(): ...\ncli()", []),
        ("@click.group()\ndef cli(): ...\ncli(['serve'])", []),
        ("@click.group()\ndef cli(): ...\ncli(args=x)", []),
        ("@click.group()\ndef cli(): ...\ncli = Other(cli)\ncli()", []),
        ("@click.group()\ndef cli(): ...", []),
        ("@click.command()\ndef cli(): ...\ncli()", []),
        ("@click.command()\n@click.argument('a')\n@click.argument('b')\ndef cli(a, b): ...\ncli()", [((), 2, "")]),
        ("@click.command()\n@click.argument('a', nargs=-1)\ndef cli(a): ...\ncli()", []),
        ("@click.command()\n@click.argument('a', required=False)\ndef cli(a): ...\ncli()", []),
        (
            "@click.command()\n@click.option('-x', '--xx', required=True)\ndef cli(xx): ...\ncli()",
            [(("-x", "--xx"), 1, "")],
        ),
        ("@click.command()\n@click.option('--x', required=True, envvar='X')\ndef cli(x): ...\ncli()", []),
        ("@click.command()\n@click.option('--x', required=True)\ndef cli(x): ...\ncli(auto_envvar_prefix='A')", []),
    ],
)
def test_click(text: str, wanted: list[tuple[tuple[str, ...], int, str]]) -> None:
    assert asked(CLICK + text) == wanted


ONE = "@app.command()\ndef one(x: int = 1): ...\n"
TWO = "@app.command()\ndef two(): ...\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"{ONE}app()", []),
        (f"{ONE}{TWO}app()", GROUP),
        (f"{ONE}app.add_typer(more)\napp()", GROUP),
        (f"@app.callback()\ndef main(): ...\n{ONE}app()", GROUP),
        (f"@app.callback(invoke_without_command=True)\ndef main(): ...\n{ONE}app()", []),
        ("app()", []),
        ("@app.command()\ndef one(a: str, b: int = 1): ...\napp()", [((), 1, "")]),
        ("@app.command()\ndef one(a: Annotated[str, typer.Option()]): ...\napp()", []),
        ("def one(a: str, b: float): ...\ntyper.run(one)", [((), 2, "")]),
        ("def one(a: str = 'x'): ...\ntyper.run(one)", []),
        ("typer.run(elsewhere)", []),
    ],
)
def test_typer(text: str, wanted: list[tuple[tuple[str, ...], int, str]]) -> None:
    assert asked(TYPER + text) == wanted


def test_an_app_that_may_be_called_without_a_command() -> None:
    assert asked(f"import typer\napp = typer.Typer(invoke_without_command=True)\n{ONE}{TWO}app()") == []
