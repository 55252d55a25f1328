import { expect, test } from "vitest";
import { DEFAULT_RELAY, linkOf, parseCommand, UsageError, withLink } from "./arguments.ts";

const common = { relay: DEFAULT_RELAY, passwordStdin: false, json: false };

test("send takes paths, and a path behind -- may begin with a dash", () => {
  expect(parseCommand(["send", "a", "b/c", "--follow", "--", "-rf"])).toEqual({
    ...common,
    name: "send",
    paths: ["a", "b/c", "-rf"],
    expirySeconds: null,
    maxDownloads: null,
    follow: true,
    to: null,
    invite: null,
  });
});

test("send takes the link of a request, also from standard input, and an invitation", () => {
  expect(parseCommand(["send", "a", "--to", "-", "--invite", "abc"])).toMatchObject({ to: "-", invite: "abc" });
  const sent = parseCommand(["send", "a", "--to", "-"]);
  if (sent === "help") throw new Error("help");
  expect(linkOf(sent)).toBe("-");
  expect(linkOf(withLink(sent, "/p/x#1.y.z"))).toBe("/p/x#1.y.z");
  const got = parseCommand(["get", "-"]);
  if (got === "help") throw new Error("help");
  expect(linkOf(withLink(got, "/p/x#1.y.z"))).toBe("/p/x#1.y.z");
});

test.each([
  ["90s", 90],
  ["30m", 1800],
  ["12h", 43_200],
  ["7d", 604_800],
  ["2w", 1_209_600],
])("an expiry of %s is %i seconds", (text, seconds) => {
  expect(parseCommand(["send", "a", "--expiry", text])).toMatchObject({ expirySeconds: seconds });
});

test("a relay's address is cut to its origin, which is what tokens are bound to", () => {
  expect(parseCommand(["send", "a", "--relay", "HTTPS://Example.org:443/x?y"])).toMatchObject({
    relay: "https://example.org",
  });
});

test("get and info take one link and nothing of the other commands", () => {
  expect(parseCommand(["get", "-", "--out", "d", "--rename", "--json"])).toEqual({
    ...common,
    json: true,
    name: "get",
    link: "-",
    out: "d",
    rename: true,
  });
  expect(parseCommand(["info", "/p/x#1.y.z", "--password-stdin"])).toEqual({
    ...common,
    passwordStdin: true,
    name: "info",
    link: "/p/x#1.y.z",
  });
});

test("help is given wherever it is asked for", () => {
  for (const args of [["--help"], ["-h"], ["send", "--help"], ["get", "-h"]]) expect(parseCommand(args)).toBe("help");
});

test.each([
  [[]],
  [["put", "a"]],
  [["send"]],
  [["send", "a", "--expiry", "5"]],
  [["send", "a", "--expiry", "59s"]],
  [["send", "a", "--expiry", "-1d"]],
  [["send", "a", "--downloads", "0"]],
  [["send", "a", "--downloads", "1.5"]],
  [["send", "a", "--relay", "localhost:8080"]],
  [["send", "a", "--relay", "file:///etc"]],
  [["send", "a", "--nonsense"]],
  [["send", "a", "--expiry"]],
  [["get"]],
  [["get", "a", "b"]],
  [["get", "a", "--expiry", "1d"]],
  [["info", "a", "--out", "b"]],
])("wrong use is told: %j", (args) => {
  expect(() => parseCommand(args)).toThrow(UsageError);
});
