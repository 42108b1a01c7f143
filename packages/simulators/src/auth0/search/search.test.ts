import { expect, test } from "vitest";
import type { Item } from "../route.ts";
import { userSchema } from "./match.ts";
import { search } from "./search.ts";

const users: readonly Item[] = [
  {
    user_id: "auth0|1",
    email: "Jane.Smith@Example.com",
    name: "Jane Smith",
    nickname: 'j "quoted" \\ s',
    created_at: "2018-01-15T10:00:00.000Z",
    logins_count: 150,
    blocked: true,
    identities: [{ connection: "db", provider: "auth0" }],
    app_metadata: { plan: "gold", tags: ["A", "b"], empty: {}, none: null },
    user_metadata: { addresses: [{ city: "Paris" }, { city: "Rome" }], age: 7, vip: true },
  },
  {
    user_id: "google-oauth2|2",
    email: "john@usa.example.com",
    name: "john usa",
    created_at: "2018-01-16T00:00:00.000Z",
    logins_count: 0,
    identities: [{ connection: "google", provider: "google-oauth2" }],
    app_metadata: {},
  },
  {
    user_id: "auth0|3",
    email: "a+b@x.org",
    name: "Jo*n",
    created_at: "2019-06-01T12:30:15.123Z",
  },
];

const find = (q: string) =>
  search(users, { q, sort: null }, userSchema).map((user) => String(user.user_id).split("|")[1]);

test.each<[string, string]>([
  // Whole values, never words; the five names of a profile without regard to case, all else with it.
  ['name:"jane smith"', "1"],
  ["name:jane", ""],
  ["name:jane\\ smith", "1"],
  ['email:"JANE.smith@example.COM"', "1"],
  ["user_id:auth0", ""],
  ['user_id:"auth0|1"', "1"],
  ['user_id:"AUTH0|1"', ""],
  ['app_metadata.plan:"Gold"', ""],
  ['app_metadata.plan:"gold"', "1"],
  ['nickname:"j \\"quoted\\" \\\\ s"', "1"],
  ['email:"a+b@x.org"', "3"],
  ["email.domain:example.com", "1"],
  // Types.
  ["blocked:true", "1"],
  ["blocked:false", ""],
  ["logins_count:0", "2"],
  ["user_metadata.age:7", "1"],
  ["user_metadata.vip:true", "1"],
  ["app_metadata.tags:b", "1"],
  ["user_metadata.addresses.city:Rome", "1"],
  ["identities.connection:google", "2"],
  ["picture.size:1", ""],
  // Wildcards.
  ["name:j*", "123"],
  ["name:*usa", "2"],
  ["user_id:auth0*", "13"],
  ["name:jo\\*n", "3"],
  ["user_id:*", "123"],
  // Ranges: a date without its smaller parts is its first or last moment.
  ["logins_count:[100 TO 200}", "1"],
  ["logins_count:{0 TO *]", "1"],
  ["created_at:[2018-01-16 TO *]", "23"],
  ["created_at:{2018-01-15 TO *]", "23"],
  ["created_at:[* TO 2018-01-15]", "1"],
  ["created_at:[* TO 2018-01-15}", ""],
  ["created_at:[2018-01-15T10\\:00\\:00.001Z TO 2018-12]", "2"],
  ["created_at:[2019-06-01T12\\:30\\:15.123Z TO 2019-06-01T12\\:30\\:15.123Z]", "3"],
  // Presence.
  ["_exists_:logins_count", "12"],
  ["_exists_:app_metadata", "1"],
  ["_exists_:app_metadata.empty", ""],
  ["_exists_:app_metadata.none", ""],
  ["NOT _exists_:logins_count", "3"],
  // NOT before AND before OR.
  ["(NOT _exists_:logins_count OR logins_count:0)", "23"],
  ['blocked:true OR logins_count:0 AND name:"nobody"', "1"],
  ['(blocked:true OR logins_count:0) AND name:"nobody"', ""],
  ["name:j* AND NOT blocked:true", "23"],
  ["name:j* AND NOT (blocked:true OR logins_count:0)", "3"],
  ["name:j* OR NOT blocked:true", "123"],
  ["-blocked:true", "23"],
  ['user_id:("auth0|1" OR "auth0|3")', "13"],
  ['"john usa"', "2"],
  ['"Paris"', ""],
])("q=%s finds %s", (q, expected) => {
  expect(find(q).join("")).toBe(expected);
});

test.each([
  ["the half of a query", 'name:"jane'],
  ["a wildcard in front of less than 3 characters", "name:*sa"],
  ["the wildcard ?", "name:jan?"],
  ["wildcards on metadata", "user_metadata.city:Pa*"],
  ["ranges on metadata", "app_metadata.level:[1 TO 2]"],
  ["ranges on text", "name:[a TO b]"],
  ["fuzzy searches", "name:jane~1"],
  ["a date that is none", "created_at:[yesterday TO *]"],
])("%s: refused", (_, q) => {
  expect(() => find(q)).toThrow(expect.objectContaining({ status: 400, errorCode: "invalid_query_string" }));
});

test("sort: objects without the field last, both ways; never by metadata", () => {
  const sorted = (sort: string) =>
    search(users, { q: null, sort }, userSchema)
      .map((user) => String(user.user_id).split("|")[1])
      .join("");
  expect(sorted("logins_count:1")).toBe("213");
  expect(sorted("logins_count:-1")).toBe("123");
  expect(sorted("created_at:-1")).toBe("321");
  expect(sorted("name:1")).toBe("132");
  expect(() => sorted("user_metadata.age:1")).toThrow();
  expect(() => sorted("name")).toThrow();
});
