import { ApiError } from "../errors.ts";
import { beyondSearch, checkpointQuery, count, page, pageQuery, select } from "../paging.ts";
import { ok, type Route } from "../route.ts";
import { logSchema } from "../search/match.ts";
import { search } from "../search/search.ts";

export const logs: readonly Route[] = [
  {
    method: "GET",
    path: "/logs",
    scopes: ["read:logs", "read:logs_users"],
    query: [...pageQuery, ...checkpointQuery, "q", "sort", "fields", "include_fields", "search"],
    run: (call) => {
      const { query, tenant } = call;
      const from = query.get("from");
      // From a checkpoint, the other parameters are ignored and the oldest come first, as a plain array.
      if (from !== null) {
        const take = count(call, "take", "Number of results per page. Defaults to 50", 1, 100) ?? 50;
        const start = tenant.logs.findIndex(({ log_id }) => log_id === from) + 1;
        if (start === 0)
          throw new ApiError(
            400,
            "The checkpoint of the parameter 'from' is invalid",
            "invalid_query_string",
          );
        return ok(tenant.logs.slice(start, start + take));
      }
      const sort = query.get("sort") ?? "date:-1";
      const found = search(tenant.logs, { q: query.get("q"), sort }, logSchema);
      return ok(page(call, "logs", select(call, found), beyondSearch));
    },
  },
  {
    method: "GET",
    path: "/logs/:id",
    scopes: ["read:logs", "read:logs_users"],
    run: ({ tenant, params }) => {
      const log = tenant.logs.find(({ log_id }) => log_id === params.id);
      if (!log) throw new ApiError(404, "Log not found", "log_not_found");
      return ok(log);
    },
  },
];
