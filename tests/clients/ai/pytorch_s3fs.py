"""PyTorch's DataLoader with s3fs; a worker opens its own connections."""

import s3fs
from torch.utils.data import DataLoader, Dataset
from training_set import BUCKET, EPOCHS, FSSPEC, ROWS, Checker, row_of


class Images(Dataset):
    def __init__(self):
        self.keys = s3fs.S3FileSystem(**FSSPEC).glob(f"{BUCKET}/images/*/*.bin")

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, index):
        # s3fs is not to be used across a fork: instances are cached by process.
        key = self.keys[index]
        with s3fs.S3FileSystem(**FSSPEC).open(key, "rb") as file:
            return row_of(key), file.read()


if __name__ == "__main__":
    images = Images()
    assert len(images) == ROWS
    loader = DataLoader(
        images, batch_size=16, shuffle=True, num_workers=3, collate_fn=list, multiprocessing_context="spawn", persistent_workers=True
    )
    checker = Checker()
    for _ in range(EPOCHS):
        checker.epoch(item for batch in loader for item in batch)
    checker.done()
