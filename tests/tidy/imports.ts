/**
 * Reads what each file imports and holds it against the import table.
 *
 * @module
 */
import { posix } from "node:path";
import ts from "typescript";
import { IMPORT_TABLE, type Room } from "./import-table.ts";
import { type Fault, isTest, type SourceText } from "./repository.ts";

interface Import {
  readonly specifier: string;
  /** The compiler erases it. */
  readonly typeOnly: boolean;
}

/** The TypeScript in a file: all of it, or the script blocks of a component. */
function scriptOf(file: SourceText): string {
  if (!file.path.endsWith(".svelte")) return file.text;
  return [...file.text.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1] ?? "").join("\n");
}

function isTypeOnlyImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  if (clause.name !== undefined || named === undefined || !ts.isNamedImports(named)) return false;
  return named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly);
}

function isImportMetaUrl(node: ts.Expression | undefined): boolean {
  return node !== undefined && ts.isPropertyAccessExpression(node) && ts.isMetaProperty(node.expression);
}

/** The module that a node asks for, if it is any form of import, re-export or `new URL("…", import.meta.url)`. */
function importOf(node: ts.Node): Import | undefined {
  const made = (specifier: ts.Node | undefined, typeOnly: boolean): Import | undefined =>
    specifier !== undefined && ts.isStringLiteralLike(specifier) ? { specifier: specifier.text, typeOnly } : undefined;
  if (ts.isImportDeclaration(node)) return made(node.moduleSpecifier, isTypeOnlyImport(node.importClause));
  if (ts.isExportDeclaration(node)) return made(node.moduleSpecifier, node.isTypeOnly);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return made(node.argument.literal, true);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return made(node.arguments[0], false);
  }
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "URL") {
    return isImportMetaUrl(node.arguments?.[1]) ? made(node.arguments?.[0], false) : undefined;
  }
  return undefined;
}

/** Everything a file imports, in order. */
export function importsOf(file: SourceText): readonly Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const one = importOf(node);
    if (one !== undefined) found.push(one);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file.path, scriptOf(file), ts.ScriptTarget.ESNext, false, ts.ScriptKind.TS));
  return found;
}

function isRoom(name: string | undefined): name is Room {
  return name !== undefined && Object.hasOwn(IMPORT_TABLE, name);
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Whether a file of `from` may import this. A test beside the code counts as a file of tests. */
function isAllowed(from: Room, path: string, wanted: Import): boolean {
  const row = IMPORT_TABLE[from];
  const { specifier, typeOnly } = wanted;
  if (/^[./]/.test(specifier)) {
    const bare = specifier.replace(/[?#].*$/, "");
    const target = bare.startsWith("/") ? bare.slice(1) : posix.join(posix.dirname(path), bare);
    const to = target.split("/")[0];
    // What lies in no room (built files, package.json, public/) has no row to break.
    if (!isRoom(to) || to === from) return true;
    return row.may.some(
      ({ room, files, typesAnywhere }) =>
        room === to && (files === undefined || files.test(target) || (typesAnywhere === true && typeOnly)),
    );
  }
  if (specifier.startsWith("node:")) return row.node;
  if (specifier.startsWith("virtual:")) return from === "web" || from === "tests";
  return row.packages === "any" || row.packages.includes(packageOf(specifier));
}

/** One fault per import that the table does not allow. */
export function importFaults(files: readonly SourceText[]): Fault[] {
  return files.flatMap((file) => {
    const room = file.path.split("/")[0];
    // AssemblyScript has its own modules; only its compiler sees them.
    if (!isRoom(room) || !/\.(ts|mjs|svelte)$/.test(file.path) || file.path.startsWith("kernels/assembly/")) return [];
    const from = isTest(file.path) ? "tests" : room;
    return importsOf(file)
      .filter((wanted) => !isAllowed(from, file.path, wanted))
      .map(({ specifier }) => `${file.path} imports "${specifier}": ${IMPORT_TABLE[from].why}`);
  });
}
