"""Owns what a meter keeps of one partition in memory: records by tenant and subject, headers, tallies."""

from collections.abc import Iterator

from streams.protocol.record import Header, decode_header, encode_header, split_key

ABSENT = -1
"""Stands for the profile of a subject that is not known."""


class TenantState:
    """One tenant in one partition. `tally`: number of subjects by profile, always that of `records`. `header_epoch`:
    the epoch in which the header was written last."""

    __slots__ = ("header", "header_epoch", "records", "tally")

    def __init__(self) -> None:
        self.header = Header()
        self.header_epoch = b""
        self.records: dict[bytes, bytes] = {}
        self.tally: dict[int, int] = {}

    def put(self, subject: bytes, value: bytes | None) -> tuple[int, int]:
        """Set or delete a record; return its old and new profile, `ABSENT` for none."""
        records = self.records
        if value is None:
            old, after = records.pop(subject, None), ABSENT
        else:
            old, after = records.get(subject), value[0]
            records[subject] = value
        before = ABSENT if old is None else old[0]
        if before != after:
            tally = self.tally
            if before != ABSENT:
                left = tally[before] - 1
                if left:
                    tally[before] = left
                else:
                    del tally[before]
            if after != ABSENT:
                tally[after] = tally.get(after, 0) + 1
        return before, after


class PartitionState:
    """All tenants of one partition."""

    def __init__(self) -> None:
        self.tenants: dict[str, TenantState] = {}

    def tenant(self, tenant: str) -> TenantState:
        """Return a tenant's state, made where there is none yet."""
        state = self.tenants.get(tenant)
        if state is None:
            state = self.tenants[tenant] = TenantState()
        return state

    def install(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the changelog, as recovery does."""
        tenant, subject = split_key(key)
        if value is None and tenant not in self.tenants:
            return  # a deletion does not make a tenant known
        state = self.tenant(tenant)
        if subject is not None:
            state.put(subject, value)
        elif value is not None:
            state.header = decode_header(value)

    def current(self, key: bytes) -> bytes | None:
        """Return the changelog value that a key has now."""
        tenant, subject = split_key(key)
        state = self.tenants.get(tenant)
        if state is None:
            return None
        return encode_header(bytes(5), state.header) if subject is None else state.records.get(subject)

    def __len__(self) -> int:
        return sum(len(state.records) for state in list(self.tenants.values()))  # a copy: other threads ask too

    def __iter__(self) -> Iterator[tuple[str, TenantState]]:
        yield from self.tenants.items()
