/**
 * The claim of one receive, told once on each connection before anything that needs it, where the portal counts downloads.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import type { Link } from "../ports/link.ts";

/** One for all connections of a steady link. Without a claim it does nothing. */
export class Claims {
  #claim: Uint8Array<ArrayBuffer> | undefined;
  #isNeeded = false;
  readonly #told = new WeakMap<Link, Promise<void>>();

  /** True when the portal counts downloads. */
  get isNeeded(): boolean {
    return this.#isNeeded;
  }

  /** From now on there is this claim, told where it is needed, or once the relay asks for it. @param claim u8[16] */
  set(claim: Uint8Array<ArrayBuffer>, isNeeded: boolean): void {
    this.#claim = claim;
    this.#isNeeded ||= isNeeded;
  }

  /**
   * Does what needs the claim, on a connection that has it.
   * @throws Failure `portal/claimed`, after which it is told anew, `portal/unknown` when no download is left
   */
  async under<T>(link: Link, operation: () => Promise<T>): Promise<T> {
    const told = this.#isNeeded ? this.#tell(link) : undefined;
    try {
      await told;
      return await operation();
    } catch (error) {
      if (error instanceof Failure && error.code === "portal/claimed") {
        // Not given, lapsed meanwhile, or limits are new.
        this.#isNeeded = this.#claim !== undefined;
        if (this.#told.get(link) === told) this.#told.delete(link);
      }
      throw error;
    }
  }

  #tell(link: Link): Promise<void> {
    if (this.#claim === undefined) throw new Error("needed and not set");
    const told = this.#told.get(link) ?? link.claim(this.#claim);
    this.#told.set(link, told);
    return told;
  }
}
