// Sets a new Glewlwyd up, or acts for a person at it: the pages of its own need scripts, so this does what they do.
//
//   setup PORT REDIRECT          registers the clients and the person
//   device PORT USER-CODE        signs in and lets the device in
//   browse PORT ADDRESS          signs in, grants, and goes where the browser is sent
import { generateKeyPairSync } from "node:crypto";

const [, what, port, third] = process.argv;
const base = `http://localhost:${port}`;
const scopes = "openid mail";
let cookie = "";

async function call(method, path, body) {
  const answer = await fetch(path.startsWith("http") ? path : `${base}/api/${path}`, {
    method,
    headers: { cookie, "content-type": "application/json" },
    body: body && JSON.stringify(body),
    redirect: "manual",
  });
  const set = answer.headers.getSetCookie();
  if (set.length) cookie = set.map((one) => one.split(";")[0]).join("; ");
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status}: ${await answer.text()}`);
  return answer.headers.get("location") ?? "";
}

async function setup(redirect) {
  await call("POST", "auth/", { username: "admin", password: "password" });
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  await call("POST", "mod/plugin/", {
    module: "oidc",
    name: "oidc",
    display_name: "oidc",
    order_rank: 0,
    parameters: {
      iss: `${base}/api/oidc`,
      "jwt-type": "rsa",
      "jwt-key-size": "256",
      key: privateKey,
      cert: publicKey,
      "access-token-duration": 2,
      "refresh-token-duration": 86400,
      "code-duration": 60,
      "refresh-token-rolling": true,
      "refresh-token-one-use": "always",
      "allow-non-oidc": true,
      "auth-type-code-enabled": true,
      "auth-type-code-revoke-replayed": true,
      "auth-type-password-enabled": true,
      "auth-type-client-enabled": true,
      "auth-type-device-enabled": true,
      "auth-type-refresh-enabled": true,
      "pkce-allowed": true,
      "pkce-required": true,
      "device-authorization-expiration": 600,
      "device-authorization-interval": 1,
      "oauth-as-iss-id": true,
      "subject-type": "public",
      "email-claim": "mandatory",
    },
  });
  await call("POST", "scope/", { name: "mail", display_name: "Mail", password_required: false });
  await call("POST", "user/", {
    username: "ana",
    name: "Ana",
    email: "ana@contoso.example",
    password: "ana's password",
    scope: ["openid", "mail", "g_profile"],
    enabled: true,
  });
  const client = (client_id, confidential, authorization_type, more) =>
    call("POST", "client/", { client_id, name: client_id, enabled: true, confidential, authorization_type, redirect_uri: [], scope: [], ...more });
  await call("POST", "scope/", { name: "offline_access", display_name: "Offline", password_required: false });
  await client("native", false, ["code", "refresh_token", "device_authorization"], { redirect_uri: [redirect] });
  await client("trusted", true, ["password", "client_credentials", "refresh_token"], {
    client_secret: "trusted's secret",
    scope: ["mail"],
    token_endpoint_auth_method: ["client_secret_post"],
  });
}

async function signIn() {
  await call("POST", "auth/", { username: "ana", password: "ana's password" });
  await call("PUT", "auth/grant/native", { scope: scopes });
}

if (what === "setup") {
  await setup(third);
} else if (what === "device") {
  await signIn();
  const landed = await call("GET", `oidc/device?code=${third}&g_continue`);
  if (!landed.includes("deviceComplete")) throw new Error(landed);
} else {
  await signIn();
  const back = await call("GET", `${third}&g_continue`);
  if (back.startsWith(base)) throw new Error(back);
  const page = await fetch(back);
  console.log(await page.text());
}
