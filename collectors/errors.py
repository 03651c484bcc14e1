"""Owns the exceptions of collectors; every text says what happened, to what, and what to do next.

CollectorError
├── ImportRefusedError        options or a file that cannot be imported; nothing was sent
├── PublishFailedError        the broker did not take what was sent
└── HistoryUnavailableError   earlier sync runs cannot be asked for
"""


class CollectorError(Exception):
    """What a collector could not do."""


class ImportRefusedError(CollectorError):
    """Options or a file that cannot be imported. Raised before anything is sent."""


class PublishFailedError(CollectorError):
    """The broker did not confirm a record. What was confirmed before stays published; sending it again changes
    nothing."""


class HistoryUnavailableError(CollectorError):
    """Earlier sync runs cannot be asked for, so that no sync can be judged."""
