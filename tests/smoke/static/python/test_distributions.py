"""What is known of distributions by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from smoke.static.python import distributions as table

KNOWN = sorted(table._table())


@given(st.text("aB1.-_", min_size=1))
def test_names_are_compared_as_packaging_does(name: str) -> None:
    assert table.normalized(name) == canonicalize_name(name)
    assert table.normalized(table.normalized(name)) == table.normalized(name)


def test_the_table_s_own_names_are_normal_and_lead_back_from_their_modules() -> None:
    assert [name for name in KNOWN if table.normalized(name) != name] == []
    lost = [name for name in KNOWN if any(name not in table.bringers(each) for each in table.modules(name) or ())]
    assert lost == []


@pytest.mark.parametrize(
    ("module", "name"),
    [("yaml", "pyyaml"), ("PIL", "pillow"), ("cv2", "opencv-python"), ("serial", "pyserial"), ("RPi", "rpi-gpio")],
)
def test_modules_that_are_not_called_as_their_distribution(module: str, name: str) -> None:
    assert name in table.bringers(module) and module in (table.modules(name) or ())
    assert table.candidates(module)[0] in table.bringers(module), "the known ones first"


def test_what_the_standard_library_lost_others_bring_back() -> None:
    assert table.bringers("cgi")[0] == "legacy-cgi" and table.bringers("pkg_resources")[0] == "setuptools"


def test_of_a_distribution_that_is_not_known_nothing_is_said() -> None:
    name = "no-such-thing-at-all"
    assert (table.modules(name), table.needs(name), table.compiled(name), table.on_arm64(name)) == (None,) * 4
    assert table.program_of(name) == table.part_of(name) == "" and table.bringers("no_such") == ()
    assert table.candidates("No_Such") == ["no-such", "python-no-such", "pyno-such", "no-such-python"]


@given(st.sampled_from(KNOWN), st.sampled_from(KNOWN))
def test_extras_only_add_and_one_that_is_not_known_leaves_all_open(name: str, other: str) -> None:
    plain = table.needs(name)
    extras = table._table()[name].get("extras", {})
    for extra in extras:
        found = table.needs(name, [extra.upper()])
        assert plain is None or (found is not None and found[: len(plain)] == plain)
    assert (
        table.normalized(other) in extras
        or name in ("celery", "kombu", "channels")
        or table.needs(name, [other]) is None
    )


@given(st.sampled_from(KNOWN))
def test_what_has_no_machine_code_runs_on_every_machine(name: str) -> None:
    assert table.compiled(name) is not False or table.on_arm64(name) is True


@pytest.mark.parametrize(
    ("name", "compiled", "arm"),
    [("flask", False, True), ("numpy", True, True), ("mkl", True, False), ("motor", False, True)],
)
def test_machine_code(name: str, compiled: bool | None, arm: bool | None) -> None:
    assert (table.compiled(name), table.on_arm64(name)) == (compiled, arm)


@pytest.mark.parametrize(
    ("dotted", "name"),
    [
        ("google.cloud.storage", "google-cloud-storage"),
        ("google.cloud.storage.blob", "google-cloud-storage"),
        ("google.cloud.secretmanager", "google-cloud-secret-manager"),
        ("azure.storage.blob", "azure-storage-blob"),
        ("google.cloud", ""),
        ("google", ""),
        ("flask.json", ""),
    ],
)
def test_parts_of_packages_that_many_share(dotted: str, name: str) -> None:
    assert table.part_of(dotted) == name
    assert not name or table.shared_name(dotted.partition(".")[0])


def test_programs_and_their_distributions() -> None:
    named = {
        "uvicorn": "uvicorn",
        "django-admin": "django",
        "supervisord": "supervisor",
        "jupyter": "jupyter-core",
        "ls": "",
    }
    assert {name: table.program_of(name) for name in named} == named
    assert all(table.normalized(each) == each for each in (*table._PROGRAMS.values(), *table._SAME_NAME))


def test_families_of_distributions() -> None:
    assert table.brings_alone("google-cloud-storage") and not table.brings_alone("google-cloud-aiplatform")
    assert not table.brings_alone("flask") and table.everywhere("six") and not table.everywhere("flask")
    assert table.shared_name("google") and not table.shared_name("flask")
