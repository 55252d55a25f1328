/**
 * The one Trusted Types policy of the app: scripts for workers and for the service worker come from this origin only.
 * The page and the workers' clients use it; every realm makes the policy once.
 *
 * @module
 */

/** The part of the Trusted Types API that is used; browsers without it take plain strings. */
interface PolicyFactory {
  createPolicy(
    name: string,
    rules: { createScriptURL(input: string): string },
  ): { createScriptURL(input: string): unknown };
}

let policy: { createScriptURL(input: string): unknown } | undefined;

/**
 * `url`, absolute, as what `new Worker` and `serviceWorker.register` take under `require-trusted-types-for 'script'`.
 * Typed as a string, which is how those are declared.
 * @throws TypeError when `url` is of another origin
 */
export function appScriptUrl(url: string | URL): string {
  policy ??= factory()?.createPolicy("app", { createScriptURL: sameOrigin }) ?? { createScriptURL: sameOrigin };
  return policy.createScriptURL(String(url)) as string;
}

function factory(): PolicyFactory | undefined {
  return (globalThis as { readonly trustedTypes?: PolicyFactory }).trustedTypes;
}

function sameOrigin(input: string): string {
  const url = new URL(input, location.href);
  if (url.origin !== location.origin) throw new TypeError("a script of another origin was refused");
  return url.href;
}
