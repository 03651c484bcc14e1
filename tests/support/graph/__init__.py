"""A fake Microsoft Graph over real HTTP."""

from tests.support.graph.directory import FakeTenant
from tests.support.graph.fake import FakeGraph
from tests.support.graph.msal_http import MsalHttp
from tests.support.graph.server import served_graph
from tests.support.graph.sign_in import CLIENT_ID, CLIENT_SECRET, LOGIN

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "LOGIN", "FakeGraph", "FakeTenant", "MsalHttp", "served_graph"]
