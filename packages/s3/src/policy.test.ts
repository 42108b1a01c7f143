import { describe, expect, it } from "vitest";
import { evaluate, isPublic, parsePolicy } from "./policy.ts";

const statement = {
  Effect: "Allow",
  Principal: "*",
  Action: "s3:GetObject",
  Resource: "arn:aws:s3:::b/public/*",
};
const text = (...all: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: all });
const get = (key: string, principal?: string) => ({
  principal,
  action: "s3:GetObject",
  resource: `arn:aws:s3:::b/${key}`,
});

describe("evaluate", () => {
  it("allows what a pattern covers and says nothing of the rest", () => {
    const policy = parsePolicy(text(statement), "b");
    expect(evaluate(policy, get("public/x/y"))).toBe("Allow");
    expect(evaluate(policy, get("private"))).toBeUndefined();
    expect(evaluate(policy, { ...get("public/x"), action: "s3:PutObject" })).toBeUndefined();
    expect(isPublic(policy)).toBe(true);
  });
  it("lets Deny win in any order", () => {
    const deny = {
      ...statement,
      Effect: "Deny",
      Principal: { AWS: ["arn:aws:iam::1:user/BOB"] },
      Action: "S3:get*",
    };
    for (const policy of [parsePolicy(text(statement, deny), "b"), parsePolicy(text(deny, statement), "b")]) {
      expect(evaluate(policy, get("public/x", "BOB"))).toBe("Deny");
      expect(evaluate(policy, get("public/x", "EVE"))).toBe("Allow");
      expect(evaluate(policy, get("public/x"))).toBe("Allow");
    }
  });
  it("takes a pattern for the bucket that matches it", () => {
    const policy = parsePolicy(text({ ...statement, Resource: ["arn:aws:s3:::*/x", "arn:aws:s3:::?"] }), "b");
    expect(evaluate(policy, get("x"))).toBe("Allow");
    expect(evaluate(policy, get("y"))).toBeUndefined();
  });
  it("keeps anonymous out of what names a key", () => {
    const policy = parsePolicy(
      text({ ...statement, Principal: { AWS: "BOB" }, Resource: "arn:aws:s3:::b/?" }),
      "b",
    );
    expect(evaluate(policy, get("x"))).toBeUndefined();
    expect(evaluate(policy, get("x", "BOB"))).toBe("Allow");
    expect(evaluate(policy, get("xy", "BOB"))).toBeUndefined();
    expect(isPublic(policy)).toBe(false);
  });
});

describe("parsePolicy", () => {
  it.each([
    ["{", "valid JSON"],
    ["[]", "JSON object"],
    [JSON.stringify({ Version: "2020-01-01", Statement: [statement] }), "version"],
    [text(), "empty"],
    [text({ ...statement, Condition: {} }), "Condition"],
    [text({ ...statement, NotAction: "s3:*" }), "NotAction"],
    [text({ ...statement, NotPrincipal: "*" }), "NotPrincipal"],
    [text({ ...statement, Principal: { AWS: "arn:aws:iam::1:root" } }), "principal"],
    [text({ ...statement, Action: "ec2:Run" }), "action"],
    [text({ ...statement, Resource: "arn:aws:s3:::bb/*" }), "resource"],
    [text({ ...statement, Resource: "arn:aws:s3:::b*b/*" }), "resource"],
    [text({ ...statement, Resource: [] }), "Resource"],
    [text({ ...statement, Sid: "x".repeat(20 * 1024) }), "20 KiB"],
  ])("refuses %.80s", (policy, message) =>
    expect(() => parsePolicy(policy, "b")).toThrow(
      expect.objectContaining({ code: "MalformedPolicy", message: expect.stringContaining(message) }),
    ),
  );
});
