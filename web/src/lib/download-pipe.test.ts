import { describe, expect, it } from "vitest";
import { contentDisposition, downloadHeaders } from "./download-pipe.ts";

describe("a download's headers", () => {
  it.each([
    ["plain.txt", `attachment; filename="plain.txt"; filename*=UTF-8''plain.txt`],
    ['a"b\\c.txt', `attachment; filename="a_b_c.txt"; filename*=UTF-8''a%22b%5Cc.txt`],
    ["it's (1)*.txt", `attachment; filename="it_s (1)_.txt"; filename*=UTF-8''it%27s%20%281%29%2A.txt`],
    ["\u00fc\u{1f600}", `attachment; filename="___"; filename*=UTF-8''%C3%BC%F0%9F%98%80`],
    [
      "x\r\nSet-Cookie: a=b",
      `attachment; filename="x__Set-Cookie_ a=b"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3Db`,
    ],
    ["100%41.txt", `attachment; filename="100_41.txt"; filename*=UTF-8''100%2541.txt`],
    ["half \ud83d", `attachment; filename="half _"; filename*=UTF-8''half%20%EF%BF%BD`],
  ])("name %j in both ways that browsers read", (name, header) => {
    expect(contentDisposition(name)).toBe(header);
    expect(downloadHeaders(name, null).get("Content-Disposition")).toBe(header);
  });

  it("make any bytes inert, and tell a length only where there is one", () => {
    const headers = downloadHeaders("evil.html", 12);
    expect(headers.get("Content-Type")).toBe("application/octet-stream");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; sandbox");
    expect(headers.get("Content-Length")).toBe("12");
    expect(downloadHeaders("evil.html", null).has("Content-Length")).toBe(false);
  });
});
