import { invalidQuery } from "../errors.ts";
import { page, pageQuery } from "../paging.ts";
import { noContent, ok, type Route } from "../route.ts";

export const grants: readonly Route[] = [
  {
    method: "GET",
    path: "/grants",
    scopes: ["read:grants"],
    query: [...pageQuery, "user_id", "client_id", "audience"],
    run: (call) => {
      const wanted = (name: string, value: unknown) =>
        !call.query.has(name) || call.query.get(name) === value;
      const found = [...call.tenant.grants.values()].filter(
        (grant) =>
          wanted("user_id", grant.user_id) &&
          wanted("client_id", grant.clientID) &&
          wanted("audience", grant.audience),
      );
      return ok(page(call, "grants", found));
    },
  },
  {
    method: "DELETE",
    path: "/grants",
    scopes: ["delete:grants"],
    query: ["user_id"],
    run: ({ tenant, query }) => {
      const user = query.get("user_id");
      if (!user) throw invalidQuery("Missing required property: user_id");
      for (const [id, { user_id }] of tenant.grants) if (user_id === user) tenant.grants.delete(id);
      return noContent();
    },
  },
  {
    method: "DELETE",
    path: "/grants/:id",
    scopes: ["delete:grants"],
    run: ({ tenant, params }) => {
      tenant.grants.delete(params.id!);
      return noContent();
    },
  },
];
