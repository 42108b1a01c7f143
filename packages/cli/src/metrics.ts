/** What is no sum over processes. */
const ofProcesses = /^(process_start_time_seconds|nodejs_version_info|process_max_fds|nodejs_eventloop_lag_)/;

/** What is no sum over the servers of one process: each tells of the whole of it. */
export const ofOneProcess = /^(process|nodejs)_/;

/**
 * One Prometheus text of several: the values of equal series are added.
 * @param largest series of which the largest value is told instead
 */
export function mergeMetrics(texts: readonly string[], largest: RegExp = ofProcesses): string {
  if (texts.length === 1) return texts[0]!;
  const families = new Map<string, { comments: string[]; series: Map<string, number> }>();
  for (const text of texts) {
    let family = { comments: [] as string[], series: new Map<string, number>() };
    for (const line of text.split("\n")) {
      const comment = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      if (comment) {
        family = families.get(comment[1]!) ?? { comments: [], series: new Map() };
        families.set(comment[1]!, family);
        if (!family.comments.includes(line)) family.comments.push(line);
        continue;
      }
      const sample = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)/.exec(line);
      if (!sample) continue;
      const value = Number(sample[2]!.replace("Inf", "Infinity"));
      const before = family.series.get(sample[1]!);
      if (before === undefined) family.series.set(sample[1]!, value);
      else family.series.set(sample[1]!, largest.test(sample[1]!) ? Math.max(before, value) : before + value);
    }
  }
  const lines = [...families.values()].flatMap(({ comments, series }) => [
    ...comments,
    ...[...series].map(([name, value]) => `${name} ${String(value).replace("Infinity", "Inf")}`),
  ]);
  return `${lines.join("\n")}\n`;
}
