import type { AccessTokens } from "./tokens.ts";
import type { Body } from "./vendor.ts";

/** Tokens of a stand-in, which signs in anew when one is refused. */
export function tokensOf(server: { signIn(): { access_token: string } }): AccessTokens {
  let token = server.signIn().access_token;
  return {
    get: async () => token,
    refused: () => {
      token = server.signIn().access_token;
    },
  };
}

export function bodyOf(bytes: Uint8Array | string): Body {
  const content = Buffer.from(bytes);
  return {
    size: content.length,
    async *read(start, end) {
      yield content.subarray(start, end);
    },
  };
}

export async function textOf(chunks: AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>) {
  return Buffer.concat(await Array.fromAsync(await chunks)).toString();
}
