import { afterEach, expect, it, vi } from "vitest";
import { type LogFields, Logger } from "./log.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("[RELAY-28] writes one object per line with listed fields only", () => {
  const lines: string[] = [];
  const log = new Logger("info", (line) => lines.push(line));
  log.info("request", { route: "/x", status: 200, token: "secret" } as LogFields);
  log.debug("too quiet");
  expect(lines).toHaveLength(1);
  const line = JSON.parse(lines[0] ?? "");
  expect(line).toMatchObject({ level: "info", event: "request", route: "/x", status: 200 });
  expect(Object.keys(line).sort()).toEqual(["event", "level", "route", "status", "time"]);
});

it("[RELAY-28] shows portals and addresses as hashes that change with the day and with the process", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const lines: string[] = [];
  const log = new Logger("info", (line) => lines.push(line));
  const portalOf = (at: number) => JSON.parse(lines[at] ?? "").portal;
  log.info("link", { portal: "aa", address: "1.2.3.4" });
  log.info("link", { portal: "aa" });
  vi.advanceTimersByTime(86_400_000);
  log.info("link", { portal: "aa" });
  new Logger("info", (line) => lines.push(line)).info("link", { portal: "aa" });
  expect(portalOf(0)).toMatch(/^[0-9a-f]{12}$/);
  expect(portalOf(1)).toBe(portalOf(0));
  expect(portalOf(2)).not.toBe(portalOf(0));
  expect(portalOf(3)).not.toBe(portalOf(2));
  expect(lines[0]).not.toContain("1.2.3.4");
});

it("[RELAY-28] writes of a bug where it is, and not what it says", () => {
  const lines: string[] = [];
  new Logger("error", (line) => lines.push(line)).bug("http", new TypeError("cannot read CANARY"));
  expect(lines[0]).not.toContain("CANARY");
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "error", code: "TypeError" });
  expect(JSON.parse(lines[0] ?? "").reason).toContain("relay-server/src/log.test.ts");
});
