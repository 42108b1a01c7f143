export { type Cluster, type ClusterOptions, startCluster } from "./cluster/cluster.ts";
export { ClusterError } from "./cluster/errors.ts";
export { prepareCluster } from "./install/cluster.ts";
export { type Installed, install, relinkDatabase } from "./install/install.ts";
export type { LinkSettings } from "./install/link-settings.ts";
export {
  openScratchPool,
  type ScratchPool,
  type ScratchPoolOptions,
  type ScratchSession,
} from "./scratch/pool.ts";
export { openScratch, type Scratch, type ScratchOptions } from "./scratch/scratch.ts";
