"""Which files of the tree a program that a step runs may write anew."""

from __future__ import annotations

import pytest

from smoke.static.model.script import run
from tests.smoke.static.model.staged import stage

HELD = {
    "lib.py": "y = 1\n",
    "other.py": "z = 1\n",
    "app/models.py": "",
    "gen.py": 'open("lib.py", "w").write("x = 1")\n',
    "reads.py": '"""Writes nothing to lib.py."""\nprint(open("lib.py").read())\n',
    "every.py": "import sys\nfor name in sys.argv[1:]:\n    open(f'{name}.py', 'w').close()\n",
    "by.py": "import gen\n",
    "given.py": "import sys\nopen(sys.argv[1], 'w')\n",
    "pack.sh": "#!/bin/sh\npython manage.py check > /dev/null\nsed -i s/y/x/ lib.py\n",
    "runs.sh": "#!/bin/sh\nset -e\npython gen.py\n",
    "unclosed.sh": "echo 'unclosed\n",
    "Makefile": "all:\n\t@python gen.py\n",
    "manage.py": "import sys\nfrom django.core.management import execute_from_command_line as run\nrun(sys.argv)\n",
}


def unknown(script: str) -> set[str]:
    """The files whose content is no longer known after a script."""
    made = stage(files=HELD)
    run(made, script, 3, {})
    return {name for name in HELD if made.content(made.files.entries[f"/{name}"]) is None}


@pytest.mark.parametrize(
    "script",
    [
        "python gen.py",
        "python -u /gen.py",
        "python -m gen",
        "python by.py",
        "uv run python gen.py",
        "pipenv run python gen.py",
        "uv run --no-dev gen.py",
        "python given.py lib.py",
        "./gen.py",
        "sh runs.sh",
        "sh ./pack.sh",
        "make all",
        "test -f x || python gen.py",
        "if [ -f x ]; then python gen.py; fi",
        "python -c \"open('lib.py', 'a').write('x = 1')\"",
        "python <<EOF\nopen('lib.py', 'a').write('x = 1')\nEOF",
        "2to3 -w lib.py",
        "python -m lib2to3 -w lib.py",
        "mytool --output lib.py",
        "mytool --out=lib.py",
    ],
)
def test_what_it_names_may_be_another(script: str) -> None:
    assert unknown(script) == {"lib.py"}


@pytest.mark.parametrize("script", ["git apply x.patch", "python every.py lib", "python every.py lib && make"])
def test_any_may_be_another_where_names_are_put_together(script: str) -> None:
    assert {"lib.py", "other.py", "app/models.py"} <= unknown(script)


def test_what_protoc_makes_is_named_after_what_it_reads() -> None:
    made = stage(files={"a_pb2.py": "x = 1\n", "b_pb2.py": "x = 1\n"})
    run(made, "python -m grpc_tools.protoc -I. --python_out=. protos/a.proto", 3, {})
    held = {name for name, entry in made.files.entries.items() if entry.source}
    assert "/b_pb2.py" in held and "/a_pb2.py" not in held


@pytest.mark.parametrize("script", ["datamodel-codegen --output app/models.py", "python given.py app"])
def test_what_is_given_may_be_another(script: str) -> None:
    assert unknown(script) == {"app/models.py"}


@pytest.mark.parametrize(
    "script",
    [
        "python reads.py",
        "python --version",
        "python -m compileall .",
        "python -m pytest lib.py",
        "pip install --target app -r requirements.txt",
        "python -m pip install --target=app x",
        "python manage.py collectstatic --noinput",
        "python gone.py lib.py",
        "python -W ignore -c 'import lib'",
        "python",
        "sh unclosed.sh",
        "git clone https://example.org/x",
        "git",
        "node --version",
        "mypy lib.py",
        "mytool --output .",
        "python -m grpc_tools.protoc -I. --python_out=. --grpc_python_out=. other.proto",
    ],
)
def test_what_only_reads_leaves_all_known(script: str) -> None:
    assert not unknown(script)
