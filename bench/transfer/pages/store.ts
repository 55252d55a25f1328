/**
 * Orders about the private file system.
 *
 * @module
 */
import type { AnswerOf, ArgumentsOf } from "../commands.ts";
import { ask, startWorker } from "./ask.ts";
import { openFile } from "./files.ts";
import type { StoreRequest } from "./store.worker.ts";
import storeUrl from "./store.worker.ts?worker&url";

async function inWorker(request: StoreRequest): Promise<unknown> {
  const worker = startWorker(storeUrl);
  try {
    return await ask(worker, request);
  } finally {
    worker.terminate();
  }
}

export async function load({ url, name }: ArgumentsOf<"load">): Promise<null> {
  await inWorker({ type: "fetch", url, name });
  return null;
}

export async function download({ url, name }: ArgumentsOf<"download">): Promise<AnswerOf<"download">> {
  return { endedMs: (await inWorker({ type: "fetch", url, name })) as number };
}

export async function digest({ name }: ArgumentsOf<"digest">): Promise<AnswerOf<"digest">> {
  return await digestFile(await openFile(name));
}

export async function digestFile(file: File): Promise<AnswerOf<"digest">> {
  return (await inWorker({ type: "digest", file })) as AnswerOf<"digest">;
}

export async function objectHashes({ name }: ArgumentsOf<"objectHashes">): Promise<readonly string[]> {
  return (await inWorker({ type: "objectHashes", file: await openFile(name) })) as string[];
}

export async function clean({ keep }: ArgumentsOf<"clean">): Promise<null> {
  const root = await navigator.storage.getDirectory();
  const names: string[] = [];
  for await (const name of root.keys()) if (!keep.includes(name)) names.push(name);
  for (const name of names) await root.removeEntry(name, { recursive: true });
  return null;
}
