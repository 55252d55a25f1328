/**
 * What a send needs of the way to where its objects are kept: one relay, or several that count as one.
 *
 * @module
 */
import type { SteadyLink } from "../edge/steady-link.ts";

/** A steady link to one relay, or whatever keeps its promises over several: `put` resolves when an object is kept durably. */
export type SendLink = Pick<SteadyLink, "put" | "commit" | "connected" | "state" | "rest">;
