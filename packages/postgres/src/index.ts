export { type Cluster, type ClusterOptions, startCluster } from "./cluster/cluster.ts";
export { ClusterError } from "./cluster/errors.ts";
