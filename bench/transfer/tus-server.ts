/**
 * The tus server of the bench, a process of its own as the relay is: uploads into a folder, and the finished file back
 * by plain HTTP. Prints its port.
 *
 * @module
 */
import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [folder = ""] = process.argv.slice(2);
const tus = new Server({ path: "/files", datastore: new FileStore({ directory: folder }) });

const server = createServer((request, response) => {
  if (request.method !== "GET") {
    void tus.handle(request, response);
    return;
  }
  const path = join(folder, basename(new URL(request.url ?? "/", "http://localhost").pathname));
  response.writeHead(200, {
    "Content-Type": "application/octet-stream",
    "Content-Length": statSync(path).size,
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
  });
  createReadStream(path, { highWaterMark: 1 << 20 }).pipe(response);
});
server.requestTimeout = 0;
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`);
