-- Which owner told a change: of an owner that was superseded, what it told may be void (docs/delivery.md).

ALTER TABLE seat_changes ${on_cluster} ADD COLUMN IF NOT EXISTS epoch UInt64 DEFAULT 0;
