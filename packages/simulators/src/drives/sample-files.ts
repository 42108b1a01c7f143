/** Small text files to try things out with, a hundred in a folder: paths and contents. */
export function* sampleFiles(count: number): Generator<[string, string]> {
  for (let index = 0; index < count; index += 1) {
    const folder = String(Math.floor(index / 100)).padStart(5, "0");
    yield [`sample/${folder}/${String(index).padStart(7, "0")}.txt`, `This is file ${index}.\n`];
  }
}
