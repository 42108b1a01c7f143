import type { Entity, Keyboard } from "./chats.ts";
import { badRequest } from "./errors.ts";
import type { Parameters } from "./parameters.ts";

const kinds = new Set([
  "bold",
  "italic",
  "underline",
  "strikethrough",
  "code",
  "pre",
  "text_link",
  "blockquote",
]);
const mostText = 4096;
const mostCaption = 1024;
const mostEntities = 100;
const mostCallbackData = 64;

/** `text` with `entities`. `parse_mode` is not known here: entities need no escaping. */
export function readText(parameters: Parameters): { text: string; entities?: readonly Entity[] } {
  const text = parameters.text("text");
  if (!text?.trim()) throw badRequest("message text is empty");
  if (text.length > mostText) throw badRequest("message is too long");
  const entities = readEntities(parameters, "entities", text);
  parameters.json("link_preview_options");
  return { text, ...(entities && { entities }) };
}

export function readCaption(parameters: Parameters): { caption?: string } {
  const caption = parameters.text("caption");
  if (caption !== undefined && caption.length > mostCaption) throw badRequest("message caption is too long");
  readEntities(parameters, "caption_entities", caption ?? "");
  return caption ? { caption } : {};
}

/** Offsets and lengths are in UTF-16 code units. */
function readEntities(parameters: Parameters, name: string, text: string): readonly Entity[] | undefined {
  const entities = parameters.json<Entity[]>(name);
  if (!entities?.length) return undefined;
  if (entities.length > mostEntities) throw badRequest("too many entities");
  for (const { type, offset, length } of entities) {
    if (!kinds.has(type)) throw badRequest(`unsupported entity type "${type}"`);
    if (!(offset >= 0 && length > 0 && offset + length <= text.length))
      throw badRequest(`entity of type ${type} lies outside of the text`);
  }
  return entities;
}

export function readKeyboard(parameters: Parameters): { reply_markup?: Keyboard } {
  const keyboard = parameters.json<Keyboard>("reply_markup");
  if (!keyboard?.inline_keyboard) return {};
  const rows = keyboard.inline_keyboard.filter((row) => row.length > 0);
  for (const { text, callback_data, url } of rows.flat()) {
    if (!text) throw badRequest("text buttons are unallowed in the inline keyboard");
    if ((callback_data === undefined) === (url === undefined)) throw badRequest("BUTTON_TYPE_INVALID");
    const size = Buffer.byteLength(callback_data ?? "-");
    if (size < 1 || size > mostCallbackData) throw badRequest("BUTTON_DATA_INVALID");
  }
  return rows.length === 0 ? {} : { reply_markup: { inline_keyboard: rows } };
}
