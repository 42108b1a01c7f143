import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";

/** What a server counts, for Prometheus. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: "overcoat_s3_requests_total",
    help: "Requests by operation and status.",
    labelNames: ["operation", "status"],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: "overcoat_s3_request_seconds",
    help: "Time from the first header to the last byte.",
    labelNames: ["operation"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  observe(operation: string, status: number, seconds: number): void {
    this.#requests.inc({ operation, status });
    this.#seconds.observe({ operation }, seconds);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
