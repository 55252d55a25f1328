import { describe, expect, it } from "vitest";
import { overridesOf, pageOf, portalOf, sinkOf } from "./address.ts";

const at = (url: string): URL => new URL(url, "https://warp.example");

describe("pages", () => {
  it("finds the send page", () => {
    expect(pageOf(at("/"))).toEqual({ name: "send" });
    expect(pageOf(at("/index.html?path=tcp"))).toEqual({ name: "send" });
  });

  it("finds the receive page and keeps path and fragment as the link, without the query", () => {
    expect(pageOf(at("/p/abc?sink=private#1.secret.check"))).toEqual({
      name: "receive",
      link: "/p/abc#1.secret.check",
    });
  });

  it("hands a link without its fragment on, so that the worker can say that it is cut", () => {
    expect(pageOf(at("/p/abc"))).toEqual({ name: "receive", link: "/p/abc" });
  });

  it("finds the portal's id in a link and takes nothing of the secret", () => {
    expect(portalOf("/p/abc-_1#1.secret.check")).toBe("abc-_1");
    expect(portalOf("/p/#1.secret.check")).toBe("");
    expect(portalOf("/elsewhere")).toBe("");
  });

  it("finds the dashboard", () => {
    expect(pageOf(at("/dashboard"))).toEqual({ name: "dashboard" });
    expect(pageOf(at("/dashboard?engine=cpu#x"))).toEqual({ name: "dashboard" });
  });

  it("knows no other page", () => {
    expect(pageOf(at("/dashboard/more"))).toEqual({ name: "absent" });
    expect(pageOf(at("/elsewhere"))).toEqual({ name: "absent" });
  });
});

describe("overrides", () => {
  it("reads the engine, the path and the sink", () => {
    expect(overridesOf(at("/?engine=cpu&path=webtransport"))).toEqual({ engine: "cpu", path: "webtransport" });
    expect(overridesOf(at("/?path=tcp"))).toEqual({ path: "tcp" });
    expect(overridesOf(at("/?engine=gpu"))).toEqual({ engine: "gpu" });
    expect(sinkOf(at("/p/x?sink=directory"))).toBe("directory");
  });

  it("ignores values that are not built", () => {
    expect(overridesOf(at("/?engine=quantum&path=pigeon"))).toEqual({});
    expect(sinkOf(at("/p/x?sink=tape"))).toBeNull();
  });
});
