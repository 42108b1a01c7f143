"""PyTorch's DataLoader with Amazon's connector: each worker reads the images of its batches."""

import random

import torch
from s3torchconnector import S3ClientConfig, S3MapDataset
from torch.utils.data import DataLoader
from training_set import BUCKET, ENDPOINT, EPOCHS, ROWS, Checker, row_of


def load(reader):
    return row_of(reader.key), reader.read()


if __name__ == "__main__":
    dataset = S3MapDataset.from_prefix(
        f"s3://{BUCKET}/images/",
        region="us-east-1",
        endpoint=ENDPOINT,
        transform=load,
        s3client_config=S3ClientConfig(force_path_style=True),
    )
    assert len(dataset) == ROWS
    torch.manual_seed(random.randrange(2**31))
    loader = DataLoader(dataset, batch_size=16, shuffle=True, num_workers=3, collate_fn=list)
    checker = Checker()
    for _ in range(EPOCHS):
        checker.epoch(item for batch in loader for item in batch)
    checker.done()
