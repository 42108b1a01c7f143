import { checkAclDocument, checkAclHeaders } from "../acl.ts";
import { type Context, type Operation, owner, reply, replyXml } from "../context.ts";
import { ownerXml } from "../listing-xml.ts";
import { document, element, parse } from "../xml.ts";
import { smallBody } from "./body.ts";

const replyAcl = (context: Context) =>
  replyXml(
    context,
    document(
      "AccessControlPolicy",
      `${ownerXml()}<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${owner.id}</ID><DisplayName>${owner.name}</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>`,
    ),
  );

async function checkTarget({ bucket, key, service }: Context): Promise<void> {
  if (key) await service.objects.headObject(bucket, key);
  else await service.objects.buckets.path(bucket);
}

/** The ACL that everything here has: all to the owner. */
export const getAcl: Operation = async (context) => {
  await checkTarget(context);
  replyAcl(context);
};

/** Takes an ACL that says what holds anyway. */
export const putAcl: Operation = async (context) => {
  await checkTarget(context);
  const body = await smallBody(context);
  checkAclHeaders(context);
  if (body.length) checkAclDocument(parse(body, "AccessControlPolicy"));
  reply(context, 200);
};

export const getOwnershipControls: Operation = async (context) => {
  await checkTarget(context);
  replyXml(
    context,
    document("OwnershipControls", `<Rule>${element("ObjectOwnership", "BucketOwnerEnforced")}</Rule>`),
  );
};
