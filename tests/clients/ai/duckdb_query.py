"""DuckDB, by fsspec: its own extension for S3, httpfs, is downloaded from its makers where they can be reached."""

import duckdb
import s3fs
from training_set import BUCKET, EPOCHS, FSSPEC, LABELS, ROWS, Checker

if __name__ == "__main__":
    connection = duckdb.connect(config={"threads": 3})
    connection.register_filesystem(s3fs.S3FileSystem(**FSSPEC))
    tables = f"read_parquet('s3://{BUCKET}/tables/*.parquet')"
    counts = connection.sql(f"SELECT label, count(*) FROM {tables} GROUP BY label").fetchall()
    assert dict(counts) == {name: ROWS // len(LABELS) for name in LABELS}, counts
    checker = Checker()
    for _ in range(EPOCHS):
        checker.epoch(connection.sql(f"SELECT id, image FROM {tables} ORDER BY random()").fetchall())
    checker.done()
