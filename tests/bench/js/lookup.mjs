// Looks addresses up with matrix-js-sdk. Its file is the argument. Each line of the input is
// {"server": base URL, "addresses": [...]}, each line of the output {"seconds": ..., "found": ...}.

import { createInterface } from "node:readline";

const { createClient } = await import(process.argv[2]);

// Its own logger writes a line for each request: not what is measured.
const silent = { getChild: () => silent };
for (const level of ["trace", "debug", "info", "warn", "error"]) {
  silent[level] = () => {};
}

for await (const line of createInterface({ input: process.stdin })) {
  const { server, addresses } = JSON.parse(line);
  const client = createClient({ baseUrl: server, idBaseUrl: server, logger: silent });
  const pairs = addresses.map((address) => [address, "email"]);
  const began = performance.now();
  const found = await client.identityHashedLookup(pairs, "bench");
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ seconds, found: found.length }));
}
