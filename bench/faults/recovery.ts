/**
 * How long each fault of the network or the relay stops a transfer, and what it makes the client send again.
 *
 * @module
 */
import type { PathKind } from "../../core/transfer/snapshot.ts";
import { MIB } from "../../core/units.ts";
import { lineOf } from "../../tests/faults/lab/line.ts";
import { openNetwork } from "../../tests/faults/lab/network.ts";
import {
  blockUdpEarly,
  changeAddress,
  cutFor,
  type Disturb,
  openStage,
  restartRelay,
} from "../../tests/faults/lab/stage.ts";
import { makeCargo } from "../../tests/faults/lab/transfer.ts";

const CARGO_BYTES = 64 * MIB;
/** Slow enough that the fault strikes in the middle. */
const LINE = lineOf(30, 0, { rateMbit: 80, queuePackets: 500 });
const LIMIT_MS = 120_000;

interface Fault {
  readonly name: string;
  /** The path at the start; the product chooses when undefined, and takes WebTransport. */
  readonly path: PathKind | undefined;
  readonly disturb: Disturb;
  readonly isQuick: boolean;
}

const PATHS = [undefined, "tcp"] as const;

const FAULTS: readonly Fault[] = [
  ...PATHS.flatMap((path) => [
    { name: "cut of 5 s", path, disturb: cutFor(5), isQuick: true },
    { name: "cut of 60 s", path, disturb: cutFor(60), isQuick: false },
    { name: "address changed", path, disturb: changeAddress, isQuick: true },
    { name: "relay killed", path, disturb: restartRelay, isQuick: true },
  ]),
  { name: "UDP blocked", path: undefined, disturb: blockUdpEarly, isQuick: true },
];

/** One transfer with one fault. */
export interface RecoverySample {
  readonly fault: string;
  readonly path: PathKind;
  /** Milliseconds from the end of the fault, or from its beginning where it stays, until bytes were done again. */
  readonly senderMs: number;
  readonly receiverMs: number;
  readonly sentTwiceBytes: number;
  readonly fetchedTwiceBytes: number;
  /** Why the transfer did not end; the numbers are NaN then. */
  readonly error?: string;
}

/** A transfer that did not end, or brought other bytes. */
const NEVER = {
  isEqual: false,
  senderMs: Number.NaN,
  receiverMs: Number.NaN,
  sentTwiceBytes: Number.NaN,
  fetchedTwiceBytes: Number.NaN,
};

/** Measures every fault so often; only those that take little time when `isQuick`. `told` gets each sample. */
export async function measureRecovery(
  rounds: number,
  isQuick: boolean,
  told: (sample: RecoverySample) => void,
): Promise<readonly RecoverySample[]> {
  await using stage = await openStage(await openNetwork());
  await using cargo = await makeCargo(CARGO_BYTES, "recovery");
  const samples: RecoverySample[] = [];
  for (let round = 0; round < rounds; round++)
    for (const { name, path, disturb } of FAULTS.filter((fault) => fault.isQuick || !isQuick)) {
      const outcome = await stage
        .transfer({ cargo, line: LINE, path, disturb, limitMs: LIMIT_MS })
        .catch((error: unknown) => ({ ...NEVER, error: String(error) }));
      stage.network.openUdp();
      const { senderMs, receiverMs, sentTwiceBytes, fetchedTwiceBytes } = outcome.isEqual ? outcome : NEVER;
      const times = { senderMs, receiverMs, sentTwiceBytes, fetchedTwiceBytes };
      const error = "error" in outcome ? { error: outcome.error } : {};
      const sample = { fault: name, path: path ?? ("webtransport" as const), ...times, ...error };
      samples.push(sample);
      told(sample);
    }
  return samples;
}
