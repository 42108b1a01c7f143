/** `0`, `0.4`, `12`, `3.4k`. */
export function count(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(value >= 10_000 ? 0 : 1)}k`;
  return value === 0 || value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

export function milliseconds(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value.toFixed(value >= 100 || value === 0 ? 0 : 1)} ms`;
}
