"""pyarrow's dataset, with its own S3 client in C++ and its threads; row groups are taken in random order."""

import random

import pyarrow.dataset as ds
from pyarrow.fs import S3FileSystem
from training_set import BUCKET, ENDPOINT, EPOCHS, KEY, ROWS, SECRET, Checker, label

if __name__ == "__main__":
    filesystem = S3FileSystem(
        access_key=KEY, secret_key=SECRET, region="us-east-1", endpoint_override=ENDPOINT.removeprefix("http://"), scheme="http"
    )
    dataset = ds.dataset(f"{BUCKET}/tables", filesystem=filesystem, format="parquet")
    assert dataset.count_rows() == ROWS
    cats = dataset.to_table(columns=["id"], filter=ds.field("label") == "cat")["id"].to_pylist()
    assert sorted(cats) == [row for row in range(ROWS) if label(row) == "cat"]
    groups = [group for fragment in dataset.get_fragments() for group in fragment.split_by_row_group()]
    checker = Checker()
    for _ in range(EPOCHS):
        random.shuffle(groups)
        tables = (group.to_table(columns=["id", "image"], use_threads=True) for group in groups)
        checker.epoch(
            item for table in tables for item in zip(table["id"].to_pylist(), table["image"].to_pylist())
        )
    checker.done()
