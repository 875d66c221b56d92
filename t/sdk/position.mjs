// The lines of docs/protocols.md that keep a position without a library, as
// they stand there. Prints each message that they show.
//
//   node position.mjs ws://127.0.0.1:PORT
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";

const text = readFileSync(new URL("../../docs/protocols.md", import.meta.url),
                          "utf8");
const blocks = [...text.matchAll(/^```js\n(.*?)^```/gms)].map((m) => m[1]);
const code = blocks.find((block) => block.includes("paperboy.position"));
const show = (message) => console.log(message);
new Function("WebSocket", "origin", "show", "channel", code)(
  WebSocket, process.argv[2], show, "kept-page");
