"""What Python of the image makes of the code: syntax, the standard library by version, names, circles."""

from __future__ import annotations

from tests.smoke.cases import Case, Files, Link
from tests.smoke.corpus.files import POLICY


def script(main: str, python: str = "3.12-slim", **more: str) -> Files:
    """A tree that runs one script on a version of Python."""
    dockerfile = f'FROM python:{python}\nWORKDIR /srv\nCOPY . .\nCMD ["python", "main.py"]\n'
    others = {f"{name}.py": text for name, text in more.items()}
    return {"Dockerfile": dockerfile, "main.py": main, "smoke.toml": POLICY, **others}


PACKAGE = {
    "Dockerfile": 'FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python", "-m", "stock"]\n',
    "stock/__init__.py": "",
    "stock/__main__.py": "from stock.shelf import Shelf\n\nprint(Shelf())\n",
    "stock/shelf.py": "from stock.item import item\n\n\nclass Shelf:\n    items = [item()]\n",
    "stock/item.py": "def item():\n    return 1\n",
    "smoke.toml": POLICY,
}

CASES = (
    Case(
        "syntax-of-a-newer-python",
        script("try:\n    print(1)\nexcept OSError:\n    print(2)\n", "3.10-slim"),
        {"main.py": "try:\n    print(1)\nexcept* OSError:\n    print(2)\n"},
        check="entrypoint.imports",
        says="except*",
        fault="exception groups are caught on Python 3.10",
    ),
    Case(
        "syntax-newer-than-the-host",
        script("name = 'x'\nprint(f'{name}')\n", "3.14-slim"),
        {"main.py": "name = 'x'\nprint(t'{name}'\n"},
        check="entrypoint.imports",
        fault="a template string that is not closed, on a Python that has them",
    ),
    Case(
        "syntax-in-a-module-that-is-loaded",
        script("import rates\n\nprint(rates.RATE)\n", "3.11-slim", rates="RATE = 1\n"),
        {"rates.py": "type Rate = int\nRATE = 1\n"},
        check="entrypoint.imports",
        says="type",
        fault="a type alias statement on Python 3.11",
    ),
    Case(
        "name-of-a-newer-standard-library",
        script("from enum import StrEnum\n\nprint(StrEnum)\n"),
        {"Dockerfile": 'FROM python:3.10-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python", "main.py"]\n'},
        check="entrypoint.imports",
        says="StrEnum",
        fault="enum.StrEnum came with 3.11",
    ),
    Case(
        "module-that-left-the-standard-library",
        script("import telnetlib\n\nprint(telnetlib.Telnet)\n", "3.12-slim"),
        {"Dockerfile": 'FROM python:3.13-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python", "main.py"]\n'},
        check="dependencies.declared",
        says="telnetlib",
        fault="telnetlib is gone since 3.13",
    ),
    Case(
        "distutils-without-setuptools",
        script("from distutils.version import LooseVersion\n\nprint(LooseVersion('1'))\n", "3.11-slim"),
        {"Dockerfile": 'FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python", "main.py"]\n'},
        check="dependencies.declared",
        says="distutils",
        fault="distutils is gone since 3.12, and images since then have no setuptools",
    ),
    Case(
        "annotation-that-is-evaluated",
        script(
            "from __future__ import annotations\n\n\ndef f(x: int | None) -> None:\n    print(x)\n\n\nf(1)\n",
            "3.9-slim",
        ),
        {"main.py": "def f(x: int | None) -> None:\n    print(x)\n\n\nf(1)\n"},
        check="entrypoint.imports",
        says="3.10",
        fault="a union is evaluated on Python 3.9",
    ),
    Case(
        "circle-that-breaks",
        PACKAGE,
        {"stock/item.py": "from stock.shelf import Shelf\n\n\ndef item():\n    return Shelf\n"},
        check="entrypoint.imports",
        says="import each other",
        fault="two modules take names from each other as they are loaded",
    ),
    Case(
        "circle-that-holds",
        {
            **PACKAGE,
            "stock/item.py": "def item():\n    from stock.shelf import Shelf\n\n    return Shelf\n",
            "stock/shelf.py": "import stock.item\n\n\nclass Shelf:\n    pass\n",
        },
        fault="modules that import each other in ways that work",
    ),
    Case(
        "circle-of-types-alone",
        {
            **PACKAGE,
            "stock/item.py": (
                "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
                "    from stock.shelf import Shelf\n\n\ndef item(of: Shelf | None = None):\n    return 1\n"
            ),
        },
        fault="the circle exists for type checkers alone",
    ),
    Case(
        "name-that-no-one-defines",
        PACKAGE,
        {"stock/item.py": "def items():\n    return 1\n"},
        check="entrypoint.imports",
        says="defines no item",
        fault="the function was renamed where it is defined, not where it is imported",
    ),
    Case(
        "names-made-at-run-time",
        script(
            "from table import RED, GREEN\nfrom lazy import anything\n\nprint(RED, GREEN, anything)\n",
            table="for name in ('RED', 'GREEN'):\n    globals()[name] = name\n",
            lazy="def __getattr__(name):\n    return name\n",
        ),
        fault="names that only running the module makes",
    ),
    Case(
        "module-that-replaces-itself",
        script(
            "from settings import DEBUG\n\nprint(DEBUG)\n",
            settings="import sys\n\n\nclass S:\n    DEBUG = True\n\n\nsys.modules[__name__] = S()\n",
        ),
        fault="a module puts an object in its own place",
    ),
    Case(
        "path-that-the-script-extends",
        {
            **script("import sys\n\nsys.path.insert(0, 'lib')\nimport words\n\nprint(words.HELLO)\n"),
            "lib/words.py": "HELLO = 1\n",
        },
        fault="sys.path is changed before the import",
    ),
    Case(
        "fallbacks-of-imports",
        script(
            "try:\n    import ujson as json\nexcept ImportError:\n    import json\n\n"
            "from contextlib import suppress\n\n"
            "with suppress(ImportError):\n    import setproctitle\n\nimport sys\n\n"
            "if sys.platform == 'win32':\n    import winreg\n"
            ""
            "if sys.version_info < (3, 11):\n    import tomli as tomllib\nelse:\n    import tomllib\n\nprint(json, tomllib)\n"
        ),
        fault="imports that may fail, or that another platform makes",
    ),
    Case(
        "handler-that-ends-the-program",
        script("try:\n    import json\nexcept ImportError:\n    raise SystemExit(1)\nprint(json)\n"),
        {"main.py": "import sys\n\ntry:\n    import flask\nexcept ImportError:\n    sys.exit(1)\nprint(flask)\n"},
        check="dependencies.declared",
        says="flask",
        fault="the handler gives up, so the import is needed",
    ),
    Case(
        "main-guard-with-else",
        script("if __name__ == '__main__':\n    print(1)\nelse:\n    import only_when_imported\n"),
        fault="what stands in the else of a main guard does not run in the script",
    ),
    Case(
        "case-of-a-module",
        PACKAGE,
        {"stock/__main__.py": "from stock.Shelf import Shelf\n\nprint(Shelf())\n"},
        check="entrypoint.imports",
        says="shelf",
        fault="the module's name has another case, which macOS forgives",
    ),
    Case(
        "link-within-the-context",
        {
            **script("import words\n\nprint(words.HELLO)\n"),
            "shared/words.py": "HELLO = 1\n",
            "words.py": Link("shared/words.py"),
        },
        {"words.py": Link("../nowhere/words.py")},
        check="dependencies.declared",
        says="words",
        fault="a module is a link that leads out of the context",
    ),
)
