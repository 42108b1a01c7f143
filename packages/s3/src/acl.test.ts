import { describe, expect, it } from "vitest";
import { checkAclDocument, checkCannedAcl } from "./acl.ts";
import { owner } from "./context.ts";
import { parse } from "./xml.ts";

const refuses = (code: string) => expect.objectContaining({ code });

describe("checkCannedAcl", () => {
  it.each([undefined, "private", "bucket-owner-full-control"])("takes %s", (acl) =>
    expect(() => checkCannedAcl(acl)).not.toThrow(),
  );
  it("refuses what gives access to others, and what is no canned ACL", () => {
    expect(() => checkCannedAcl("public-read")).toThrow(refuses("AccessControlListNotSupported"));
    expect(() => checkCannedAcl("public-read", "InvalidBucketAclWithObjectOwnership")).toThrow(
      refuses("InvalidBucketAclWithObjectOwnership"),
    );
    expect(() => checkCannedAcl("public-ready")).toThrow(refuses("InvalidArgument"));
  });
});

describe("checkAclDocument", () => {
  const grant = (id: string, permission: string) =>
    `<Grant><Grantee><ID>${id}</ID></Grantee><Permission>${permission}</Permission></Grant>`;
  const document = (list: string) =>
    parse(Buffer.from(`<AccessControlPolicy>${list}</AccessControlPolicy>`), "AccessControlPolicy");
  const listed = (...grants: string[]) =>
    document(`<AccessControlList>${grants.join("")}</AccessControlList>`);
  it("takes the one that everything has", () =>
    expect(() => checkAclDocument(listed(grant(owner.id, "FULL_CONTROL")))).not.toThrow());
  it.each([
    ["AccessControlListNotSupported", listed(grant(owner.id, "FULL_CONTROL"), grant("other", "READ"))],
    ["AccessControlListNotSupported", listed(grant(owner.id, "READ"))],
    ["AccessControlListNotSupported", listed()],
    ["MalformedXML", document("<Owner/>")],
  ])("refuses with %s (%#)", (code, policy) => expect(() => checkAclDocument(policy)).toThrow(refuses(code)));
});
