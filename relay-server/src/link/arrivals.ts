/**
 * Objects that one peer sends, over all of its streams: within its window, each answered when it is durable or refused.
 *
 * @module
 */
import { Failure, toFailure } from "../../../core/failure.ts";
import { UPLOAD_WINDOW_BYTES } from "../../../core/units.ts";
import { type RelayFrame, wireCode } from "../../../core/wire/frame.ts";
import type { ObjectHeader } from "../../../core/wire/object.ts";
import type { Metrics } from "../metrics.ts";
import type { LivePortal } from "../portal/live-portal.ts";
import type { Portals } from "../portal/portals.ts";
import type { Meter, Upload } from "../portal/upload.ts";
import { ObjectIntake } from "./object-intake.ts";

/** Into which portal a peer stores. */
interface Destination {
  readonly portal: LivePortal;
  /** Under which it stores; 0 for who may not. */
  readonly lease: number;
}

interface ArrivalParts {
  /** Settles when the peer is known; bytes wait for it. */
  readonly destination: Promise<Destination>;
  readonly portals: Portals;
  readonly metrics: Metrics;
  readonly meter: () => Meter;
  readonly send: (frame: RelayFrame) => void;
}

export class Arrivals {
  readonly #parts: ArrivalParts;
  readonly #intakes = new Map<number, ObjectIntake>();
  #unacknowledged = 0;

  constructor(parts: ArrivalParts) {
    this.#parts = parts;
  }

  /** True while a stream has given a part of an object. */
  get isInside(): boolean {
    return [...this.#intakes.values()].some((intake) => intake.isInside);
  }

  /** Takes the next bytes of a stream. @throws Failure to end the link */
  push(stream: number, bytes: Uint8Array): Promise<void> | undefined {
    const known = this.#intakes.get(stream);
    if (known !== undefined) return known.push(bytes);
    return this.#parts.destination.then((to) => {
      if (to.lease === 0) throw new Failure("wire/malformed", { what: "role" });
      const intake = new ObjectIntake({
        begin: (header) => this.#begin(to, header),
        end: (upload) => this.#end(upload),
      });
      this.#intakes.set(stream, intake);
      return intake.push(bytes);
    });
  }

  /** The rest will not come. */
  abort(): void {
    for (const intake of this.#intakes.values()) intake.abort();
  }

  async #begin({ portal, lease }: Destination, header: ObjectHeader): Promise<Upload> {
    const { portals, meter, send } = this.#parts;
    const { kind, index } = header;
    if (this.#unacknowledged + header.length > UPLOAD_WINDOW_BYTES) {
      send({ t: "refuse", kind, index, code: wireCode("wire/window") });
      throw new Failure("wire/window", { bytes: this.#unacknowledged + header.length });
    }
    this.#unacknowledged += header.length;
    const upload = await portals.upload(portal, header, lease, meter());
    if (upload.refusal !== undefined) this.#refuse(upload, upload.refusal);
    return upload;
  }

  #end(upload: Upload): void {
    if (upload.refusal !== undefined) return;
    const { kind, index, length } = upload.header;
    const started = performance.now();
    upload.finish().then(
      () => {
        this.#unacknowledged -= length;
        this.#parts.metrics.stored(performance.now() - started);
        this.#parts.send({ t: "ack", kind, index });
      },
      (error: unknown) => this.#refuse(upload, toFailure(error, "relay/storage")),
    );
  }

  #refuse({ header }: Upload, failure: Failure): void {
    this.#unacknowledged -= header.length;
    this.#parts.send({ t: "refuse", kind: header.kind, index: header.index, code: wireCode(failure.code) });
  }
}
