/**
 * The setting of direct transfers on the dashboard in a real Chromium; transfers are scripted.
 *
 * @module
 */
import { expect, it } from "vitest";
import { calls, LINK, useWebPages } from "../support/web-pages.ts";

const pages = useWebPages();

it("[PEER-13] is on, is switched off and kept, and is what transfers are asked for, unless the address does", async () => {
  const page = await pages.open("/dashboard");
  const setting = page.getByTestId("peers-setting");
  expect(await setting.isChecked()).toBe(true);
  const asked = async (query: string): Promise<unknown> => {
    await page.goto(pages.app.url + LINK.replace("#", `${query}#`));
    await page.getByTestId("receive").waitFor();
    return (await calls(page))[0]?.[3];
  };
  expect(await asked("")).toEqual({});
  await page.goto(`${pages.app.url}/dashboard`);
  await setting.click();
  await page.reload();
  expect(await setting.isChecked()).toBe(false);
  expect(await asked("")).toEqual({ peers: false });
  expect(await asked("?peers=on")).toEqual({ peers: true });
  await page.goto(`${pages.app.url}/dashboard?peers=off`);
  await page.getByText("This page's address asks for the relay alone").waitFor();
});

it("says where a browser cannot", async () => {
  const page = await pages.open("/dashboard", { noPeers: true });
  expect(await page.getByTestId("peers-impossible").textContent()).toContain("This browser cannot");
});
