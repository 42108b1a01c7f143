/** What a server gets that does not say otherwise. */
export const serverDefaults = {
  fetch_size: "2000",
  batch_size: "100",
  use_remote_estimate: "true",
};
