"""What aiokafka calls for lz4 is the fast mode once a producer of ours was made."""

from aiokafka import codec
from aiokafka.record._crecords import default_records

from streams.compression import LZ4_LEVEL, use_fast_lz4


def test_producers_compress_in_the_fast_mode_and_readers_read_it() -> None:
    use_fast_lz4()
    payload = bytes(range(256)) * 500
    compressed = default_records.lz4_encode(payload)
    assert compressed == codec.lz4_encode(payload, LZ4_LEVEL)
    assert payload == codec.lz4_decode(compressed)
