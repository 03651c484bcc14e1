"""Who may save on a page: what a button shows is no guard, for anybody can send its click."""

from datetime import timedelta
from typing import Any, cast

import pytest

from portal.access.principals import Principal
from portal.answers.context import Context
from portal.problems import Problem
from portal.services import utc_now
from portal.web.frame.saving import save
from portal.web.frame.visit import Visit
from schemas.identifiers import PROVIDER_KEY

CONTOSO = frozenset({"contoso"})
ENDED = utc_now() - timedelta(seconds=1)


class _Services:
    """Fails where anything is asked of it."""

    clock = staticmethod(utc_now)


@pytest.mark.parametrize(
    ("visitor", "name", "status"),
    [
        (Principal("v", "tenant_viewer", CONTOSO), "contoso", 403),
        (Principal("a", "tenant_admin", CONTOSO), "fabrikam", 403),
        (Principal("a", "tenant_admin", CONTOSO), PROVIDER_KEY, 403),
        (Principal("p", "provider_viewer"), "contoso", 403),
        (Principal("p", "provider_viewer"), PROVIDER_KEY, 403),
        (Principal("o", "provider_admin", until=ENDED), "contoso", 401),
    ],
)
async def test_who_may_not_change_saves_nothing(visitor: Principal, name: str, status: int) -> None:
    here = Visit(Context(cast(Any, _Services())), visitor)
    assert not here.may_change(name)
    with pytest.raises(Problem) as refused:
        await save(here, name, "patch", {"acquired_licenses": 1}, None)
    assert status == refused.value.status
