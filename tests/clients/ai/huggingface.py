"""Hugging Face datasets, streaming Parquet: files are shuffled and read by the workers of a DataLoader."""

from datasets import load_dataset
from torch.utils.data import DataLoader
from training_set import BUCKET, EPOCHS, FILES, FSSPEC, Checker, parquet_key

if __name__ == "__main__":
    files = [f"s3://{BUCKET}/{parquet_key(number)}" for number in range(FILES)]
    dataset = load_dataset("parquet", data_files=files, split="train", streaming=True, storage_options=FSSPEC)
    dataset = dataset.shuffle(seed=7, buffer_size=100)
    loader = DataLoader(dataset, batch_size=None, num_workers=3, multiprocessing_context="spawn")
    checker = Checker()
    for epoch in range(EPOCHS):
        dataset.set_epoch(epoch)
        checker.epoch((row["id"], row["image"]) for row in loader)
    checker.done()
