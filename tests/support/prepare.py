"""What `make test` does before pytest: fetches what the tests need and says clearly what this machine lacks."""

import os
import sys

from tests.support.kafka_broker import ADDRESS_VARIABLE, why_not_apache
from tests.support.kafka_docker import docker_answers
from tests.support.kafka_jars import VERSION, KafkaJarsError, ensure_jars, jar_folder


def main() -> int:
    """Return the exit status: 1 when something that should be there cannot be had."""
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


if __name__ == "__main__":
    sys.exit(main())
