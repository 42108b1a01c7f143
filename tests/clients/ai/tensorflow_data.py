"""TensorFlow's tf.data, through fsspec: several reads at once within tf.data's own threads."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import s3fs
import tensorflow as tf
from training_set import BUCKET, EPOCHS, FSSPEC, ROWS, Checker, row_of

filesystem = s3fs.S3FileSystem(**FSSPEC)


def read(key):
    content = tf.numpy_function(lambda name: filesystem.cat_file(name.decode()), [key], tf.string)
    return key, content


if __name__ == "__main__":
    keys = filesystem.glob(f"{BUCKET}/images/*/*.bin")
    assert len(keys) == ROWS
    data = tf.data.Dataset.from_tensor_slices(keys)
    data = data.shuffle(ROWS, reshuffle_each_iteration=True).map(read, num_parallel_calls=4).batch(16).prefetch(2)
    checker = Checker()
    for _ in range(EPOCHS):
        checker.epoch(
            (row_of(key.decode()), content)
            for batch, contents in data.as_numpy_iterator()
            for key, content in zip(batch, contents)
        )
    checker.done()
