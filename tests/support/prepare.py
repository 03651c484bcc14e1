"""What `make test` does before pytest: fetches what the tests need and says clearly what this machine lacks."""

import os
import sys

from tests.support.chromium import HOW_TO_GET_IT, ChromiumError, find_chromium, install_chromium, may_install
from tests.support.kafka_broker import ADDRESS_VARIABLE, why_not_apache
from tests.support.kafka_docker import docker_answers
from tests.support.kafka_jars import VERSION, KafkaJarsError, ensure_jars, jar_folder
from tests.support.oidc.modules import VERSION as OIDC_VERSION
from tests.support.oidc.modules import OidcModulesError, ensure_modules, why_not_oidc
from tests.support.prometheus import HOW_TO_GET_IT as HOW_TO_GET_PROMETHEUS
from tests.support.prometheus import PrometheusError, fetch_prometheus, find_program, may_fetch


def main(*, browser: bool) -> int:
    """Return the exit status: 1 when something that should be there cannot be had."""
    return max(_kafka(), _oidc(), _prometheus(), _chromium() if browser else 0)


def _kafka() -> int:
    if address := os.environ.get(ADDRESS_VARIABLE):
        print(f"Kafka for the tests: the broker at {address}")
    elif docker_answers():
        print(f"Kafka for the tests: Apache Kafka {VERSION} in Docker")
    elif reason := why_not_apache():
        print(f"WITHOUT APACHE KAFKA: {reason}. The embedded broker stands in; Java 17 and Maven bring the real one.")
    else:
        if not jar_folder().is_dir():
            print(f"Fetching Apache Kafka {VERSION} with Maven (54 MB) ...", flush=True)
        try:
            print(f"Kafka for the tests: Apache Kafka {VERSION} in {ensure_jars()}")
        except KafkaJarsError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _oidc() -> int:
    if reason := why_not_oidc():
        print(f"WITHOUT AN OPENID CONNECT PROVIDER, SO NOBODY SIGNS IN: {reason}. Node 20 with npm brings one.")
        return 0
    try:
        print(f"OpenID Connect provider for the tests: oidc-provider {OIDC_VERSION} in {ensure_modules()}")
    except OidcModulesError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _prometheus() -> int:
    found = find_program("prometheus")
    if found is None and may_fetch():
        print("Fetching Debian's package prometheus (19 MB), which is unpacked and not installed ...", flush=True)
        try:
            found = fetch_prometheus()
        except PrometheusError as error:  # all the other tests can run without it
            print(error, file=sys.stderr)
    if found is None:
        print(f"WITHOUT PROMETHEUS, SO RULES AND DASHBOARDS ARE NOT TRIED. To have it, {HOW_TO_GET_PROMETHEUS}.")
    else:
        print(f"Prometheus for the tests: {found}")
    return 0


def _chromium() -> int:
    try:
        found = find_chromium()
    except ChromiumError as error:
        print(error, file=sys.stderr)
        return 1
    if found is None and may_install():
        print("Installing Debian's package chromium for the browser tests (once, some minutes) ...", flush=True)
        try:
            found = install_chromium()
        except ChromiumError as error:  # all the other tests can run without it
            print(error, file=sys.stderr)
    if found is None:
        print(f"WITHOUT CHROMIUM, SO THE BROWSER TIER WILL NOT RUN. To have it, {HOW_TO_GET_IT}.")
    else:
        print(f"Chromium for the tests: {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main(browser="--browser" in sys.argv))
