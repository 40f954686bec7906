"""Takes the README's picture anew: `python -m docs.picture` runs the README's own command and shows its report."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

TREE = Path(__file__).parent.parent
PICTURE = TREE / "docs" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZE = "1280,1750"


def readme_command() -> list[str]:
    """What the README's first command runs after it has installed the package: `lucid sim run` and its arguments."""
    found = re.search(
        r"^python3 .*&& \.venv/bin/lucid (sim run.*)$", (TREE / "README.md").read_text("utf-8"), re.MULTILINE
    )
    if found is None:
        raise SystemExit("README.md has no command that runs the simulator")
    return shlex.split(found[1])


def main() -> None:
    """Run the command, let a headless browser show the report, and keep the picture."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"none of {', '.join(BROWSERS)} is on the PATH")
    with TemporaryDirectory() as name:
        run = Path(name) / "run"
        subprocess.run([sys.executable, "-m", "lucid", *readme_command(), "--out", str(run)], cwd=TREE, check=True)
        flags = ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", f"--window-size={SIZE}"]
        shot = Path(name) / "report.png"
        page = (run / "report.html").as_uri()
        subprocess.run([browser, *flags, f"--screenshot={shot}", page], check=True, capture_output=True, timeout=120)
        shutil.copy(shot, PICTURE)
    print(f"{PICTURE.relative_to(TREE)}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
