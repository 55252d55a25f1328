/**
 * Builds the web app from `web/` into `dist/web`: page, workers and service worker, with nothing inline, so that the
 * strict content security policy of the relay holds.
 *
 * @module
 */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";

export default defineConfig({
  root: "web",
  publicDir: "../public",
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    // Nothing as a data: address and no script of the bundler's own in the page: the policy allows neither.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  plugins: [
    svelte({ configFile: false, compilerOptions: { runes: true } }),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src",
      filename: "service-worker.ts",
      registerType: "prompt",
      // The app registers it itself, through its Trusted Types policy.
      injectRegister: false,
      injectManifest: {
        globPatterns: ["**/*.{js,css,html,wasm,svg,png}"],
        maximumFileSizeToCacheInBytes: 8 * 1024 * 1024,
      },
      manifest: {
        id: "/",
        name: "Warp Portal",
        short_name: "Warp Portal",
        description: "Send files and folders of any size by a link, encrypted in your browser.",
        lang: "en",
        start_url: "/",
        scope: "/",
        display: "standalone",
        background_color: "#f5f7f5",
        theme_color: "#00635d",
        categories: ["utilities", "productivity"],
        icons: [
          { src: "/icons/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icons/icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "/icons/maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
    }),
  ],
});
