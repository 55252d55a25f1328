/**
 * Holds the numbered rules of docs/protocol.md against the tests that name them.
 *
 * @module
 */
import ts from "typescript";
import type { Fault, SourceText } from "./repository.ts";

const RULE = "[A-Z][A-Z0-9]*-\\d+";

/** The ids that a document defines, in order: lines that begin with `**ID-1**`. */
export function definedRules(document: string): readonly string[] {
  return [...document.matchAll(new RegExp(`^\\*\\*(${RULE})\\*\\*`, "gm"))].map((match) => match[1] ?? "");
}

/** The ids in a test's title: `[WIRE-3] rejects …`, `[WIRE-3, WIRE-4] …`. */
function rulesInTitle(title: string): readonly string[] {
  return [...title.matchAll(new RegExp(`\\[(${RULE}(?:[, ]+${RULE})*)\\]`, "g"))].flatMap(
    (match) => match[1]?.split(/[, ]+/) ?? [],
  );
}

function titleText(node: ts.Expression | undefined): string {
  if (node === undefined) return "";
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.head.text + node.templateSpans.map((s) => s.literal.text).join(" ") : "";
}

/** `it`, `test` and `describe`, also as `it.each(…)`. */
function isTestCall(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return /^(it|test|describe)$/.test(callee.text);
  return (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) && isTestCall(callee.expression);
}

/** The ids that the titles of a test file name. */
export function namedRules(file: SourceText): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTestCall(node.expression)) {
      found.push(...rulesInTitle(titleText(node.arguments[0])));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ESNext, false, ts.ScriptKind.TS));
  return found;
}

/** Rules defined twice, rules that no test names, and names of rules that do not exist. */
export function ruleFaults(document: string, tests: readonly SourceText[]): Fault[] {
  const defined = definedRules(document);
  const named = new Map(tests.flatMap((file) => namedRules(file).map((id) => [id, file.path] as const)));
  const known = new Set(defined);
  return [
    ...defined.filter((id, at) => defined.indexOf(id) !== at).map((id) => `docs/protocol.md defines ${id} twice`),
    ...[...known].filter((id) => !named.has(id)).map((id) => `docs/protocol.md: no test proves ${id}`),
    ...[...named]
      .filter(([id]) => !known.has(id))
      .map(([id, path]) => `${path} names ${id}, which docs/protocol.md lacks`),
  ];
}
