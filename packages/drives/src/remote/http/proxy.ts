import { EnvHttpProxyAgent } from "undici";

/** Connections through the proxies of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, but for this machine. */
export function proxyAgent(options: EnvHttpProxyAgent.Options = {}): EnvHttpProxyAgent {
  const noProxy = [process.env.no_proxy ?? process.env.NO_PROXY, "localhost", "127.0.0.1", "::1"];
  return new EnvHttpProxyAgent({ ...options, noProxy: noProxy.filter(Boolean).join(",") });
}
