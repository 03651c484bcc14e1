"""Shows the Graph collector at work against a Graph that is made up: `python -m tests.demo [--once]`; exit code 1 if
something was not seen in time."""

import argparse
import signal
import sys
from pathlib import Path

from runtime.embedded.child import ChildFailedError
from tests.demo import scenes
from tests.demo.running import DemoError
from tests.demo.stage import Stage, open_stage
from tests.demo.teller import Teller
from tests.demo.tenants import customers


def main() -> int:
    """Run all scenes; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="data directory of the stack (a new one that is deleted at the end)")
    parser.add_argument("--port", type=int, help="port of the portal (a free one)")
    parser.add_argument("--once", action="store_true", help="end after the last scene instead of going on")
    arguments = parser.parse_args()
    # Also Ctrl-C: a shell lets what it starts in the background ignore it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    teller = Teller()
    try:
        with open_stage(arguments.data, arguments.port, teller.say) as stage:
            _show(stage, teller)
            if not arguments.once:
                teller.say("the collector goes on until Ctrl-C")
                scenes.wait_for_ever(stage)
    except KeyboardInterrupt:
        return 0
    except (DemoError, ChildFailedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _show(stage: Stage, teller: Teller) -> None:
    title, say = teller.title, teller.say
    held = customers(stage.graph)
    scenes.counts_come_in(stage, held, title, say)
    scenes.a_change_is_notified(stage, held["fabrikam"], title, say)
    scenes.a_change_is_polled(stage, held["tailspin"], title, say)
    scenes.a_throttled_tenant_keeps_its_count(stage, held["northwind"], held["fabrikam"], title, say)
    title(f"Everything was seen in time. The portal answers at {stage.url}")


if __name__ == "__main__":
    sys.exit(main())
