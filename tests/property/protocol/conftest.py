"""Lets the checks of the state machine say what differs."""

import pytest

pytest.register_assert_rewrite("tests.property.protocol.checks")
