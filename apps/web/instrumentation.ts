/** Runs once when the server starts. */
export function register(): void {
  // Started by `overcoat up`, it ends with it.
  if (process.env.NEXT_RUNTIME === "nodejs" && process.channel)
    process.on("disconnect", () => process.exit(0));
}
