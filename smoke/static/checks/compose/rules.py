"""The checks of Compose files: what each is about, why it matters and what to do."""

from __future__ import annotations

from smoke.check import Check
from smoke.finding import Severity

SERVICES = Check(
    "compose.services",
    Severity.CRITICAL,
    "the Compose files can be read and have every service",
    "What is not in the file does not run.",
    "Add the service, or take the file out of the manifest.",
)
ENVIRONMENT = Check(
    "compose.environment",
    Severity.CRITICAL,
    "files of variables that services name are there",
    "Compose refuses to start the service.",
    "Add the file, or write required: false.",
)
HOSTS = Check(
    "compose.hosts",
    Severity.CRITICAL,
    "the databases and brokers that services are told of are services that they reach",
    "Its name cannot be looked up, or nothing listens there: the service ends, or answers with errors.",
    "Name the service as the Compose file does, on a network that both are on, with the port of its container.",
)
IMAGES = Check(
    "compose.images",
    Severity.WARNING,
    "each service's image is the one that is built",
    "Another image than the one that was tested is pulled, or none.",
    "Name the image as the manifest does.",
)
PORTS = Check(
    "compose.ports",
    Severity.CRITICAL,
    "published ports lead to the port of the service",
    "Nobody reaches the service.",
    "Publish the port that the service listens at.",
)
HEALTH = Check(
    "compose.health",
    Severity.CRITICAL,
    "health checks run with what the image has",
    "The container is unhealthy forever, and what waits for it never starts.",
    'Write test: ["CMD", ...] with a program that is in the image, or leave the image\'s own.',
)
DEPENDS = Check(
    "compose.depends",
    Severity.CRITICAL,
    "what is depended on exists, and can become what is waited for",
    "Compose refuses the file, or waits forever.",
    "Correct the name, or give what is waited for a health check.",
)
HARDENING = Check(
    "compose.hardening",
    Severity.WARNING,
    "read-only root, no capabilities, no new privileges",
    "Whoever gets into the service can change it and reach for more.",
    "Set read_only: true, cap_drop: [ALL] and security_opt: [no-new-privileges:true].",
)
LIMITS = Check(
    "compose.limits",
    Severity.WARNING,
    "memory is limited",
    "One service takes the whole machine down with it.",
    "Set mem_limit, or deploy.resources.limits.memory.",
)
NETWORKS = Check(
    "compose.networks",
    Severity.CRITICAL,
    "networks and volumes that are used are declared",
    "Compose refuses the file.",
    "Declare it at the top level.",
)
CHECKS = (SERVICES, ENVIRONMENT, HOSTS, IMAGES, PORTS, HEALTH, DEPENDS, HARDENING, LIMITS, NETWORKS)
