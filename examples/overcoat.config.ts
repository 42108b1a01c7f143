import { defineConfig } from "overcoat";

export default defineConfig({
  remotes: { nas: "./nas", archive: "./archive" },
  remote: "nas:",
  // Buckets that live elsewhere, or in a folder whose name is no bucket's.
  buckets: { "photos-2020": "archive:Photos 2020" },
  keys: [
    { accessKeyId: "admin", secretAccessKey: process.env.ADMIN_SECRET ?? "" },
    {
      accessKeyId: "trainer",
      secretAccessKey: process.env.TRAINER_SECRET ?? "",
      buckets: { models: "read-write", "*": "read-only" },
    },
  ],
  anonymousRead: ["public"],
});
