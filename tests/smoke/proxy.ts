import { startTlsProxy } from "../../packages/simulators/src/drives/tls-proxy.ts";

/** Leads rclone, which knows OneDrive by its names only, to the stand-in at an address; prints how to use it. */
const [url] = process.argv.slice(2);
await using proxy = await startTlsProxy({ "graph.microsoft.com": url!, "login.microsoftonline.com": url! });
console.log(`${proxy.url} ${proxy.ca}`);
await new Promise((stop) => process.once("SIGTERM", stop));
