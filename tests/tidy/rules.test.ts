import { describe, expect, it } from "vitest";
import { codeFiles, readText } from "./repository.ts";
import { definedRules, ruleFaults } from "./rules.ts";

describe("the numbered rules of the protocol", () => {
  it("are each named by a test, and tests name no others", () => {
    const tests = codeFiles().filter(({ path }) => path.endsWith(".test.ts") && !path.startsWith("tests/tidy/"));
    const document = readText("docs/protocol.md");
    expect(definedRules(document).length).toBeGreaterThan(0);
    expect(ruleFaults(document, tests)).toEqual([]);
  });

  it("are missed when no title names them, and when they do not exist or exist twice", () => {
    const document = "**AA-1** first\n**AA-2** second\ntext **AA-9** in a line\n**AA-3** third\n**AA-3** again\n";
    const text = `
      // it("[AA-2] in a comment")
      describe("[AA-3] group", () => {
        it.each([1])("[AA-1] case %s", () => { check("[AA-2] not a title"); });
        test(\`[AA-7, AA-8] \${1} template\`, () => {});
      });`;
    expect(ruleFaults(document, [{ path: "a.test.ts", text }])).toEqual([
      "docs/protocol.md defines AA-3 twice",
      "docs/protocol.md: no test proves AA-2",
      "a.test.ts names AA-7, which docs/protocol.md lacks",
      "a.test.ts names AA-8, which docs/protocol.md lacks",
    ]);
  });
});
