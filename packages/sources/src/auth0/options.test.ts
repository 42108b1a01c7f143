import { expect, test } from "vitest";
import { auth0 } from "./index.ts";
import { settings } from "./options.ts";

test.each([
  ["example.eu.auth0.com", "example.eu.auth0.com:443"],
  ["https://example.eu.auth0.com/api/v2/users", "example.eu.auth0.com:443"],
  ["https://127.0.0.1:4010", "127.0.0.1:4010"],
  ["http://127.0.0.1:4010", "127.0.0.1:4010"],
  ["http://localhost", "localhost:80"],
])("the domain %s leads to %s", (domain, address) => {
  expect(auth0.addresses({ domain })).toEqual([address]);
});

test.each([[undefined], ["http://example.eu.auth0.com"], ["https://user:word@x.auth0.com"], ["a b"], [""]])(
  "the domain %s is refused",
  (domain) => {
    expect(() => auth0.addresses(domain === undefined ? {} : { domain })).toThrow(
      expect.objectContaining({ sqlState: "HV00D" }),
    );
  },
);

test("credentials: a client and its secret, a token, or a secret that is a token", () => {
  const domain = "x.auth0.com";
  const of = (options: Record<string, string>) => settings({ domain, ...options }).credentials;
  expect(of({ client_id: "c", client_secret: "s" })).toEqual({ clientId: "c", clientSecret: "s" });
  expect(of({ api_key: "t" })).toEqual({ token: "t" });
  expect(of({ client_secret: "t" })).toEqual({ token: "t" });
  expect(() => of({})).toThrow(expect.objectContaining({ sqlState: "HV00D" }));
  expect(() => of({ client_id: "c" })).toThrow(expect.objectContaining({ sqlState: "HV00D" }));
});

test("secrets are marked, and the options of Supabase's wrapper are known", () => {
  const { server, user } = auth0.options;
  expect([server.client_secret?.secret, server.api_key?.secret, user.api_key?.secret]).toEqual([
    true,
    true,
    true,
  ]);
  expect(server.url?.synonymOf).toBe("domain");
});
