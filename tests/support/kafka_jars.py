"""Apache Kafka as jars from Maven, kept in a cache folder of the user; starting it is kafka_apache's affair."""

import shutil
import subprocess
from pathlib import Path

from tests.support.cache import cache_folder, fill_once

VERSION = "4.3.1"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>poolwatch</groupId><artifactId>test-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version></dependency>
    <!-- binds slf4j 1.7 to the log4j that Kafka brings; without it the broker says nothing -->
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version>
    </dependency>
  </dependencies>
</project>
"""
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class KafkaJarsError(RuntimeError):
    """Maven exists and could not bring Apache Kafka; the text says what it printed and what to do."""


def missing_tools() -> list[str]:
    """Return what this machine lacks of Java and Maven; with both, the tests insist on Apache Kafka."""
    return [tool for tool in ("java", "mvn") if shutil.which(tool) is None]


def jar_folder() -> Path:
    """Return the folder of the jars, whether it is there or not."""
    return cache_folder(f"kafka-{VERSION}")


def ensure_jars() -> Path:
    """Return the folder of the jars, filled by Maven when it is not there yet (54 MB; seconds to a minute)."""
    return fill_once(jar_folder(), _fetched)


def _fetched(work: Path) -> Path:
    pom, jars = work / "pom.xml", work / "jars"
    pom.write_text(_POM)
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(pom), _COPY, f"-DoutputDirectory={jars}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if result.returncode != 0 or not list(jars.glob(f"kafka_2.13-{VERSION}.jar")):
        output = (result.stdout + result.stderr).strip()[-3000:]
        raise KafkaJarsError(
            f"Maven could not fetch Apache Kafka {VERSION}; the tests need it where Java and Maven exist. Check "
            f"that Maven reaches its repository, or set POOLWATCH_TEST_KAFKA=host:port to a broker. "
            f"It printed:\n{output}"
        )
    return jars
