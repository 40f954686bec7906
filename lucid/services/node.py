"""A node's services in one process, each as it would be in one of its own."""

from __future__ import annotations

import logging
import secrets
from urllib.parse import urlsplit

import msgspec
import trio

from lucid.services.anchoring import AnchoringService
from lucid.services.data import DataService
from lucid.services.engine import EngineService
from lucid.services.manager import ManagerService
from lucid.services.process.config import Config, ConfigError
from lucid.services.process.running import begin_process, end_in_time, run_to_end
from lucid.services.process.service import Service
from lucid.services.process.stopsignal import stop_at_signal


def run(config: Config) -> None:
    """Run until SIGTERM or SIGINT. Raises `LucidError` when a service cannot start."""
    if config.store and "{service}" not in config.store:
        raise ConfigError("store must hold {service}: each of the node's services needs a store of its own")
    begin_process()
    if not config.token:
        config = msgspec.structs.replace(config, token=secrets.token_hex(32))  # nobody else needs to know it
    urls: dict[type[Service], str] = {
        ManagerService: config.manager_url,
        EngineService: config.engine_url,
        AnchoringService: config.anchoring_url,
        DataService: config.data_url,
    }
    services: list[Service] = []
    try:
        for kind, url in urls.items():
            services.append(kind(msgspec.structs.replace(config, port=urlsplit(url).port or kind.listed.port)))
    except BaseException:
        for service in services:
            service.abandon()
        raise
    run_to_end(_serve, services)


async def _serve(services: list[Service]) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(stop_at_signal, stop)
        for service in services:
            port = await nursery.start(service.run, stop)
            logging.getLogger("lucid").info("%s listens at %s:%s", service.listed.name, service.config.bind, port)
        await stop.wait()
        end_in_time(nursery.cancel_scope)
        for service in services:
            await service.ended.wait()
        nursery.cancel_scope.cancel()
