/** Runs once when the server starts. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  // Started by `overcoat up`, it ends with it.
  if (process.channel) process.on("disconnect", () => process.exit(0));
  const { keepHistory } = await import("./lib/server/activity/history");
  keepHistory();
}
