import { describe, expect, it } from "vitest";
import { inviteOf, overridesOf, pageOf, portalOf, sinkOf, transfersViewOf } from "./address.ts";

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

  it("finds the list of transfers, its forms, and one portal of it", () => {
    expect(pageOf(at("/transfers#request"))).toEqual({ name: "transfers" });
    expect(transfersViewOf("")).toEqual({ name: "list" });
    for (const name of ["request", "phrase", "restore"]) expect(transfersViewOf(`#${name}`)).toEqual({ name });
    expect(transfersViewOf("#q3Zk1Yw0R5uT8sVbXc2NeA")).toEqual({ name: "portal", portal: "q3Zk1Yw0R5uT8sVbXc2NeA" });
    expect(transfersViewOf("#<img src=x>")).toEqual({ name: "list" });
  });

  it("finds an invitation in an address and in what is pasted", () => {
    expect(inviteOf("#invite=a%2Bb")).toBe("a+b");
    expect(inviteOf(" https://warp.example/#invite=code-1 ")).toBe("code-1");
    expect(inviteOf(" code-1\n")).toBe("code-1");
    expect(inviteOf("#invite=%E0%A4%A")).toBe("");
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
    expect(overridesOf(at("/?peers=off"))).toEqual({ peers: false });
    expect(overridesOf(at("/?peers=on&engine=cpu"))).toEqual({ peers: true, engine: "cpu" });
    expect(sinkOf(at("/p/x?sink=directory"))).toBe("directory");
  });

  it("ignores values that are not built", () => {
    expect(overridesOf(at("/?engine=quantum&path=pigeon&peers=maybe"))).toEqual({});
    expect(sinkOf(at("/p/x?sink=tape"))).toBeNull();
  });
});
