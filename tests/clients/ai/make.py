"""Writes the training set to the gateway: an object for each image, and Parquet files with all of them."""

import io
from concurrent.futures import ThreadPoolExecutor

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from training_set import BUCKET, ENDPOINT, FILES, ROWS, image, image_key, label, parquet_key

s3 = boto3.client("s3", endpoint_url=ENDPOINT)
s3.create_bucket(Bucket=BUCKET)


def put_image(row):
    s3.put_object(Bucket=BUCKET, Key=image_key(row), Body=image(row))


def put_table(number):
    rows = range(number, ROWS, FILES)
    table = pa.table({"id": list(rows), "label": [label(row) for row in rows], "image": [image(row) for row in rows]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=25)
    s3.put_object(Bucket=BUCKET, Key=parquet_key(number), Body=buffer.getvalue())


with ThreadPoolExecutor(8) as pool:
    list(pool.map(put_image, range(ROWS)))
    list(pool.map(put_table, range(FILES)))
