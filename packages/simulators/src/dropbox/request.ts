import type { z } from "zod";
import { type Call, readBody, TooLarge } from "../drives/call.ts";
import { pathRoot } from "./args.ts";
import type { Drive, Item } from "./drive.ts";
import { ApiError, badRequest, errorBody, tagged } from "./errors.ts";
import type { Route } from "./route.ts";
import { rootInfo } from "./routes/account.ts";

/**
 * The argument of a call, read as strictly as the service does.
 * @param utf8Headers takes other than ASCII in headers
 * @throws ApiError 400
 */
export async function readArg(route: Route, call: Call, utf8Headers = false): Promise<unknown> {
  const { name, style, arg } = route;
  const fail = (message: string) => badRequest(`Error in call to API function "${name}": ${message}`);
  const type = call.headers["content-type"]?.replace(/;.*$/, "").trim().toLowerCase();
  const expect = (...types: string[]) => {
    if (type !== undefined && types.includes(type)) return;
    const known = types.map((each) => `"${each}"`).join(", ");
    throw fail(`Bad HTTP "Content-Type" header: "${type ?? ""}". Expecting one of ${known}.`);
  };
  if (style === "rpc") {
    const text = (await readText(call)).trim();
    if (arg) expect("application/json");
    else if (text === "" && type === undefined) return undefined;
    const value = json(text, () => fail("request body: could not decode input as JSON"));
    if (arg) return parse(arg, value, (message) => fail(`request body: ${message}`));
    if (value !== null) throw fail("request body: expected null, got value");
    return undefined;
  }
  if (style === "upload") expect("application/octet-stream");
  else if (type !== undefined) expect("", "text/plain", "application/octet-stream");
  const header = call.headers["dropbox-api-arg"]?.toString();
  // Node takes each byte of a header for a character.
  const decoded = header && utf8Headers ? Buffer.from(header, "latin1").toString() : header;
  const text = decoded ?? (style === "download" ? call.query.get("arg") : null);
  if (text === null) throw fail('Must provide HTTP header "Dropbox-API-Arg" or URL parameter "arg".');
  if (header !== undefined && !utf8Headers && !/^[\x20-\x7e]*$/.test(header))
    throw fail('HTTP header "Dropbox-API-Arg": could not decode input as JSON');
  const value = json(text, () => fail('HTTP header "Dropbox-API-Arg": could not decode input as JSON'));
  return parse(arg!, value, (message) => fail(`HTTP header "Dropbox-API-Arg": ${message}`));
}

/** The folder where the paths of a call begin, by its `Dropbox-API-Path-Root`. @throws ApiError 400, 422 */
export function viewOf(drive: Drive, header: string | string[] | undefined): Item {
  if (header === undefined) return drive.home;
  const fail = (message: string) => badRequest(`Invalid "Dropbox-API-Path-Root" header: ${message}`);
  const root = parse(
    pathRoot,
    json(String(header), () => fail("could not decode input as JSON")),
    fail,
  );
  if (root[".tag"] === "home") return drive.home;
  if (root[".tag"] === "namespace_id") {
    const folder = drive.namespace(root.namespace_id);
    if (folder) return folder;
    throw new ApiError(422, errorBody(tagged("no_permission")));
  }
  if (root.root === drive.root.data.namespace) return drive.root;
  throw new ApiError(422, errorBody(tagged("invalid_root", rootInfo(drive))));
}

async function readText(call: Call): Promise<string> {
  try {
    return (await readBody(call)).toString();
  } catch (error) {
    if (error instanceof TooLarge) throw new ApiError(413, "Request Entity Too Large\n");
    throw error;
  }
}

function json(text: string, error: () => ApiError): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw error();
  }
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  error: (message: string) => ApiError,
): z.output<Schema> {
  const { success, data, error: issues } = schema.safeParse(value);
  if (success) return data;
  const [first] = issues.issues;
  throw error(`${first!.path.join(".")}: ${first!.message}`);
}
