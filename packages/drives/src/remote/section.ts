const units: Readonly<Record<string, number>> = {
  "": 1024,
  B: 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
};

/**
 * A size as rclone.conf has it: `10Mi`, `1.5G` (the same kind of unit), `512B`, and KiB where there is none.
 * @returns bytes @throws Error that names the key
 */
export function sizeOf(section: Readonly<Record<string, string>>, key: string): number | undefined {
  const text = section[key]?.trim();
  if (text === undefined || text === "") return undefined;
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([bkmgtp]?)(?:i?b?)?$/i.exec(text) ?? [];
  const factor = units[unit.toUpperCase()];
  if (number === "" || factor === undefined) throw new Error(`${key} = ${text} is no size, such as 10Mi`);
  return Math.floor(Number(number) * factor);
}

/** @throws Error that names the key */
export function booleanOf(section: Readonly<Record<string, string>>, key: string): boolean | undefined {
  const text = section[key]?.trim().toLowerCase();
  if (text === undefined || text === "") return undefined;
  if (["true", "1", "t"].includes(text)) return true;
  if (["false", "0", "f"].includes(text)) return false;
  throw new Error(`${key} = ${section[key]} must be true or false`);
}
