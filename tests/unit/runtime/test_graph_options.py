"""Options of Graph as a merge patch."""

import pytest
import typer

from runtime.cli.settings_arguments import Changes


def test_on_keeps_what_there_is_and_off_forgets_it() -> None:
    assert {"graph": {}} == Changes().graph("on").body()
    assert {"graph": None} == Changes().graph("off").body()
    assert {} == Changes().graph(None).body()


def test_what_is_given_goes_into_graph_and_groups_replace_those_before() -> None:
    changes = Changes().graph("on").set("graph-cloud", "dod").set("template-group", ["a", "b"])
    assert {"graph": {"cloud": "dod", "template_groups": ["a", "b"]}} == changes.body()
    assert {"graph": {"cloud": "dod"}} == Changes().set("graph-cloud", "dod").body()


def test_a_default_of_graph_leaves_the_rest_of_it() -> None:
    assert {"graph": {"cloud": None, "template_groups": None}} == (
        Changes().defaults(["graph-cloud", "--template-group"]).body()
    )


def test_off_and_another_option_of_graph_contradict() -> None:
    with pytest.raises(typer.BadParameter, match="--graph off forgets"):
        Changes().graph("off").set("graph-cloud", "dod")
    with pytest.raises(typer.BadParameter, match="--graph off forgets"):
        Changes().graph("off").defaults(["template-group"])
