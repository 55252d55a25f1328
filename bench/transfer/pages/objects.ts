/**
 * Orders that measure the limit of a path; the work is in a worker, as the product's is.
 *
 * @module
 */
import type { AnswerOf, ArgumentsOf } from "../commands.ts";
import { ask, startWorker } from "./ask.ts";
import { openFile } from "./files.ts";
import type { ObjectsRequest } from "./objects.worker.ts";
import objectsUrl from "./objects.worker.ts?worker&url";
import type { Emit } from "./page.ts";

async function inWorker(request: ObjectsRequest, emit?: Emit): Promise<unknown> {
  const worker = startWorker(objectsUrl);
  try {
    return await ask(worker, request, emit);
  } finally {
    worker.terminate();
  }
}

export async function putObjects(
  { name, ...rest }: ArgumentsOf<"putObjects">,
  emit: Emit,
): Promise<AnswerOf<"putObjects">> {
  const file = await openFile(name);
  return (await inWorker({ type: "put", file, ...rest }, emit)) as AnswerOf<"putObjects">;
}

export async function takeObjects(args: ArgumentsOf<"takeObjects">): Promise<AnswerOf<"takeObjects">> {
  return (await inWorker({ type: "take", ...args })) as AnswerOf<"takeObjects">;
}
