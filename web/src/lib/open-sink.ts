/**
 * The place where received bytes go, asked of the browser and of the person. Call it from a click.
 *
 * @module
 */
import { Failure } from "../../../core/failure.ts";
import type { InterruptedTransfer, SinkRequest } from "../../../workers/transfer/api.ts";
import { startDownload } from "./download.ts";
import { permitted, pickDirectory } from "./handles.ts";
import { askToPersist, type SinkChoice } from "./probe-sinks.ts";

/** Asks for the place where the bytes go; a folder's permission is asked here too. */
export async function openSink(choice: SinkChoice, isStreamed: boolean): Promise<SinkRequest> {
  if (choice === "directory") {
    return { kind: "directory", handle: await pickDirectory() };
  }
  if (choice === "private") {
    await askToPersist();
    return { kind: "private" };
  }
  return isStreamed ? { kind: "download", port: await startDownload() } : { kind: "blob" };
}

/** The place of an interrupted receive. @throws Failure `sink/denied` */
export async function reopenSink(interrupted: InterruptedTransfer | null): Promise<SinkRequest> {
  if (interrupted?.sink !== "directory") {
    await askToPersist();
    return { kind: "private" };
  }
  const [handle] = interrupted.handles;
  if (handle?.kind !== "directory") return { kind: "directory", handle: await pickDirectory() };
  if (!(await permitted([handle], "readwrite"))) throw new Failure("sink/denied");
  return { kind: "directory", handle: handle as FileSystemDirectoryHandle };
}
