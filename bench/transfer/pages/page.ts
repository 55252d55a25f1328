/**
 * The bench page: fetches orders one after the other, runs them beside each other, and reports.
 *
 * @module
 */
import { type AnswerOf, type ArgumentsOf, type CommandName, type Order, type Report, ROUTES } from "../commands.ts";
import { answerChannel, receiveChannel, sendChannel } from "./channel.ts";
import { putObjects, takeObjects } from "./objects.ts";
import { digestReceived, receive, receiveStream, send } from "./ours.ts";
import { clean, digest, download, load, objectHashes } from "./store.ts";
import { tusUpload } from "./tus.ts";

export type Emit = (name: string, value: unknown) => void;
type Handlers = { readonly [N in CommandName]: (args: ArgumentsOf<N>, emit: Emit) => Promise<AnswerOf<N>> };

const HANDLERS: Handlers = {
  load,
  digest,
  clean,
  objectHashes,
  send,
  receive,
  digestReceived,
  receiveStream,
  putObjects,
  takeObjects,
  tusUpload,
  download,
  channelSend: sendChannel,
  channelAnswer: answerChannel,
  channelReceive: receiveChannel,
};

async function report(what: Report): Promise<void> {
  await fetch(ROUTES.report, { method: "POST", body: JSON.stringify(what) });
}

async function execute(order: Order): Promise<void> {
  const { id, name } = order;
  try {
    const handler = HANDLERS[name] as (args: unknown, emit: Emit) => Promise<unknown>;
    const value = await handler(order.arguments, (event, given) => {
      void report({ id, type: "event", name: event, value: given });
    });
    await report({ id, type: "answer", value });
  } catch (error) {
    const message = error instanceof Error ? `${error.name} ${error.message} ${error.stack ?? ""}` : String(error);
    await report({ id, type: "error", message: `${name}: ${message}` });
  }
}

const client = new URLSearchParams(location.search).get("client") ?? "";
for (;;) {
  const response = await fetch(`${ROUTES.next}?client=${client}`);
  void execute((await response.json()) as Order);
}
