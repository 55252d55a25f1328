/**
 * Giving back one of the downloads that a portal has left.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { callApi } from "../edge/http-link.ts";
import { portalPath, type RelayHost } from "./client.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Lets another receiver have it. @param token of the link. @throws Failure `portal/unknown` | `relay/…` */
export async function releaseClaim(
  { send, signal }: RelayHost,
  portal: Bytes,
  token: Bytes,
  claim: Bytes,
): Promise<void> {
  const path = `${portalPath(portal)}/claims/${base64urlnopad.encode(claim)}`;
  const headers = { Authorization: `Bearer ${base64urlnopad.encode(token)}` };
  await callApi(send, { method: "DELETE", path, headers, ...(signal && { signal }) });
}
