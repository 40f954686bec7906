"""A node on a host, from nothing to healthy and back: a plan of steps, each of which an operator could type."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lucid.deploy import identity, images, preflight, release, settings, volumes
from lucid.deploy.host import SENDING_S, DeployError, Host, Unreachable
from lucid.deploy.identity import NodeIdentity
from lucid.deploy.plan import Say, Step
from lucid.deploy.preflight import Facts
from lucid.deploy.settings import Changes

PROJECT = release.PROJECT
PORTS = {"manager": 8086, "engine": 8084, "anchoring": 8085, "data": 8087}
UP_S = 1_800.0
"""The first start may have to fetch MongoDB's image over a slow line."""
DOWN_S = 300.0
RETURN_S = 180.0
"""What ran before is waited for so long at least, however short the patience with what came after it."""
PAUSE_S = 1.0


@dataclass(frozen=True)
class DeployRequest:
    """What an operator asked for."""

    genesis: Path | None = None
    key: Path | None = None
    changes: Changes = field(default_factory=Changes)
    registry: str = ""
    archive: Path | None = None
    keep_images: bool = False


class Deployment:
    """One host's node. Every method raises `DeployError` with one sentence."""

    def __init__(
        self, host: Host, folder: str = PROJECT, healthy_s: float = 180.0, say: Say = lambda text: None
    ) -> None:
        """Compose keeps its files in `folder`, relative to the user's home there; a start may take `healthy_s`."""
        self.host = host
        if folder.startswith("-") or not folder.isprintable() or not folder:
            raise DeployError(f"--dir: {folder!r} must be a folder's path that does not begin with a dash")
        self.folder = folder
        self.healthy_s = healthy_s
        self.say = say
        self.restored = False
        """Whether it begins with a backup's data: without its log of votes a lone node makes no blocks, and says so."""
        self._facts: Facts | None = None
        self._settings: dict[str, str] = {}

    @property
    def facts(self) -> Facts:
        """What the host said of itself."""
        assert self._facts is not None, "the host was looked at"
        return self._facts

    def check(self) -> Facts:
        """Look at the host: it must have Docker and Compose, and no node that another folder looks after."""
        self._facts = facts = preflight.look(self.host, self.folder)
        self._must(preflight.tools(facts), "cannot be used")
        if facts.owner and facts.owner != facts.folder:
            raise DeployError(
                f"{self.host.name}: the node there belongs to {facts.owner}: log in as its user, or name it by --dir"
            )
        self._settings = settings.parse(self.host.run(f"test ! -f {self._path('.env')} || cat {self._path('.env')}"))
        return facts

    def check_fit(self) -> None:
        """A host that is to get images must have room for them, and what else a node needs; all of it is named."""
        self._must(preflight.requirements(self.facts), "cannot take a node")

    def _must(self, wanted: Sequence[preflight.Requirement], what: str) -> None:
        lacking = [f"{each.name}: {each.lacking} (found: {each.found})" for each in wanted if each.lacking]
        if lacking:
            raise DeployError(f"{self.host.name} {what}: {'; '.join(lacking)}")

    def _path(self, name: str) -> str:
        return shlex.quote(f"{self.folder}/{name}")

    def must_be_installed(self, restored: bool = True) -> None:
        """There must be a node, and none of which a backup was read in half (unless not `restored`)."""
        if not self.facts.installed:
            raise DeployError(f"{self.host.name}: no node is installed in {self.facts.folder} there")
        if restored and self.facts.restoring:
            raise DeployError(
                f"{self.host.name}: a backup was restored only in part; repeat the same install --restore"
            )

    def settings(self) -> dict[str, str]:
        """The settings that the node on the host has."""
        self.must_be_installed(restored=False)
        if not self._settings:
            raise DeployError(
                f"{self.host.name}: {self.facts.folder}/.env is gone: put it back (previous/.env beside it may be one)"
            )
        return self._settings

    # -- the way up -----------------------------------------------------------------------------------------------

    def plan(self, wanted: DeployRequest, restoring: Sequence[Step] = (), *, begin: Sequence[Step] = ()) -> list[Step]:
        """The steps that lead from what is on the host to what is wanted; only what differs is sent.

        The first changes nothing that runs. `begin` comes next, `restoring` before the start.
        """
        if self.facts.restoring and not restoring:
            raise DeployError(f"{self.host.name}: a backup was restored only in part; repeat the same --restore")
        held = settings.settle(self._settings, self.facts.profile, wanted.changes)
        for warning in settings.warnings(held):
            self.say(f"warning: {warning}")
        contents = {".env": settings.write(held).encode(), "compose.yaml": settings.compose_file()}
        steps = [self.record_step(release.UPGRADE), *begin]
        key_steps = self._key_steps(wanted)
        steps += self._image_steps(wanted, held)
        steps += key_steps

        def write() -> None:
            self.host.run(release.write_command(self.folder), release.packed(contents))
            self._settings, self._facts = held, replace(self.facts, installed=True)

        steps.append(Step("write .env and compose.yaml", release.write_command(self.folder), write))
        if self.facts.config:
            steps.append(self._place_step())
        return [*steps, *restoring, *self._start_steps()]

    def record_step(self, why: str) -> Step:
        """The step before all others: what runs now can be brought back from then on."""
        command = release.record_command(self.folder, why)
        return Step("record what runs", command, lambda: self.host.run(command))

    def accept_step(self) -> Step:
        """The step after all others."""
        command = release.accept_command(self.folder)
        return Step("keep what ran before as the release before", command, lambda: self.host.run(command, b"", DOWN_S))

    def _start_steps(self) -> list[Step]:
        up = self.compose("up -d --remove-orphans")
        return [
            Step("start", up, lambda: self.host.run(up, within_s=UP_S)),
            Step("wait until all four are healthy", self._states_command(), self.await_healthy),
        ]

    def _image_steps(self, wanted: DeployRequest, held: dict[str, str]) -> list[Step]:
        names, mongodb = release.current(), held["LUCID_MONGODB"]
        before = images.there(self.host, [*names, mongodb])
        if wanted.keep_images:
            if missing := [name for name in names if name not in before]:
                raise DeployError(f"{self.host.name}: {missing[0]} is not there, so it cannot be kept")
            return []
        if wanted.registry:
            pull = images.pull_command(wanted.registry)
            return [Step("fetch the images", pull, lambda: self.host.run(pull, within_s=images.PULL_S))]
        archive = wanted.archive
        if archive is not None:
            found, where = images.in_archive(archive), f"in {archive}"
        else:
            found, where = images.here([*names, mongodb]), "here"
        fresh = images.chosen(found, before, mongodb, self.facts.platform, where)
        if not fresh:
            return []
        title, sent = f"send {len(fresh)} images", " ".join(fresh)
        if archive is not None:
            command = f"# of {archive}: {sent}\n{images.LOAD}"
            return [Step(title, command, lambda: images.send_archive(self.host, archive, fresh))]
        command = f"docker save {sent} | gzip -1 | ssh {self.host.name} '{images.LOAD}'"
        return [Step(title, command, lambda: images.stream(self.host, fresh))]

    def _key_steps(self, wanted: DeployRequest) -> list[Step]:
        """The key and the genesis document go into a volume that only the services' user can read."""
        if wanted.key is None and wanted.genesis is None and self.facts.installed and self.facts.config:
            return []
        if wanted.key is None or wanted.genesis is None:
            raise DeployError(f"{self.host.name}: no node is installed there: name its --genesis and its --key")
        who = identity.read_identity(wanted.key, wanted.genesis)
        if not who.founder:
            self.say(f"warning: {who.genesis} does not name {who.node}: a node that registered later is not in it")
        looked = self.facts.config and bool(images.there(self.host, release.current()[:1]))
        if looked and volumes.judge(self.host, who) and not who.mark.exists():
            return []
        return [self._put_step(who)]

    def _put_step(self, who: NodeIdentity) -> Step:
        puts = [volumes.put_command(self.facts.folder, volume) for volume in (volumes.CONFIG, volumes.KEY)]
        command = "\n".join((volumes.who_command(), *puts))
        act = partial(volumes.put, self.host, who, self.facts.folder)
        return Step("put key and genesis into their volumes", command, act)

    def back_steps(self, record: str) -> list[Step]:
        """The steps to what was recorded. Raises `NoRelease` where nothing was."""
        release.must_be_whole(self.host, self.folder, record)
        bring = release.bring_command(self.folder, record)
        return [
            Step("bring its images and settings back", bring, lambda: self.host.run(bring)),
            self._place_step(),
            *self._start_steps(),
        ]

    def _place_step(self) -> Step:
        """The key lies where the release that is about to start looks for it."""
        command = volumes.place_command(self.facts.folder, self.folder)
        return Step("put the key where this release looks for it", command, lambda: self.host.run(command))

    def be_patient(self) -> None:
        """What is waited for from now on has worked before."""
        self.healthy_s = max(self.healthy_s, RETURN_S)

    def forget_step(self) -> Step:
        """The step after going back to what ran before: the record is done with."""
        command = release.forget_command(self.folder)
        return Step("forget what was left", command, lambda: self.host.run(command, b"", DOWN_S))

    def remove_steps(self, with_data: bool) -> list[Step]:
        """The steps that take a node away; its key, chain and chunks too where that is wanted."""
        label = f"--filter label=com.docker.compose.project={PROJECT}"
        tags = [f"{name}:{tag}" for name in release.IMAGES.values() for tag in _TAGS]
        folder = shlex.quote(self.folder)
        files = "compose.yaml .env restoring stale before before.new previous previous.old new"
        each = "for id in $(docker {} {}); do docker {} $id >/dev/null; done"
        commands = {
            "stop and remove the containers": each.format("ps -aq", label, "rm -f -v"),
            "remove the networks": each.format("network ls -q", label, "network rm"),
            "remove the images": f"docker rmi {' '.join(tags)} >/dev/null 2>&1 || true",
            "remove the files": f"test ! -d {folder} || {{ cd {folder} && rm -rf {files}; }}",
        }
        if with_data:
            names = " ".join(f"{PROJECT}_{name}" for name in _VOLUMES)
            commands["remove key, chain, sessions and chunks"] = f"docker volume rm -f {names} >/dev/null"
        return [
            Step(title, command, partial(self.host.run, command, b"", DOWN_S)) for title, command in commands.items()
        ]

    # -- what runs ------------------------------------------------------------------------------------------------

    def compose(self, words: str) -> str:
        """A Compose command as the host knows it."""
        return f"cd {shlex.quote(self.folder)} && {self.facts.compose} {words}"

    def in_container(self, service: str, words: str) -> str:
        """Run the service's image once with other words, on the service's volumes; what it printed."""
        command = self.compose(f"run --rm -T --no-deps {service} {words}")
        return self.host.run(command, within_s=SENDING_S)

    def states(self) -> dict[str, str]:
        """What Docker says of each service's container, by name; what ran once and ended well is included."""
        lines = self.host.run(self._states_command()).splitlines()
        return dict(line.partition(" ")[::2] for line in sorted(lines))

    @staticmethod
    def _states_command() -> str:
        form = '{{.Label "com.docker.compose.service"}} {{.Status}}'
        label = f"label=com.docker.compose.project={PROJECT}"
        return f"docker ps -a --filter {label} --filter label=com.docker.compose.oneoff=False --format '{form}'"

    def await_healthy(self) -> None:
        """Wait until all four services are; the one that is not is named with what it said last."""
        deadline = time.monotonic() + self.healthy_s
        while True:
            try:
                states = self.states()
            except Unreachable:
                # A line that comes and goes says nothing of the node.
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_S)
                continue
            wrong = [service for service in PORTS if "(healthy)" not in states.get(service, "")]
            if self.restored and wrong and all(self._halted(service, states) for service in wrong):
                who = f"{' and '.join(wrong)} {'run' if len(wrong) > 1 else 'runs'}"
                self.say(f"warning: restored, and {who} without signing (docs/operating.md)")
                return
            if not wrong:
                return
            if time.monotonic() > deadline:
                state = states.get(wrong[0], "not there")
                said = self._last_words(wrong[0])
                raise DeployError(f"{wrong[0]} is not healthy after {self.healthy_s:.0f} s ({state}); it said: {said}")
            time.sleep(PAUSE_S)

    @staticmethod
    def _halted(service: str, states: dict[str, str]) -> bool:
        """Whether a service runs and says that it is unhealthy, as the chain's two do while nobody may sign."""
        return service in ("engine", "manager") and "(unhealthy)" in states.get(service, "")

    def _last_words(self, service: str) -> str:
        try:
            log = self.host.run(self.compose(f"logs --no-color --tail 5 {service}")).strip().splitlines()
        except DeployError as error:
            return str(error)
        return log[-1] if log else "nothing"

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each service answers, as the host sees it."""
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        script = "".join(
            f"echo {service} $(docker inspect --format '{form}' $(docker ps -q {release.LABELS}={service}))\n"
            for service in PORTS
        )
        found = {}
        for line in self.host.run(script).splitlines():
            service, *addresses = line.split()
            if not addresses:
                raise DeployError(f"{self.host.name}: {service} does not run")
            found[service] = (addresses[0], PORTS[service])
        return found

    def genesis(self) -> bytes:
        """The chain's document, as the node there has it."""
        script = f"docker cp $(docker ps -aq {release.LABELS}=manager):/config/genesis.toml - | tar -xO"
        return self.host.run(script).encode()


_TAGS = (release.LATEST, release.BEFORE, release.PREVIOUS)
_VOLUMES = (volumes.CONFIG, volumes.KEY, "engine", "anchoring", "manager", "data", "mongodb", "store-key", "consul")


def client_settings(ports: dict[str, int], held: dict[str, str], genesis: Path) -> str:
    """The TOML settings of a client of the node, whose services answer at these ports of loopback."""
    lines = [
        f"genesis = {json.dumps(str(genesis))}",
        f"api_tokens = {json.dumps(held['LUCID_API_TOKENS'].split(','))}",
        *(f'{service}_url = "http://127.0.0.1:{port}"' for service, port in ports.items()),
    ]
    return "\n".join(lines) + "\n"
