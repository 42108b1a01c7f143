import { createHmac, hash } from "node:crypto";
import { type Headers, head, type Keys, sign } from "./requests.ts";
import { seeded } from "./state.ts";

/** What the requests are aimed at: keys that are right, an upload of `/bucket/never`, and the object `/bucket/kept`. */
export interface Target {
  readonly keys: Keys;
  readonly upload: string;
  readonly kept: string;
}

/**
 * Makers of random requests by what is wrong with them, the same ones for the same seed. No request that a server
 * may take creates anything: at most it writes to `/bucket/kept` again what is there.
 */
export function hostileRequests({ keys, upload, kept }: Target, seed: number): Record<string, () => string> {
  const { below, pick } = seeded(seed);
  const chance = (percent: number) => below(100) < percent;
  const text = (longest: number, from = 0, to = 256) =>
    Array.from({ length: below(longest + 1) }, () => String.fromCharCode(from + below(to - from))).join("");

  /** Changes some places of a text. */
  function broken(whole: string, most = 3): string {
    let out = whole;
    for (let count = 1 + below(most); count > 0; count--) {
      const at = below(out.length + 1);
      const gone = pick([0, 0, 1, 1, 5, 50]);
      out =
        out.slice(0, at) + pick([text(1), text(4), "", out.slice(at, at + below(30))]) + out.slice(at + gone);
    }
    return out;
  }

  /** A request with the right signature. */
  function rightlySigned(
    method: string,
    target: string,
    { headers = {}, body = "", payloadHash }: { headers?: Headers; body?: string; payloadHash?: string } = {},
  ) {
    const length = { "content-length": String(body.length) };
    const sum = payloadHash ?? hash("sha256", Buffer.from(body, "latin1"));
    const clean = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        value
          .replace(/[\r\n\0]/g, "")
          .trim()
          .replace(/ +/g, " "),
      ]),
    );
    return head(method, target, sign(keys, method, target, { ...clean, ...length }, sum).headers) + body;
  }

  const verbs = [
    "GET",
    "HEAD",
    "PUT",
    "POST",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "M-SEARCH",
  ];
  const names =
    "acl attributes cors delete encryption lifecycle location logging notification object-lock partNumber policy policyStatus prefix renameObject replication requestPayment tagging torrent uploadId versionId versioning versions website marker key-marker upload-id-marker max-keys max-parts max-uploads part-number-marker list-type continuation-token start-after fetch-owner encoding-type delimiter response-content-type response-expires response-cache-control x-id X-Amz-Algorithm X-Amz-Signature AWSAccessKeyId Signature __proto__ constructor".split(
      " ",
    );
  const values = () =>
  pick([
    "", "0", "1", "-1", "2", "1e3", "NaN", "Infinity", "99999999999999999999", "0x10", "true", "null", "url", "/", "%00",
    "%", "%zz", "%e4", "%ff%fe", "%ed%a0%80", "%f4%90%80%80", "+", "..", "../../etc/passwd", "%2e%2e%2f", "%0d%0aX:y",
    "a=b=c", upload, Buffer.from(text(12)).toString("base64url"), "kaaa", encodeURIComponent(text(8, 0, 0x3000)),
  ]); // biome-ignore format: a table
  const query = () => Array.from({ length: below(5) }, () => `${pick(names)}=${values()}`).join("&");
  const paths = () =>
  pick([
    "/", "/bucket", "/bucket/", "/bucket/kept", "/bucket/never", "/nobucket/never", "//", "/bucket//", "/bucket/never/",
    "/..", "/../bucket", "/bucket/../../never", "/bucket/%2e%2e/%2e%2e/never", "/bucket/%", "/bucket/%zz", "/bucket/%ff",
    "/bucket/%00", "/%00", "/bucket/.overcoat/bucket.json", "/.overcoat/tmp/a", "/bucket/%ed%a0%80", "/bucket%2fnever/a",
    "/__proto__/never", "/constructor", `/bucket/${"n".repeat(below(1500))}`, `/bucket/${"a/".repeat(below(700))}`,
  ]); // biome-ignore format: a table

  const document = {
    delete:
      "<Delete><Object><Key>never</Key><VersionId>null</VersionId><ETag>x</ETag></Object><Quiet>true</Quiet></Delete>",
    complete: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"x"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>`,
    cors: "<CORSConfiguration><CORSRule><ID>a</ID><AllowedOrigin>http://*.a</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>etag</ExposeHeader><MaxAgeSeconds>10</MaxAgeSeconds></CORSRule></CORSConfiguration>",
    tags: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    policy: `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":["*"]},"Action":"s3:GetObject","Resource":["arn:aws:s3:::bucket/*"]}]}`,
  };
  const entities = [
    "&#xD800;",
    "&#x110000;",
    "&#0;",
    "&#99999999999;",
    "&a;",
    "&amp;",
    "<![CDATA[x]]>",
    "<!--x-->",
    "<?x?>",
  ];
  const wrappings: ((xml: string) => string)[] = [
    (xml) => broken(xml),
    (xml) => xml.replace(/>[^<>]+</g, () => `>${pick(entities)}<`),
    (xml) => xml.replace(/<(\w+)>/, `<$1 xmlns="${text(20, 32, 127).replace(/["<&]/g, "")}">`),
    (xml) => `<!DOCTYPE x [<!ENTITY a "${"&a;".repeat(5)}">]>${xml}`,
    (xml) => "<a>".repeat(below(400)) + xml,
    (xml) => `${"<a>".repeat(400)}${"</a>".repeat(400)}${xml}`,
    (xml) => xml.replace(/<Key>/g, "<__proto__>").replace(/<\/Key>/g, "</__proto__>"),
    (xml) => xml.replace(/<(Object|Part|Tag|CORSRule)>/, () => "<$1/>".repeat(below(5000))),
    (xml) =>
      xml.replace(/(<(?:Object|Part|Tag|CORSRule)>.*<\/(?:Object|Part|Tag|CORSRule)>)/, (all) =>
        all.repeat(below(1200)),
      ),
    () => text(3000),
    () => "",
  ];
  const hostile = (xml: string) => pick(wrappings)(xml);

  function form(): string {
    const boundary = pick(["b", "x".repeat(70), `a${text(20, 97, 123)}`]);
    const expiration = new Date(Date.now() + pick([-1, 1]) * 3_600_000).toISOString();
    const failing = ["eq", "$key", "impossible"];
    const conditions = [
      ["starts-with", "$key", ""],
      ["content-length-range", below(9), pick([below(9), "5", -1, "x", null])],
      { bucket: "bucket" },
      pick<unknown>([
        { [text(5)]: text(5) },
        [text(3)],
        [[[[]]]],
        null,
        5,
        [],
        {},
        ["eq", "key", "x"],
        ["EQ", "$__proto__", "x"],
      ]),
      failing,
    ];
    const plain = JSON.stringify({ expiration, conditions });
    const policy = Buffer.from(
      chance(40) ? broken(plain).replace(/impossible/, "impossible") : plain,
    ).toString("base64");
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
    const key = scope
      .split("/")
      .reduce<string | Buffer>(
        (one, part) => createHmac("sha256", one).update(part).digest(),
        `AWS4${keys.secretAccessKey}`,
      );
    // A policy that lost its failing condition by chance would be a right one.
    const signature =
      plain.includes("impossible") && Buffer.from(policy, "base64").includes('["eq","$key","impossible"]')
        ? createHmac("sha256", key).update(policy).digest("hex")
        : "0".repeat(64);
    const fields: [string, string][] = [
      ["key", pick(["never", `a$${"{filename}"}`, text(30, 32, 127), "../never", ""])],
      ["policy", policy],
      ["x-amz-algorithm", "AWS4-HMAC-SHA256"],
      ["x-amz-credential", `${keys.accessKeyId}/${scope}`],
      ["x-amz-date", date],
      ["x-amz-signature", signature],
      [
        pick([
          "tagging",
          "x-amz-meta-a",
          "content-type",
          "success_action_redirect",
          "success_action_status",
          text(8, 97, 123),
        ]),
        chance(80) ? text(30, 32, 127) : text(30),
      ],
    ];
    const parts = fields
      .filter(() => chance(95))
      .map(
        ([name, value]) =>
          `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      );
    const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${text(10, 48, 123)}"\r\n\r\nnever\r\n--${boundary}--\r\n`;
    const body = parts.join("") + file;
    const sent = chance(30) ? broken(body) : body;
    const type = `multipart/form-data; boundary=${pick([boundary, `"${boundary}"`, `"${boundary}"`, chance(20) ? '"\\"' : boundary])}`;
    return (
      head("POST", "/bucket", { host: "a", "content-type": type, "content-length": String(sent.length) }) +
      sent
    );
  }

  function awsChunked(): string {
    const hashes = [
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "STREAMING-NONE",
      text(20, 33, 127),
    ];
    const headers = {
      "content-encoding": "aws-chunked",
      // Wrong for any body.
      "content-md5": `${"A".repeat(22)}==`,
      "x-amz-decoded-content-length": pick(["3", "0", "-1", "x", "99999999999999999999", ""]),
      "x-amz-trailer": pick(["x-amz-checksum-crc32", "x-amz-checksum-none", ""]),
    };
    const signature = `;chunk-signature=${"0".repeat(64)}`;
    const body = `3${pick(["", signature])}\r\nabc\r\n0${pick(["", signature])}\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n`;
    return rightlySigned("PUT", "/bucket/never", { headers, body: broken(body), payloadHash: pick(hashes) });
  }

  function wrongHeaders(): Headers {
    const all: Headers = {
      range: pick([
        "bytes=",
        "bytes=-",
        "bytes=9-1",
        "bytes=0-0,2-3",
        "bytes=99999999999999999999-",
        "x",
        "bytes=-0",
      ]),
      "if-match": pick(["", '"', "*", ",,,", 'W/"x"', text(20, 32, 256)]),
      "if-modified-since": pick(["", "yesterday", "99999999999999999999", text(9, 32, 127)]),
      "x-amz-object-attributes": pick(["", "ETag,,", "ObjectParts", text(9, 32, 127)]),
      "x-amz-max-parts": pick(["-1", "x", "1e9", ""]),
      "x-amz-part-number-marker": pick(["-1", "x", "1e9", ""]),
      "x-amz-checksum-mode": pick(["ENABLED", "x"]),
      "content-md5": pick(["", "x", "AAAA", text(30, 33, 127)]),
      "x-amz-checksum-crc32": pick(["", "x", "AAAAAA==", text(9, 33, 127)]),
      "x-amz-sdk-checksum-algorithm": pick(["CRC32", "MD5", "", text(9, 33, 127)]),
      "x-amz-tagging": pick(["a", "a=b&a=c", "%", "&&", "=".repeat(50), text(30, 33, 127)]),
      "x-amz-acl": pick(["private", "public-read", text(9, 33, 127)]),
      "x-amz-metadata-directive": pick(["COPY", "REPLACE", "x"]),
      origin: pick(["http://x.a", "null", text(20, 33, 127)]),
      "access-control-request-method": pick(["GET", "x", ""]),
      "access-control-request-headers": text(30, 33, 127),
      expect: pick(["100-continue", "100-continue", "x"]),
      "content-type": text(20, 33, 256),
      "x-amz-meta-ä": "x",
    };
    return Object.fromEntries(
      Object.entries(all).filter(([name]) => /^[\x21-\x7e]+$/.test(name) && chance(25)),
    );
  }

  return {
    noise: () => text(400),
    "request line": () => `${broken(`${pick(verbs)} ${paths()} HTTP/1.1`)}\r\nhost: a\r\n\r\n`,
    version: () =>
      pick([
        "GET /\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
      ]),
    verb: () =>
      `${pick([...verbs, text(8, 65, 91)])} ${paths()}?${query()} HTTP/1.1\r\nhost: a\r\ncontent-length: ${below(3)}\r\n\r\n`,
    "header lines": () =>
      broken(
        head(pick(verbs), paths(), {
          host: "a",
          authorization: text(50, 32, 256),
          "x-a": text(300, 32, 256),
        }),
        6,
      ),
    "many headers": () =>
      head(
        "GET",
        "/bucket/kept",
        Object.fromEntries(Array.from({ length: below(3000) }, (_, i) => [`x-amz-${i}`, text(9, 97, 123)])),
      ),
    "huge header": () =>
      head("GET", "/bucket/kept", { host: "a", "x-amz-meta-a": "x".repeat(below(200_000)) }),
    "twice the same": () =>
      `GET /bucket/kept HTTP/1.1\r\n${`${pick(["host: a", "authorization: AWS4-HMAC-SHA256 x=y", "content-length: 0", "x-amz-date: x", "transfer-encoding: chunked"])}\r\n`.repeat(2 + below(50))}\r\n`,
    authorization: () => {
      const right = sign(keys, "GET", "/bucket/kept", {}, "UNSIGNED-PAYLOAD").headers;
      const name = pick(["authorization", "x-amz-date", "x-amz-content-sha256", "host"]);
      return head("GET", "/bucket/kept", {
        ...right,
        [name]: broken(right[name]!, 2).replace(/[\r\n]/g, ""),
      });
    },
    "signature in the query": () => {
      const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
      const right = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${keys.accessKeyId}/${date.slice(0, 8)}/us-east-1/s3/aws4_request&X-Amz-Date=${date}&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=${"0".repeat(64)}`;
      const older = `AWSAccessKeyId=${keys.accessKeyId}&Expires=${pick(["1", "x", "99999999999"])}&Signature=${text(20, 48, 91)}`;
      return head("GET", `/bucket/kept?${broken(pick([right, older])).replace(/[\s\0]/g, "")}`, {
        host: "a",
      });
    },
    reading: () =>
      rightlySigned(
        pick(["GET", "GET", "HEAD"]),
        `${pick([paths(), "/bucket/kept", "/bucket"])}?${query()}`,
        { headers: wrongHeaders() },
      ),
    preflight: () => head("OPTIONS", `${paths()}?${query()}`, { host: "a", ...wrongHeaders() }),
    "refused writing": () =>
      rightlySigned(pick(["PUT", "POST", "DELETE"]), `/nobucket/never?${query()}`, {
        headers: wrongHeaders(),
        body: text(50),
      }),
    copying: () =>
      rightlySigned(
        "PUT",
        `/bucket/never${pick(["", "?renameObject=", `?partNumber=1&uploadId=${upload}`])}`,
        {
          headers: {
            ...wrongHeaders(),
            "x-amz-copy-source": pick([
              "",
              "/",
              "bucket",
              "%",
              "%ff",
              "bucket/%ed%a0%80",
              "bucket/none?versionId=x",
              text(30, 33, 256),
            ]),
            "x-amz-rename-source": pick(["", "%", "%ff", "none", text(30, 33, 256)]),
            "x-amz-copy-source-range": pick(["bytes=", "bytes=9-1", "x"]),
          },
        },
      ),
    part: () =>
      rightlySigned(
        "PUT",
        `/bucket/never?partNumber=${values()}&uploadId=${pick([upload.slice(1), "../..", values()])}`.replace(
          /[\s]/g,
          "",
        ),
        { body: "x" },
      ),
    deleting: () => {
      const body = hostile(document.delete);
      const md5 = chance(90) ? hash("md5", Buffer.from(body, "latin1"), "base64") : pick(["AAAA", ""]);
      return rightlySigned("POST", "/bucket?delete=", { body, headers: { "content-md5": md5 } });
    },
    completing: () =>
      rightlySigned("POST", `/bucket/never?uploadId=${upload}`, {
        body: hostile(document.complete),
        headers: chance(20) ? wrongHeaders() : {},
      }),
    cors: () => rightlySigned("PUT", "/bucket?cors=", { body: hostile(document.cors) }),
    tagging: () =>
      rightlySigned("PUT", `/bucket${pick(["", "/never"])}?tagging=`, { body: hostile(document.tags) }),
    policy: () =>
      rightlySigned("PUT", "/bucket?policy=", {
        body: pick([
          () => broken(document.policy),
          () => "[".repeat(below(20_000)),
          () => text(500),
          () => hostile(document.cors),
        ])(),
      }),
    form,
    "aws-chunked": awsChunked,
    chunked: () => {
      const headers = { "transfer-encoding": "chunked", "x-amz-checksum-crc32": "AAAAAA==" };
      const { headers: all } = sign(keys, "PUT", "/bucket/never", headers, "UNSIGNED-PAYLOAD");
      return (
        head("PUT", "/bucket/never", all) + broken("3\r\nabc\r\n5;x=y\r\nabcde\r\n0\r\ntrailer: x\r\n\r\n")
      );
    },
    pipelined: () => rightlySigned("GET", "/bucket/kept") + text(200) + rightlySigned("GET", "/bucket/kept"),
    "one byte": () => {
      // Where that byte does not matter, what is there is written again.
      const right = rightlySigned("PUT", "/bucket/kept", { body: kept });
      const at = below(right.length - kept.length + 50);
      return (
        right.slice(0, at) + String.fromCharCode(right.charCodeAt(at) ^ (1 << below(8))) + right.slice(at + 1)
      );
    },
  };
}
