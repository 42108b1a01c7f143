import { byId, encoded } from "../read/lists.ts";
import { equalTo } from "../read/request.ts";
import { type SearchedList, searched } from "../read/search.ts";
import { boolean, jsonb, type Kind, text, timestamptz } from "./kind.ts";

const logPath = (id: string) => `/logs/${encoded(id)}`;

const logList: SearchedList = {
  path: "/logs",
  name: "logs",
  id: "log_id",
  date: "date",
  searchable: {
    texts: new Set(["type", "user_id", "client_id"]),
    folded: new Set(),
    booleans: new Set(),
    numbers: new Set(),
    dates: new Set(["date"]),
  },
  sortable: new Set(),
};

export const logs: Kind = {
  name: "logs",
  attributes: {
    log_id: text,
    date: timestamptz,
    type: text,
    description: text,
    connection: text,
    connection_id: text,
    client_id: text,
    client_name: text,
    ip: text,
    hostname: text,
    user_id: text,
    user_name: text,
    audience: text,
    scope: text,
    strategy: text,
    strategy_type: text,
    isMobile: boolean,
    user_agent: text,
    details: jsonb,
    security_context: jsonb,
    location_info: jsonb,
  },
  key: ["log_id"],
  read(request) {
    const ids = equalTo(request, "log_id");
    return ids ? byId(request.api, ids, logPath) : searched(logList, request);
  },
};
