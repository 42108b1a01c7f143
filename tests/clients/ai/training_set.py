"""A training set whose every byte follows from a row's number, so that each reader can tell what it must have read."""

import hashlib
import json
import os
import time

BUCKET = "training"
ROWS = 600
FILES = 6
EPOCHS = 2
LABELS = ["cat", "dog", "horse"]

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
KEY = os.environ["AWS_ACCESS_KEY_ID"]
SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]
FSSPEC = {"key": KEY, "secret": SECRET, "client_kwargs": {"endpoint_url": ENDPOINT}}


def label(row):
    return LABELS[row % len(LABELS)]


def image(row):
    """1 to about 60 KB."""
    return hashlib.shake_256(b"row %d" % row).digest(1000 + row * 9973 % 60_000)


def image_key(row):
    return f"images/{label(row)}/{row:05d}.bin"


def row_of(key):
    return int(key.rsplit("/", 1)[-1].split(".")[0])


def parquet_key(number):
    return f"tables/part-{number}.parquet"


class Checker:
    """Counts what was read, and refuses what is not as it was written."""

    def __init__(self):
        self.orders = []
        self.bytes = 0
        self.start = time.monotonic()

    def epoch(self, items):
        """Takes (row, bytes) of each row, shuffled."""
        order = []
        for row, content in items:
            content = bytes(content)
            assert content == image(row), f"row {row} has other bytes"
            order.append(int(row))
            self.bytes += len(content)
        assert sorted(order) == list(range(ROWS)), f"{len(order)} rows, {len(set(order))} of them different"
        assert order != sorted(order), "the rows were not shuffled"
        assert order not in self.orders, "the order is that of the epoch before"
        self.orders.append(order)

    def done(self):
        """Tells what was read, as JSON."""
        assert len(self.orders) == EPOCHS
        seconds = time.monotonic() - self.start
        print(json.dumps({"rows": ROWS * EPOCHS, "bytes": self.bytes, "seconds": round(seconds, 1)}))
