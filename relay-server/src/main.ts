/**
 * The relay as a program: configuration from the environment, one relay, an orderly end.
 *
 * @module
 */
import { Failure } from "../../core/failure.ts";
import { ConfigError, readConfig } from "./config.ts";
import { Logger } from "./log.ts";
import { startRelay } from "./relay.ts";

/** The end of the process waits this long for an orderly stop. */
const STOP_MS = 5_000;

try {
  const config = readConfig(process.env);
  const log = new Logger(config.logLevel);
  // A promise that nobody watched is a bug of one link or request, and no reason to end all others.
  process.on("unhandledRejection", (error) => log.bug("unwatched", error));
  const relay = await startRelay(config, { log });
  process.stdout.write(`Warp Portal is at ${relay.url}\n`);
  const stop = () => {
    setTimeout(() => process.exit(1), STOP_MS).unref();
    relay.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

/** One sentence for the operator. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof Failure && error.code === "relay/busy") {
    return "Another relay uses this DATA_DIR: stop it, or set DATA_DIR to another directory.";
  }
  if (error instanceof Failure && error.code === "relay/version") {
    return "DATA_DIR was written by a newer relay: start that one, or set DATA_DIR to another directory.";
  }
  if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
    return "PORT is in use by another program: stop it, or set PORT to another number.";
  }
  return `The relay could not start: ${error instanceof Error ? error.message : String(error)}`;
}
