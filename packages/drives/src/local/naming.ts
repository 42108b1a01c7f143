const quote = "\u201b";
const special = /[\0\u2400\u201b/／]/;

/** Whether every segment of a path is surely written as it is: most are. */
export const isPlain = (path: string) =>
  /^[\x20-\x7e]*$/.test(path) && !path.startsWith(".") && !path.includes("/.");

/** The path on disk of a path. */
export const encodePath = (path: string) =>
  isPlain(path) ? path : path.split("/").map(encodeSegment).join("/");

/** The name on disk of a segment, as rclone's local backend writes it on Linux (Slash, Zero and Dot encoded). */
export function encodeSegment(segment: string): string {
  switch (segment) {
    case ".":
      return "．";
    case "..":
      return "．．";
    case "．":
      return `${quote}．`;
    case "．．":
      return `${quote}．${quote}．`;
  }
  if (!special.test(segment)) return segment;
  return segment.replace(/[\0\u2400\u201b/／]/g, (char) =>
    char === "\0" ? "\u2400" : char === "/" ? "／" : quote + char,
  );
}

/** The segment that a name on disk stands for: undoes `encodeSegment`, and takes any other name as rclone does. */
export function decodeSegment(name: string): string {
  switch (name) {
    case "．":
      return ".";
    case "．．":
      return "..";
    case `${quote}．`:
      return "．";
    case `${quote}．${quote}．`:
      return "．．";
  }
  if (!/[\u2400\u201b／]/.test(name)) return name;
  return name.replace(/\u201b([\u2400\u201b／])|[\u2400／]/g, (match, quoted: string | undefined) =>
    quoted !== undefined ? quoted : match === "／" ? "/" : "\0",
  );
}

/** The segment of a name found on disk; undefined when no path can lead to that name. */
export function reachableSegment(name: string): string | undefined {
  const segment = decodeSegment(name);
  return !segment.includes("/") && encodeSegment(segment) === name ? segment : undefined;
}
