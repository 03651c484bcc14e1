"""How fast it is told what other criteria would do to a large tenant."""

from collections.abc import Iterator

from tests.bench.figures import Figure, percentile
from tests.bench.stage import Stage, wait_for

SUBJECTS = 100_000


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield the 95th percentile of answers where the criteria judge every user's gateway otherwise: the worst case."""
    with stage.child("what_if", subjects=SUBJECTS) as child:
        wait_for(child, "bench_filled", 120)
        found = wait_for(child, "bench_answers", 120)
    if found["changed"] < SUBJECTS // 10:
        raise RuntimeError(f"other criteria moved {found['changed']:,} of {SUBJECTS:,} subjects: too few to mean much")
    words = (
        f"{len(found['seconds'])} answers with 3 x 1,000 subjects at most, chDB, warm; all users are judged"
        f" anew, and {found['changed']:,} subjects move"
    )
    value = percentile(found["seconds"], 95)
    yield Figure(
        f"what-if for criteria, {SUBJECTS:,} subjects", value, "s", "at most", 2, 1, note=words, runs=found["seconds"]
    )
