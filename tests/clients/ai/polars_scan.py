"""polars, with its own S3 client in Rust: a lazy scan that reads the columns and row groups that it needs."""

import random

import polars as pl
from training_set import BUCKET, ENDPOINT, EPOCHS, KEY, ROWS, SECRET, Checker, label

if __name__ == "__main__":
    options = {
        "aws_access_key_id": KEY,
        "aws_secret_access_key": SECRET,
        "aws_region": "us-east-1",
        "aws_endpoint_url": ENDPOINT,
        "aws_allow_http": "true",
    }
    scan = pl.scan_parquet(f"s3://{BUCKET}/tables/*.parquet", storage_options=options)
    dogs = scan.filter(pl.col("label") == "dog").select("id").collect()["id"].to_list()
    assert sorted(dogs) == [row for row in range(ROWS) if label(row) == "dog"]
    checker = Checker()
    for _ in range(EPOCHS):
        rows = scan.select("id", "image").collect().sample(fraction=1, shuffle=True, seed=random.randrange(2**31))
        checker.epoch(rows.iter_rows())
    checker.done()
