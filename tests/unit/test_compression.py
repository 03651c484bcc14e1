"""What aiokafka calls for lz4 is the fast mode in every process that has loaded our way to Kafka."""

from aiokafka import codec
from aiokafka.record._crecords import default_records

import streams.kafka


def test_producers_compress_in_the_fast_mode_and_readers_read_it() -> None:
    assert streams.kafka.MAX_BATCH_BYTES > 0
    payload = bytes(range(256)) * 500
    compressed = default_records.lz4_encode(payload)
    assert compressed == codec.lz4_encode(payload, 1)
    assert payload == codec.lz4_decode(compressed)
