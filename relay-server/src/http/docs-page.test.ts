import { expect, it } from "vitest";
import { renderDocs } from "./docs-page.ts";

it("[RELAY-29] shows a document as text, whatever is in it", () => {
  const page = renderDocs({
    info: { title: "<script>alert(1)</script>", version: "1" },
    paths: {
      "/x/{y}": { get: { summary: '"><img src=x>', parameters: [{ name: "<b>", in: "path", required: true }] } },
    },
    components: { schemas: { "<S>": { description: "a & b" } } },
  });
  expect(page).not.toMatch(/<script|<img|<b>/);
  expect(page).toContain("&lt;script&gt;");
  expect(page).toContain("GET /x/{y}");
});
