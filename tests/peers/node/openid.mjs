// Signs in with openid-client, a certified OpenID Connect client: openid.mjs FLOW. Writes as JSON what came of it; tokens are not in it, only
// what they claim. The environment is that of msal.mjs.

import { X509Certificate, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { importPKCS8 } from "jose";
import * as client from "openid-client";

const { walk, claims } = await import(process.env.PERSON);
const env = process.env;
const exchange = "https://outlook.office.com";
const scope = `openid profile email offline_access ${exchange}/IMAP.AccessAsUser.All`;

const configure = (id, authentication) =>
  client.discovery(new URL(`${env.AUTHORITY}/v2.0`), id, undefined, authentication);

/// RFC 7523 with the thumbprint that Entra wants in the header.
async function byKey() {
  const der = new X509Certificate(readFileSync(env.CERTIFICATE)).raw;
  const thumbprint = createHash("sha256").update(der).digest("base64url");
  const key = await importPKCS8(readFileSync(env.KEY, "utf8"), "PS256");
  return client.PrivateKeyJwt({ key }, {
    [client.modifyAssertion]: (header) => {
      header["x5t#S256"] = thumbprint;
    },
  });
}

const shown = (tokens) => ({
  claims: claims(tokens.access_token),
  idToken: tokens.claims(),
  expiresIn: tokens.expiresIn(),
  type: tokens.token_type,
  scope: tokens.scope,
});

async function byCode(config, redirect_uri, refreshed) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri, scope, state: expectedState, nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
  });
  const landed = await walk(url.href, { until: redirect_uri });
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, landed, checks);
  if (!refreshed) return shown(tokens);
  return { ...shown(await client.refreshTokenGrant(config, tokens.refresh_token)), first: shown(tokens) };
}

const forDaemon = async (authentication) => {
  const config = await configure(env.DAEMON_CLIENT, authentication);
  return shown(await client.clientCredentialsGrant(config, { scope: `${exchange}/.default` }));
};
const ofPublic = () => configure(env.PUBLIC_CLIENT, client.None());
const ofWeb = (authentication) => configure(env.WEB_CLIENT, authentication);
const callback = "https://localhost:8443/callback";

const flows = {
  discovery: async () => (await ofPublic()).serverMetadata(),
  code: async () => byCode(await ofPublic(), "http://localhost:49152/"),
  refresh: async () => byCode(await ofPublic(), "http://localhost:49152/", true),
  "web-post": async () => byCode(await ofWeb(client.ClientSecretPost(env.WEB_SECRET)), callback, true),
  "web-basic": async () => byCode(await ofWeb(client.ClientSecretBasic(env.WEB_SECRET)), callback, true),
  "web-key": async () => byCode(await ofWeb(await byKey()), callback, true),
  device: async () => {
    const config = await ofPublic();
    const device = await client.initiateDeviceAuthorization(config, { scope });
    await walk(device.verification_uri, { code: device.user_code });
    return shown(await client.pollDeviceAuthorizationGrant(config, device));
  },
  "secret-post": () => forDaemon(client.ClientSecretPost(env.DAEMON_SECRET)),
  "secret-basic": () => forDaemon(client.ClientSecretBasic(env.DAEMON_SECRET)),
  key: async () => forDaemon(await byKey()),
};

try {
  console.log(JSON.stringify(await flows[process.argv[1]]()));
} catch (error) {
  const { name, message, code, cause } = error;
  console.log(JSON.stringify({ error: `${name}: ${message}`, code, cause: cause?.error ?? String(cause) }));
}
