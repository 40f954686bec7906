"""Large trees: what a run costs follows what it has to read, and files that it need not read cost next to nothing.

Counted in calls of functions: what they take is the machine's, which may do other things as well."""

from __future__ import annotations

import ast
from cProfile import Profile
from pathlib import Path

from smoke.judgment import Judgment
from smoke.static.treejudge import judge
from smoke.subject import find_subject
from tests.smoke.cases import write_files

MODULES = 500
A_PACKAGE = 25
DOCKERFILE = 'FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python", "-m", "app"]\n'
FUNCTION = '''

def work_{number}(values: list[int], *, factor: int = 2) -> dict[str, int]:
    """Do it."""
    found = {{}}
    for place, value in enumerate(values):
        if value % factor:
            found[re.sub("a", "b", str(value))] = place
    try:
        os.stat("/")
    except OSError:
        return {{}}
    return found
'''
CLASS = "\n\n@dataclasses.dataclass\nclass Thing:\n    name: str\n    size: int = 0\n"


def module(number: int) -> str:
    """A file of 65 lines that takes things of up to three others."""
    others = sorted({number // 2, number // 3, number // 5} - {number})
    taken = "".join(f"from app.p{each // A_PACKAGE}.m{each} import work_0 as w{each}\n" for each in others)
    body = "".join(FUNCTION.format(number=each) for each in range(4))
    return f"import dataclasses\nimport os\nimport re\n\n{taken}{CLASS}{body}"


def large(folder: Path, beside: int) -> Path:
    """A tree whose entry reaches 500 modules, with other files beside them."""
    packages = range(-(-MODULES // A_PACKAGE))
    files = {f"app/p{number // A_PACKAGE}/m{number}.py": module(number) for number in range(MODULES)}
    imports = "".join(f"import {path[:-3].replace('/', '.')}\n" for path in files)
    files |= {f"app/p{number}/__init__.py": "" for number in packages}
    files |= {"Dockerfile": DOCKERFILE, "app/__init__.py": "", "app/__main__.py": f"{imports}print('up')\n"}
    files |= {f"assets/a{number // 10}/x{number}.txt": "" for number in range(beside)}
    return write_files(folder, files)


def calls(folder: Path) -> int:
    """How many functions are called to judge a tree."""
    profile = Profile()
    profile.runcall(judged, folder)
    return sum(entry.callcount for entry in profile.getstats())


def judged(folder: Path) -> Judgment:
    return judge(find_subject(folder, None))


def test_a_module_costs_a_few_calls_for_each_node_of_its_tree(tmp_path: Path) -> None:
    folder = large(tmp_path, 0)
    texts = [path.read_bytes() for path in sorted(folder.rglob("*.py"))]
    assert len(texts) > MODULES
    assert judged(folder).status == 0
    nodes = sum(1 for text in texts for _ in ast.walk(ast.parse(text)))
    assert calls(folder) < 12 * nodes


def test_files_that_need_not_be_read_cost_next_to_nothing(tmp_path: Path) -> None:
    few, many = (calls(large(tmp_path / str(beside), beside)) for beside in (2_000, 14_000))
    assert many - few < 120 * 12_000
