// Node's own fetch, which keeps no cookies, with tough-cookie, which does.
import process from "node:process";
import { createRequire } from "node:module";

// From the folder that scripts/clients installs into.
const require = createRequire(`${process.env.COUNTERSIGN_NODE_MODULES}/`);
const { CookieJar, version } = require("tough-cookie");

const origin = process.argv[2];
const jar = new CookieJar();

async function ask(path, options = {}) {
  const url = origin + path;
  const headers = { cookie: await jar.getCookieString(url) };
  const signal = AbortSignal.timeout(20_000);
  const answer = await fetch(url, { redirect: "manual", headers, signal, ...options });
  for (const cookie of answer.headers.getSetCookie()) await jar.setCookie(cookie, url);
  return answer;
}

function expect(what, expected, actual) {
  if (expected !== actual) {
    console.error(`node: ${what}: expected ${expected}, got ${actual}`);
    process.exit(1);
  }
}

for (let round = 0; round < 3; round++) {
  const body = new URLSearchParams({ username: "alice", password: "alice-password" });
  expect("sign in", 303, (await ask("/login", { method: "POST", body })).status);
  expect("the message is shown", true, (await (await ask("/")).text()).includes("Welcome, alice."));
  for (let number = 0; number < 5; number++) {
    const answer = await ask("/whoami");
    expect("who am I", 200, answer.status);
    expect("who am I", "2", (await answer.json()).user_id);
  }
  expect("sign out", 303, (await ask("/logout", { method: "POST" })).status);
  expect("afterwards", 401, (await ask("/whoami")).status);
}
console.log(`Node ${process.version} with tough-cookie ${version}`);
