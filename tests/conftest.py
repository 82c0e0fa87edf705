"""Fixtures and settings shared by every ring of tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import clusters

REPOSITORY = Path(__file__).resolve().parent.parent

# No test writes into a database that somebody named for runs of their own; an empty word here wins over .env.
os.environ["DATABASE_URL"] = ""

# The same examples in every run: a failure seen once is seen again.
settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    max_examples=100,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")


def folder_or_skip(variable: str, beside: str) -> Path:
    """The folder named by an environment variable, else the one beside the repository; skips without it."""
    folder = Path(os.environ.get(variable) or REPOSITORY.parent / beside)
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: set {variable} to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings (`btc15m/`, `hourly-ladders/`, `wire/`, `spot/`)."""
    return folder_or_skip("FAIRSTRIKE_RECORDINGS", "shared/data")


@pytest.fixture(scope="session")
def shared_facts() -> Path:
    """Folder of reference figures, `pricing_vectors.json` among them."""
    return folder_or_skip("FAIRSTRIKE_FACTS", "shared/facts")


@pytest.fixture(scope="session")
def shared_specs() -> Path:
    """Folder of the venue's published interface descriptions."""
    return folder_or_skip("FAIRSTRIKE_SPECS", "shared/specs")


@pytest.fixture(scope="session")
def cluster() -> Iterator[clusters.Cluster]:
    """A PostgreSQL server of the tests' own."""
    with clusters.running() as found:
        yield found
