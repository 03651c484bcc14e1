"""A provider for all these tests, and a portal that signs people in there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.oidc.provider import OidcProvider, running_provider, skip_without_oidc
from tests.support.signing_in import PUBLIC, SignInPortal, running_portal


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sign-in")


@pytest.fixture(scope="package")
def provider(folder: Path) -> Iterator[OidcProvider]:
    skip_without_oidc()
    with running_provider(folder, PUBLIC) as running:
        yield running


@pytest.fixture(scope="package")
def portal(folder: Path, provider: OidcProvider) -> Iterator[SignInPortal]:
    with running_portal(folder, provider) as running:
        yield running
