/**
 * Checks that every file says what lives in it, and that every name core exports says what a caller needs to know.
 *
 * @module
 */
import ts from "typescript";
import { type Fault, isTest, type SourceText } from "./repository.ts";

const EXPLAINED = /^(core|shaders|kernels|platform|workers|web|relay-server|cli|scripts|bench|tests)\/.*\.(ts|mjs)$/;

/** Files of any room, tests apart, that do not open with a comment ending in `@module`. */
export function moduleFaults(files: readonly SourceText[]): Fault[] {
  return files
    .filter(({ path }) => EXPLAINED.test(path) && !/\.(test|d)\.ts$/.test(path))
    .filter(({ text }) => !/^(#!.*\n)?\/\*\*(?:(?!\*\/)[\s\S])*@module\s*\*\//.test(text))
    .map(({ path }) => `${path} does not open with a /** … @module */ comment that says which idea lives here`);
}

function namesOf(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => (ts.isIdentifier(name) ? name.text : "a pattern"));
  }
  const declares =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return declares ? [statement.name?.text ?? "default"] : [];
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement)
    ? (ts.getModifiers(statement) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
    : false;
}

/**
 * Exports of core without a doc comment. Constants on consecutive lines share the comment above the first, overloads
 * that of their first signature; the only export of a file is explained by the file's own comment.
 */
export function commentFaults(files: readonly SourceText[]): Fault[] {
  return files
    .filter(({ path }) => path.startsWith("core/") && path.endsWith(".ts") && !isTest(path) && !path.endsWith(".d.ts"))
    .flatMap(({ path, text }) => {
      const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
      const faults: Fault[] = [];
      let documented = false;
      let previousName: string | undefined;
      for (const statement of source.statements) {
        const between = text.slice(statement.getFullStart(), statement.getStart(source));
        const comment = (ts.getLeadingCommentRanges(text, statement.getFullStart()) ?? [])
          .map(({ pos, end }) => text.slice(pos, end))
          .at(-1);
        const own = comment?.startsWith("/**") === true && !comment.includes("@module");
        const names = namesOf(statement);
        const continues =
          (ts.isVariableStatement(statement) && !/\n[ \t]*\n/.test(between) && comment === undefined) ||
          names[0] === previousName;
        documented = own || (continues && documented);
        previousName = names[0];
        if (isExported(statement) && !documented) {
          faults.push(...names.map((name) => `${path} exports ${name} without a doc comment`));
        }
      }
      const exports = new Set(source.statements.filter(isExported).flatMap(namesOf));
      return exports.size === 1 && moduleFaults([{ path, text }]).length === 0 ? [] : faults;
    });
}
