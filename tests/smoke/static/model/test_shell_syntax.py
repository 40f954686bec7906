"""What no shell can read, and what every shell reads however odd it looks."""

from __future__ import annotations

import pytest

from smoke.static.model.shell_syntax import trouble

READ = (
    'if [ -n "$A" ]; then\n  echo \'it"s\'\nfi\n',
    'for each in "$@"; do echo "${each%"${each##*/}"}"; done\n',
    'for each\ndo\n  echo "$each"\ndone\n',
    'run() {\n  echo "$(echo "$(date)")"\n}\nrun\n',
    "function run {\n  echo done\n}\n",
    'case "$1" in\n  (start) echo if;;\n  done|fi) echo "}" ;;\n  *) : ;;\nesac\n',
    "cat <<EOF\nit's an \"if\nEOF\necho ok\n",
    "cat <<-'END' > file\n\t\"open\n\tEND\n",
    'while read -r line; do echo "$line"; done <<< "$(ls)"\n',
    'echo $((1 + (2 * 3))) "${A:-${B:-$(id -un)}}" `echo "x"`\n',
    '# an apostrophe\'s "comment\necho "#" \\" \\\'\n',
    "if (echo a; (echo b)) then echo c; fi\n",
    "exec python main.py\nif this is never read\n",
    "a=(one two)\necho ${#a[@]} ${a[*]}\n",
)
NOT_READ = (
    ('if [ -n "$A" ]; then\n  echo a\nexec "$@"\n', "if of line 1"),
    ("for i in 1 2; do\n  echo $i\nexec python main.py\n", "do of line 1"),
    ('echo "open\nexec python main.py\n', "quote"),
    ("echo 'open\n", "quote"),
    ('case "$1" in\n  a) echo a ;;\necho b\n', "case of line 1"),
    ("run() {\n  echo a\nrun\n", "{ of line 1"),
    ("echo $(date\n", "$( of line 1"),
)


@pytest.mark.parametrize("text", READ)
def test_what_shells_read_is_no_trouble(text: str) -> None:
    assert trouble(text) == ""


@pytest.mark.parametrize(("text", "says"), NOT_READ)
def test_what_is_not_closed_is_named(text: str, says: str) -> None:
    assert says in trouble(text)
