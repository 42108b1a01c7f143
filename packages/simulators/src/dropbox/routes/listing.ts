import * as args from "../args.ts";
import { type Route, rpc, wrapping } from "../route.ts";

const scope = "files.metadata.read";

export const listing: readonly Route[] = [
  rpc("files/list_folder", scope, args.listFolderArg, ({ arg, view, cursors }) =>
    wrapping({ lookup: "path" }, () => cursors.list(view, arg)),
  ),
  rpc("files/list_folder/get_latest_cursor", scope, args.listFolderArg, ({ arg, view, cursors }) =>
    wrapping({ lookup: "path" }, () => ({ cursor: cursors.latest(view, arg) })),
  ),
  rpc("files/list_folder/continue", scope, args.cursorArg, ({ arg, cursors }) =>
    wrapping({ lookup: "path" }, () => cursors.continue(arg.cursor)),
  ),
  rpc(
    "files/list_folder/longpoll",
    undefined,
    args.longpollArg,
    ({ arg, cursors }) => cursors.longpoll(arg.cursor, arg.timeout),
    "notify",
  ),
];
