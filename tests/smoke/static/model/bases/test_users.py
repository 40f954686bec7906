"""The users that base images have: a USER that is not among them stops the start."""

from __future__ import annotations

import pytest

from smoke.static.model.bases.catalog import find_base
from smoke.static.model.bases.users import users_of


@pytest.mark.parametrize(
    ("reference", "name", "number"),
    [
        ("python:3.12-slim", "nobody", 65534),
        ("python:3.12-slim", "www-data", 33),
        ("python:3.12-alpine", "www-data", None),
        ("python:3.12-alpine", "guest", 405),
        ("node:20", "node", 1000),
        ("python:3.12-slim", "node", None),
        ("nginx", "nginx", 101),
        ("ubuntu:24.04", "ubuntu", 1000),
        ("apache/airflow:2.9.0", "airflow", 50000),
        ("mambaorg/micromamba", "mambauser", 57439),
        ("jupyter/scipy-notebook", "jovyan", 1000),
    ],
)
def test_a_user_and_its_number(reference: str, name: str, number: int | None) -> None:
    users = users_of(find_base(reference, ()))
    assert users is not None and users.get(name) == number and users["root"] == 0


@pytest.mark.parametrize("reference", ["example/own:1", "fedora:40", "gcr.io/distroless/python3-debian12"])
def test_of_other_bases_the_users_are_not_known(reference: str) -> None:
    assert users_of(find_base(reference, ())) is None
