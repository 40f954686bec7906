"""What to type: with the names of the image and of the tree that are judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Content, Script, critical, judge_files

SLIM, ALPINE = "FROM python:3.12-slim\nCOPY a.py run.sh /\n", "FROM python:3.12-alpine\nCOPY a.py run.sh /\n"
START = 'CMD ["python3", "/a.py"]\n'
TYPED: list[tuple[str, Content, str]] = [
    (SLIM + "RUN curl -O e.org/x\n" + START, "", "apt-get install -y --no-install-recommends curl"),
    (ALPINE + "RUN git clone e.org/x\n" + START, "", "RUN apk add --no-cache git"),
    (SLIM + 'CMD ["python3 /a.py"]\n', "", 'CMD ["python3", "/a.py"]'),
    (SLIM + 'CMD ["python3.9", "/a.py"]\n', "", "Type python3 in its place"),
    (SLIM + 'CMD ["tini", "--", "python3", "/a.py"]\n', "", "install -y --no-install-recommends tini"),
    (SLIM + 'CMD ["/run.sh"]\n', "#!/bin/sh\n", "git update-index --chmod=+x run.sh"),
    (SLIM + 'CMD ["/run.sh"]\n', Script("#!/bin/sh\r\n"), "sed -i 's/\\r$//' run.sh"),
    (SLIM + "COPY b.py /\n" + START, "", "There is a a.py"),
    (SLIM + "EXPOSE 81\nHEALTHCHECK CMD curl -f localhost:81\n" + START, "", 'HEALTHCHECK CMD ["python3", "-c"'),
    (SLIM + 'CMD ["$APP"]\n', "", "CMD exec $APP"),
    (SLIM + 'RUN pip install flask\nCMD ["gunicorn", "a:app"]\n', "", "RUN pip install --no-cache-dir gunicorn"),
    (SLIM + 'COPY r.txt .\nRUN pip install -r r.txt\nCMD ["gunicorn", "a:app"]\n', "", "echo gunicorn >> r.txt"),
]


@pytest.mark.parametrize(("dockerfile", "script", "typed"), TYPED, ids=[each[2] for each in TYPED])
def test_a_failure_says_what_to_type(tmp_path: Path, dockerfile: str, script: Content, typed: str) -> None:
    files: dict[str, Content] = {"Dockerfile": dockerfile, "a.py": "while True: pass\n", "r.txt": "flask\n"}
    files["run.sh"] = script or "#!/bin/sh\n"
    found = critical(judge_files(tmp_path, files))
    assert any(typed in each.remedy for each in found), [(each.message, each.remedy) for each in found]
