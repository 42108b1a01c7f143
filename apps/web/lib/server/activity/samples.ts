/** One line of Prometheus' text. */
export interface Sample {
  readonly name: string;
  readonly value: number;
  /** Empty where there is no such label. */
  label(key: string): string;
}

const pattern = /^(overcoat_\w+)(?:\{(.*)\})? (\S+)/;

/** Overcoat's own samples of Prometheus' text. */
export function readSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const [, name, labels = "", number] = pattern.exec(line) ?? [];
    if (name === undefined) continue;
    const label = (key: string) => new RegExp(`(?:^|,)${key}="([^"]*)"`).exec(labels)?.[1] ?? "";
    samples.push({ name, value: Number(number), label });
  }
  return samples;
}
