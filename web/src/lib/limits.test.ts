import { expect, it } from "vitest";
import { MAX_DOWNLOADS as RELAY_MAX_DOWNLOADS } from "../../../core/portal/portal.ts";
import { MAX_DOWNLOADS } from "./limits.ts";

it("lets people type exactly as many downloads as the relay takes", () => {
  expect(MAX_DOWNLOADS).toBe(RELAY_MAX_DOWNLOADS);
});
