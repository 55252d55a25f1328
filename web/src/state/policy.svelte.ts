/**
 * What the user prefers of transfers, as the dashboard shows and changes it.
 *
 * @module
 */
import { type PolicySetting, rememberedPolicy, rememberPolicy } from "../lib/policy-setting.ts";

export class PolicyChoice {
  #setting = $state.raw(rememberedPolicy());

  get setting(): PolicySetting {
    return this.#setting;
  }

  /** Takes a part of it, and keeps all. */
  choose(change: Partial<PolicySetting>): void {
    this.#setting = { ...this.#setting, ...change };
    rememberPolicy(this.#setting);
  }
}
