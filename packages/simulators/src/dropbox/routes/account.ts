import type { Drive } from "../drive.ts";
import { type Tagged, tagged } from "../errors.ts";
import { type Route, rpc } from "../route.ts";

export const account: readonly Route[] = [
  rpc("users/get_current_account", "account_info.read", undefined, ({ drive, options }) => ({
    account_id: "dbid:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    name: {
      given_name: "Stand-in",
      surname: "User",
      familiar_name: "Stand-in",
      display_name: "Stand-in User",
      abbreviated_name: "SU",
    },
    email: "user@stand-in.example",
    email_verified: true,
    disabled: false,
    locale: "en",
    referral_link: "https://www.dropbox.com/referrals/stand-in",
    is_paired: false,
    account_type: tagged(options.team ? "business" : "basic"),
    root_info: rootInfo(drive),
  })),

  rpc("users/get_space_usage", "account_info.read", undefined, ({ drive }) => ({
    used: drive.used,
    allocation: tagged("individual", { allocated: drive.quota }),
  })),

  rpc("auth/token/revoke", "", undefined, ({ call, tokens }) => {
    tokens.revoke(call.headers.authorization);
    return null;
  }),
];

/** Where the user's paths begin. */
export function rootInfo({ root, home }: Drive): Tagged {
  return tagged(root === home ? "user" : "team", {
    root_namespace_id: root.data.namespace,
    home_namespace_id: home.data.namespace,
    ...(root !== home && { home_path: `/${home.name}` }),
  });
}
