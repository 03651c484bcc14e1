"""The ledger: which batches are processed, skipped, or sought again."""

from streams.protocol.ledger import Ledger


def test_a_batch_that_begins_at_the_next_offset_is_processed() -> None:
    assert "process" == Ledger(10).judge(10, 12)


def test_a_batch_wholly_below_is_skipped_and_one_that_overlaps_is_processed() -> None:
    ledger = Ledger(10)
    assert "skip" == ledger.judge(7, 9)
    assert "process" == ledger.judge(9, 10)


def test_where_a_batch_vanished_the_next_one_is_sought_again_and_not_processed() -> None:
    ledger = Ledger(10)
    assert "seek" == ledger.judge(15, 20)
    assert 10 == ledger.next_offset
    assert "process" == ledger.judge(10, 20)


def test_a_gap_that_is_still_there_after_the_seek_is_real() -> None:
    ledger = Ledger(10)
    assert ["seek", "process"] == [ledger.judge(15, 20), ledger.judge(15, 20)]


def test_each_gap_is_sought_once_of_its_own() -> None:
    ledger = Ledger(10)
    assert ["seek", "process"] == [ledger.judge(15, 20), ledger.judge(15, 20)]
    ledger.advance(21)
    assert ["seek", "process"] == [ledger.judge(30, 31), ledger.judge(30, 31)]


def test_what_was_processed_is_never_taken_back() -> None:
    ledger = Ledger(10)
    ledger.advance(21)
    ledger.advance(15)
    assert 21 == ledger.next_offset
