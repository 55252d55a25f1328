/**
 * The page as an installed app: the browser's offer to install it, a new version that waits, and whether there is a network.
 *
 * @module
 */
import type { ToServiceWorker } from "../../../core/ports/download-pipe.ts";
import { controllingServiceWorker } from "../lib/service-worker-client.ts";

/** Chromium's offer to install; other browsers install from their own menus. */
interface InstallOffer extends Event {
  prompt(): Promise<void>;
}

export class Install {
  #offer = $state.raw<InstallOffer | null>(null);
  #waiting = $state.raw<ServiceWorker | null>(null);
  #isOnline = $state(navigator.onLine);

  /** True when the browser offers to install the app. */
  get isOffered(): boolean {
    return this.#offer !== null;
  }

  /** True when a new version waits for a reload. */
  get hasUpdate(): boolean {
    return this.#waiting !== null;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Starts listening and registers the service worker. Never fails: without it the page works, only not offline. */
  async start(): Promise<void> {
    addEventListener("online", () => (this.#isOnline = true));
    addEventListener("offline", () => (this.#isOnline = false));
    addEventListener("appinstalled", () => (this.#offer = null));
    addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      this.#offer = event as InstallOffer;
    });
    try {
      await controllingServiceWorker();
      const registration = await navigator.serviceWorker.getRegistration();
      if (registration !== undefined) this.#watch(registration);
    } catch {
      // Private windows of some browsers refuse service workers.
    }
  }

  async install(): Promise<void> {
    const offer = this.#offer;
    this.#offer = null;
    await offer?.prompt();
  }

  /** Lets the new version take over and reloads the page. */
  update(): void {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    this.#waiting?.postMessage({ type: "update" } satisfies ToServiceWorker);
  }

  #watch(registration: ServiceWorkerRegistration): void {
    const follow = (installing: ServiceWorker | null): void => {
      installing?.addEventListener("statechange", () => {
        // The very first version has nothing to replace, and is active at once.
        if (installing.state === "installed" && registration.active !== null) this.#waiting = installing;
      });
    };
    this.#waiting = registration.waiting;
    follow(registration.installing);
    registration.addEventListener("updatefound", () => follow(registration.installing));
  }
}
