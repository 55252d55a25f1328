/**
 * The page's first module: looks at the browser, then shows the app.
 *
 * @module
 */
import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { missingHere } from "./lib/browser-support.ts";

const target = document.getElementById("app");
if (target !== null) mount(App, { target, props: { missing: missingHere() } });
