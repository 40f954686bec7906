"""`compose.hardening`: what a service that was broken into cannot do."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from smoke.finding import Finding, Severity
from smoke.static.checks.compose.rules import HARDENING
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.compose.document import items_of, text_of
from smoke.static.regex import regex
from smoke.static.scope import Scope


def judge_hardening(service: RunningService, demanded: bool) -> Iterator[Finding]:
    if service.image is None:
        return
    node = service.node
    lacking = []
    if text_of(node.get("read_only")) != "true":
        lacking.append("read_only: true")
    if "ALL" not in {item.text.upper() for item in items_of(node.get("cap_drop"))}:
        lacking.append("cap_drop: [ALL]")
    options = {re.sub(r"[:=]true$", "", item.text) for item in items_of(node.get("security_opt"))}
    if "no-new-privileges" not in options:
        lacking.append("security_opt: [no-new-privileges:true]")
    if text_of(node.get("privileged")) == "true":
        severity = Severity.CRITICAL if demanded else Severity.INFO
        yield HARDENING.fail(
            "it is privileged", service.name, at_node(service, node.get("privileged")), severity=severity
        )
    user = node.get("user")
    if user is not None and user.text.partition(":")[0] in ("0", "root"):
        severity = Severity.CRITICAL if demanded else Severity.INFO
        yield HARDENING.fail("it runs as root", service.name, at_node(service, user), severity=severity)
    softer = None if demanded else Severity.INFO
    if lacking:
        at = at_node(service, None, service.name)
        yield HARDENING.fail(f"it lacks {', '.join(lacking)}", service.name, at, severity=softer)
    else:
        yield HARDENING.passed(
            "read-only, without capabilities or new privileges", service.name, at_node(service, None, service.name)
        )


_STEPS_DOWN = regex(r"(?m)^(?:exec\s+)?(gosu|su-exec|setpriv)\s+[\w$\"{]")


def judge_capabilities(scope: Scope, service: RunningService) -> Iterator[Finding]:
    """An entry script that becomes another user, which takes two capabilities."""
    image, node = service.image, service.node
    dropped = {item.text.upper() for item in items_of(node.get("cap_drop"))}
    added = {item.text.upper().removeprefix("CAP_") for item in items_of(node.get("cap_add"))}
    if (
        image is None
        or image.broken
        or "ALL" not in dropped
        or added & {"SETUID", "SETGID", "ALL"}
        or image.uid not in (0, None)
    ):
        return
    for word in image.start.words if "/" in "".join(image.start.words) else ():
        entry = image.files.find(posixpath.join(image.workdir, word)) if "/" in word else None
        found = (
            _STEPS_DOWN.search(scope.tree.text(entry.source)[: 1 << 16]) if entry is not None and entry.source else None
        )
        if found is not None and (image.user or "root") in ("0", "root"):
            message = f"its entry script becomes another user by {found[1]}, and cap_drop takes SETUID and SETGID away"
            at = at_node(service, node.get("cap_drop"), "cap_drop: ALL")
            yield HARDENING.fail(message, service.name, at, severity=Severity.CRITICAL, remedy=_ADD)


_ADD = "Write cap_add: [SETUID, SETGID], or have the image's USER be the one that it is to run as."
