/**
 * The engines of this browser as the dashboard sees them: which one works and why, what was measured, and the setting.
 *
 * @module
 */
import { toFailure } from "../../../core/failure.ts";
import type { EngineStatus } from "../../../core/transfer/snapshot.ts";
import { measureEngine } from "../../../workers/lane/client.ts";
import type { Overrides } from "../../../workers/transfer/api.ts";
import { rememberedFigures, rememberFigures } from "../lib/engine-figures.ts";
import {
  askedEngine,
  automaticEngine,
  type EngineSetting,
  rememberedSetting,
  rememberSetting,
} from "../lib/engine-setting.ts";
import type { CodedFailure } from "./transfer.svelte.ts";

export class Engines {
  /** What the page's address asks for; it goes before the setting. */
  readonly addressed: Overrides["engine"];
  #setting = $state(rememberedSetting());
  #automatic = $state.raw<EngineStatus>(automaticEngine(rememberedFigures()));
  #phase = $state<"idle" | "measuring" | "measured">("idle");
  #failure = $state.raw<CodedFailure | null>(null);

  constructor(addressed: Overrides["engine"]) {
    this.addressed = addressed;
  }

  /** The engine that a large transfer takes now. */
  get status(): EngineStatus {
    return askedEngine(this.#automatic, this.addressed ?? (this.#setting === "auto" ? undefined : this.#setting));
  }

  get setting(): EngineSetting {
    return this.#setting;
  }

  /** `measured` when the last measurement of this page went well. */
  get phase(): "idle" | "measuring" | "measured" {
    return this.#phase;
  }

  /** What the last measurement failed with, or null. */
  get failure(): CodedFailure | null {
    return this.#failure;
  }

  choose(setting: EngineSetting): void {
    this.#setting = setting;
    rememberSetting(setting);
  }

  /** Measures both engines, whatever the setting is, so that the figures say what a change would bring. */
  async measure(): Promise<void> {
    if (this.#phase === "measuring") return;
    this.#phase = "measuring";
    this.#failure = null;
    try {
      const status = await measureEngine();
      if (status.figures !== null) rememberFigures(status.figures);
      this.#automatic = status;
      this.#phase = "measured";
    } catch (error) {
      const { code, details } = toFailure(error, "engine/failed");
      this.#failure = { code, details };
      this.#phase = "idle";
    }
  }
}
