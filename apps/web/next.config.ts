import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  // `npm run check` looks at the types of the whole repository.
  typescript: { ignoreBuildErrors: true },
  // The dependencies lie at the root of the repository.
  turbopack: { root: fileURLToPath(new URL("../..", import.meta.url)) },
  images: { unoptimized: true },
  devIndicators: false,
};

export default config;
