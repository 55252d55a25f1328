import { describe, expect, it } from "vitest";
import { commentFaults, moduleFaults } from "./comments.ts";
import { codeFiles } from "./repository.ts";

describe("comments", () => {
  it("open every file that is not a test", () => {
    expect(moduleFaults(codeFiles())).toEqual([]);
  });

  it("stand above everything that core exports", () => {
    expect(commentFaults(codeFiles())).toEqual([]);
  });

  it("are missed at the top of a file", () => {
    const withMark = { path: "core/a.ts", text: "/** What it is.\n * @module */\nexport {};\n" };
    const late = { path: "core/b.ts", text: "import './c.ts';\n/** Late.\n * @module */\n" };
    const another = { path: "core/c.ts", text: "/** A first. */\nconst a = 1;\n/** @module */\n" };
    expect(moduleFaults([withMark, late, another]).map((fault) => fault.split(" ")[0])).toEqual([
      "core/b.ts",
      "core/c.ts",
    ]);
  });

  it("are missed above an export, the file's own comment does not count", () => {
    const text = `/** The file.
 * @module */
export const A = 1;
/** Said. */
export function b(): void {}
export function c(): void {}
export interface D {}
// not a doc comment
export type E = 1;
const hidden = 1;
`;
    expect(commentFaults([{ path: "core/a.ts", text }])).toEqual([
      "core/a.ts exports A without a doc comment",
      "core/a.ts exports c without a doc comment",
      "core/a.ts exports D without a doc comment",
      "core/a.ts exports E without a doc comment",
    ]);
  });

  it("of a file speak for its only export", () => {
    expect(commentFaults([{ path: "core/a.ts", text: "/** One.\n * @module */\nexport interface A {}\n" }])).toEqual(
      [],
    );
    expect(commentFaults([{ path: "core/a.ts", text: "export interface A {}\n" }])).toHaveLength(1);
  });

  it("are shared by constants on consecutive lines and by overloads, and end at a blank line", () => {
    const text = `/** Bytes. */
export const A = 1;
export const B = 2;

export const C = 3;
/** Said. */
export function f(x: string): void;
export function f(x: number): void;
export function f(): void {}
`;
    expect(commentFaults([{ path: "core/a.ts", text }])).toEqual(["core/a.ts exports C without a doc comment"]);
  });
});
