/**
 * What somebody might try who got a word into a page of the app.
 *
 * @module
 */

/** The directive by which each attempt ends. */
export const STOPPED_BY: Readonly<Record<string, string>> = {
  eval: "require-trusted-types-for",
  "a function from text": "require-trusted-types-for",
  "a timer with text": "require-trusted-types-for",
  "markup from text": "require-trusted-types-for",
  "inserted markup": "require-trusted-types-for",
  "written markup": "require-trusted-types-for",
  "an inline script": "require-trusted-types-for",
  "an inline handler": "require-trusted-types-for",
  "a foreign script": "require-trusted-types-for",
  "a worker from an address": "require-trusted-types-for",
  "a worker from a blob": "require-trusted-types-for",
  "a policy of one's own": "trusted-types",
  "a script address": "script-src-elem",
  "a foreign picture": "img-src",
  "a foreign style sheet": "style-src-elem",
  "an inline style sheet": "style-src-elem",
  "an inline style": "style-src-attr",
  "a foreign font": "font-src",
  "a foreign request": "connect-src",
  "a foreign beacon": "connect-src",
  "a foreign WebSocket": "connect-src",
  "foreign events": "connect-src",
  "a frame": "frame-src",
  "a frame of one's own": "frame-src",
  "an object": "require-trusted-types-for",
  "an embedded thing": "require-trusted-types-for",
  "another base": "base-uri",
  "a form": "form-action",
  "a film": "media-src",
  "a foreign service worker": "require-trusted-types-for",
};

/** Tries all of it, at the server `foreign` where one is needed. Runs in the page; gives what stopped each attempt. */
export async function tryEverything({
  foreign,
  stoppedBy,
}: {
  foreign: string;
  stoppedBy: typeof STOPPED_BY;
}): Promise<Record<string, string[]>> {
  const results: Record<string, string[]> = {};
  let current: string[] = [];
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => current.push(effectiveDirective));
  const attempts: Record<string, () => unknown> = {
    // biome-ignore lint/security/noGlobalEval: this is what is tried
    eval: () => globalThis.eval("globalThis.ran = 1"),
    "a function from text": () => new Function("globalThis.ran = 1")(),
    "a timer with text": () => setTimeout("globalThis.ran = 1" as unknown as () => void),
    "markup from text": () => {
      document.body.innerHTML += "<img src=x onerror='globalThis.ran = 1'>";
    },
    "inserted markup": () => document.body.insertAdjacentHTML("beforeend", "<script>globalThis.ran = 1</script>"),
    "written markup": () => document.write("<script>globalThis.ran = 1</script>"),
    "an inline script": () => {
      const script = document.createElement("script");
      script.append("globalThis.ran = 1");
      document.head.append(script);
    },
    "an inline handler": () => {
      const button = document.createElement("button");
      button.setAttribute("onclick", "globalThis.ran = 1");
      document.body.append(button);
      button.click();
      button.remove();
    },
    "a foreign script": () => {
      const script = document.createElement("script");
      script.src = `${foreign}ran.js`;
      document.head.append(script);
    },
    "a worker from an address": () => new Worker("data:text/javascript,1"),
    "a worker from a blob": () => new Worker(URL.createObjectURL(new Blob(["1"]))),
    "a policy of one's own": () => {
      const { trustedTypes } = globalThis as unknown as {
        trustedTypes: { createPolicy(name: string, rules: object): void };
      };
      trustedTypes.createPolicy("mine", { createHTML: (text: string) => text });
    },
    "a script address": () => {
      const link = document.createElement("a");
      link.href = "javascript:globalThis.ran = 1";
      document.body.append(link);
      link.click();
      link.remove();
    },
    "a foreign picture": () => {
      new Image().src = `${foreign}ran.png`;
    },
    "a foreign style sheet": () => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `${foreign}ran.css` });
      document.head.append(link);
    },
    "an inline style sheet": () => {
      const style = document.createElement("style");
      style.append("body { display: none }");
      document.head.append(style);
    },
    "an inline style": () => {
      const box = document.createElement("p");
      box.setAttribute("style", "color: red");
      document.body.append(box);
      box.remove();
    },
    "a foreign font": () => new FontFace("ran", `url(${foreign}ran.woff)`).load(),
    "a foreign request": () => fetch(`${foreign}ran`),
    "a foreign beacon": () => navigator.sendBeacon(`${foreign}ran`, "x"),
    "a foreign WebSocket": () => new WebSocket(`${foreign.replace("http", "ws")}ran`),
    "foreign events": () => new EventSource(`${foreign}ran`),
    "a frame": () => document.body.append(Object.assign(document.createElement("iframe"), { src: `${foreign}ran` })),
    "a frame of one's own": () => document.body.append(Object.assign(document.createElement("iframe"), { src: "/" })),
    "an object": () => document.body.append(Object.assign(document.createElement("object"), { data: `${foreign}ran` })),
    "an embedded thing": () =>
      document.body.append(Object.assign(document.createElement("embed"), { src: `${foreign}ran` })),
    "another base": () => document.head.append(Object.assign(document.createElement("base"), { href: foreign })),
    "a form": () => {
      const form = Object.assign(document.createElement("form"), { action: `${foreign}ran`, method: "post" });
      document.body.append(form);
      form.submit();
    },
    "a film": () => document.body.append(Object.assign(document.createElement("video"), { src: `${foreign}ran.mp4` })),
    "a foreign service worker": () => navigator.serviceWorker.register(`${foreign}ran.js`),
  };
  for (const [what, attempt] of Object.entries(attempts)) {
    current = [];
    results[what] = current;
    // What the debugger calls may do what the page may not: each attempt is the page's own.
    await new Promise((resolve) => setTimeout(resolve));
    try {
      await attempt();
    } catch (error) {
      current.push(error instanceof Error ? error.name : String(error));
    }
    // Violations are reported a little later, those of requests when they are made.
    const until = performance.now() + 10_000;
    const isReported = () => current.includes(stoppedBy[what] ?? "");
    while (!isReported() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return results;
}
