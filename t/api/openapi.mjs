// Validates requests and answers of the HTTP API against docs/openapi.json:
// lines of JSON {name, method, status, request, answer} come in, TAP goes out.
// `request` is missing where it is not to be valid.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Ajv from "ajv/dist/2020.js";

const file = new URL("../../docs/openapi.json", import.meta.url);
const openapi = JSON.parse(readFileSync(file, "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema(openapi, "openapi");

const tokens = (...path) =>
  path.map((t) => t.replace(/~/g, "~0").replace(/\//g, "~1")).join("/");
const schema = (...path) => ajv.getSchema(`openapi#/${tokens(...path)}`);

const resolve = (node) =>
  node.$ref === undefined
    ? ["paths", node]
    : [node.$ref, node.$ref.slice(2).split("/").reduce((o, k) => o[k], openapi)];

// The schema of what is answered with `status`.
const answerSchema = (method, status) => {
  const at = ["paths", `/${method}`, "post", "responses", status];
  const response = openapi.paths[`/${method}`].post.responses[status];
  if (response === undefined) return undefined;
  const [ref] = resolve(response);
  const path = ref === "paths" ? at : ref.slice(2).split("/");
  return schema(...path, "content", "application/json", "schema");
};
const requestSchema = (method) =>
  schema("paths", `/${method}`, "post", "requestBody", "content",
         "application/json", "schema");

let count = 0;
const check = (name, validate, value) => {
  const good = validate !== undefined && validate(value);
  console.log(`${good ? "ok" : "not ok"} ${++count} - ${name}`);
  if (good) return;
  console.log(`# ${JSON.stringify(value)}`);
  for (const { instancePath, message } of validate?.errors ?? []) {
    console.log(`# ${instancePath} ${message}`);
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const { name, method, status, request, answer } = JSON.parse(line);
  if (request !== undefined) {
    check(`${name}: the request`, requestSchema(method), request);
  }
  check(`${name}: the answer`, answerSchema(method, String(status)), answer);
}
// What validates anything would pass all of the above.
check("a wrong answer is none", (v) => !answerSchema("publish", "200")(v),
      { result: { offset: "1" } });
check("nor is an unknown member", (v) => !answerSchema("info", "200")(v),
      { result: { nodes: [] }, more: 1 });
console.log(`1..${count}`);
