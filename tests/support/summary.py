"""What a test run says at its end: which engines it used, and which tiers did not run and why."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TIERS = ("unit", "property", "contract", "integration", "browser", "fault")
WITHOUT_SOCKETS = ("unit", "property")


def tier_of(path: Path, root: Path) -> str | None:
    """Return the tier a test file belongs to by its folder under tests/, or None."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    return parts[1] if parts[:1] == ("tests",) and parts[1] in TIERS else None


@dataclass
class Summary:
    """Collects during a run what its end must tell."""

    engines: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ran: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    skipped: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def count(self, tier: str, report: pytest.TestReport) -> None:
        """Take in one phase of one test."""
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.skipped[tier][reason.removeprefix("Skipped: ")] += 1
        elif report.when == "call":
            self.ran[tier] += 1

    def told(self) -> dict[str, Any]:
        """Return what a process that ran tests for another one tells of itself; that one sees the tests."""
        return {"engines": self.engines, "notes": self.notes}

    def take(self, told: dict[str, Any] | None) -> None:
        """Take what such a process told; None = it ended without a word."""
        if told is not None:
            self.engines |= told["engines"]
            self.notes += [note for note in told["notes"] if note not in self.notes]

    def missing_tiers(self, expected: set[str]) -> dict[str, str]:
        """Return the expected tiers of which no test ran, with the reasons."""
        return {
            tier: "; ".join(f"{reason} ({count})" for reason, count in self.skipped[tier].items()) or "no test selected"
            for tier in TIERS
            if tier in expected and not self.ran[tier]
        }

    def lines(self, expected: set[str]) -> list[str]:
        """Return the closing lines, without colour."""
        lines = [f"{engine}: {what}" for engine, what in self.engines.items()]
        lines += self.notes
        lines += [f"TIER {tier.upper()} DID NOT RUN: {why}" for tier, why in self.missing_tiers(expected).items()]
        for tier in TIERS:
            if self.ran[tier]:
                lines += [f"SKIPPED in {tier}: {why} ({count} tests)" for why, count in self.skipped[tier].items()]
        return lines


class Counting:
    """Plugin of the process that prints the end: counts every test, whichever process ran it."""

    def __init__(self, summary: Summary, root: Path) -> None:
        self._summary, self._root = summary, root

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if tier := tier_of(self._root / report.nodeid.partition("::")[0], self._root):
            self._summary.count(tier, report)


def tiers_with_tests(root: Path) -> set[str]:
    """Return the tiers that have test files."""
    return {tier for tier in TIERS if any((root / "tests" / tier).rglob("test_*.py"))}
