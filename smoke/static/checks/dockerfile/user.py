"""`dockerfile.user`: who the container runs as, and whether its files can be reached as that user."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.checks.evidence import at_instruction, final_line
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.image import Image

USER = Check(
    "dockerfile.user",
    Severity.CRITICAL,
    "the container runs as the user asked for, who can reach its files",
    "Root in the container is one kernel bug away from root on the machine; an unreachable file stops the start.",
    "Set USER by number, and COPY --chown what the service must read.",
)
_ALIASES = {"nonroot": "65532", "root": "0", "nobody": "65534"}


def judge_user(image: Image) -> Iterator[Finding]:
    name, wanted = image.service.name, image.service.user
    where = at_instruction(image, image.user_line or final_line(image))
    if not image.user and wanted is not None:
        yield USER.skip("no USER is set, and the base's own is not known", name, where)
        return
    if not image.user:
        yield USER.passed("it runs as the base's own user", name, where)
        return
    if (unknown := _no_such_user(image)) and image.launch is not None and image.launch.user:
        where = (Evidence(image.launch.file, image.launch.line),)
    if unknown:
        yield USER.fail(f"there is no user {unknown} in the image: the container is not started", name, where)
        return
    if unknown := _no_such_group(image):
        yield USER.fail(f"there is no group {unknown} in the image: the container is not started", name, where)
        return
    if wanted is not None and _user_numbers(image.user, wanted) != _user_numbers(wanted, wanted):
        yield USER.fail(f"it runs as {image.user}, not as {wanted}", name, where)
        return
    if wanted is None and image.user.partition(":")[0] in ("0", "root"):
        yield USER.fail("it runs as root", name, where, severity=Severity.INFO)
    unreachable = _unreachable(image)
    for path, message, line in unreachable:
        yield USER.fail(f"{path} {message}", name, at_instruction(image, line))
    if not unreachable:
        yield USER.passed(f"it runs as {image.user}", name, where)


def _no_such_user(image: Image) -> str:
    """The name in USER that /etc/passwd surely lacks; empty for a number, and where not all users are known."""
    user = image.user.partition(":")[0]
    if image.users is None or not user or user.isdigit() or "$" in user or user in image.users or user in image.homes:
        return ""
    entry, doubt = image.files.find("/etc/passwd"), image.files.doubt("/etc/passwd")
    return user if entry is None and doubt.cause is DoubtCause.BASE else ""


def _no_such_group(image: Image) -> str:
    """The group in USER that /etc/group surely lacks; empty for a number, and where not all groups are known."""
    group = image.user.partition(":")[2]
    if image.groups is None or not re.fullmatch(r"[A-Za-z_][\w.-]*", group) or group in image.groups:
        return ""
    entry, doubt = image.files.find("/etc/group"), image.files.doubt("/etc/group")
    kin = any(group in each or each in group for each in image.packages)
    return group if entry is None and doubt.cause is DoubtCause.BASE and not kin else ""


def _user_numbers(text: str, wanted: str) -> tuple[str, ...]:
    parts = [_ALIASES.get(part, part) for part in text.split(":")]
    # A user given without a group gets its own: 65532 is in 65532.
    if len(parts) == 1 and ":" in wanted:
        parts.append(parts[0])
    return tuple(parts)


def _unreachable(image: Image) -> list[tuple[str, str, int]]:
    """Files that the user must read to start, and cannot."""
    number = str(image.uid) if image.uid is not None else image.user.partition(":")[0]
    found: list[tuple[str, str, int]] = []
    for path, entry in sorted(image.files.entries.items()):
        if entry.user is None or entry.mode is None or str(entry.user) == number or not entry.line:
            continue
        if not any(
            path == each or path.startswith(each + "/") for each in (*image.start.search, image.workdir) if each != "/"
        ):
            continue
        if any(path.startswith(above + "/") for above, _, _ in found):
            continue  # the directory above it says it all
        needed = 0o1 if entry.kind == "directory" else 0o4
        if entry.kind != "link" and not entry.mode & needed:
            found.append(
                (path, f"belongs to user {entry.user} with mode {entry.mode:03o}: {number} cannot read it", entry.line)
            )
    return found[:10]
