// Signs in with Microsoft's library for Node: msal.mjs FLOW. Writes as JSON what came of it; tokens are not in it, only what they claim.
//
// The environment: AUTHORITY (https://localhost:PORT/TENANT), SIGN_IN_USER and SIGN_IN_PASSWORD, PUBLIC_CLIENT, WEB_CLIENT, WEB_SECRET,
// DAEMON_CLIENT, DAEMON_SECRET, CERTIFICATE and KEY (PEM files), ASSERTION (a file with an outside issuer's token), PERSON (person.mjs), and
// NODE_EXTRA_CA_CERTS.

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import * as msal from "@azure/msal-node";

const { walk, claims } = await import(process.env.PERSON);
const env = process.env;
const exchange = "https://outlook.office.com";
const scopes = [`${exchange}/IMAP.AccessAsUser.All`];
const host = new URL(env.AUTHORITY).host;

const auth = (clientId, credential = {}) => ({
  auth: { clientId, authority: env.AUTHORITY, knownAuthorities: [host], ...credential },
});
const publicApp = () => new msal.PublicClientApplication(auth(env.PUBLIC_CLIENT));
const confidential = (clientId, credential) => new msal.ConfidentialClientApplication(auth(clientId, credential));
const certificate = () => {
  const x509 = new X509Certificate(readFileSync(env.CERTIFICATE));
  const thumbprintSha256 = x509.fingerprint256.replaceAll(":", "");
  return { clientCertificate: { thumbprintSha256, privateKey: readFileSync(env.KEY, "utf8") } };
};

const shown = (result) => ({
  claims: claims(result.accessToken),
  scopes: result.scopes,
  username: result.account?.username,
  idTokenClaims: result.idTokenClaims,
  fromCache: result.fromCache,
});

async function byCode(app, redirectUri, responseMode) {
  const { verifier, challenge } = await new msal.CryptoProvider().generatePkceCodes();
  const url = await app.getAuthCodeUrl({
    scopes, redirectUri, responseMode, codeChallenge: challenge, codeChallengeMethod: "S256", state: "s", nonce: "n",
  });
  const landed = await walk(url, { until: redirectUri });
  const [code, state] = ["code", "state"].map((name) => landed.searchParams.get(name));
  // What came back is given as well, so that the library holds it against what was sent.
  return app.acquireTokenByCode({ code, scopes, redirectUri, codeVerifier: verifier, state: "s", nonce: "n" }, { code, state });
}

const byDevice = (app) =>
  app.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: ({ verificationUri, userCode }) => walk(verificationUri, { code: userCode }),
  });

const forDaemon = async (credential) =>
  shown(await confidential(env.DAEMON_CLIENT, credential).acquireTokenByClientCredential({ scopes: [`${exchange}/.default`] }));

const flows = {
  device: async () => shown(await byDevice(publicApp())),
  silent: async () => {
    const app = publicApp();
    const { account } = await byDevice(app);
    const cached = await app.acquireTokenSilent({ account, scopes });
    const renewed = await app.acquireTokenSilent({ account, scopes, forceRefresh: true });
    return { ...shown(renewed), cached: shown(cached).fromCache, isNew: renewed.accessToken !== cached.accessToken };
  },
  code: async () => shown(await byCode(publicApp(), "http://localhost:49152", "query")),
  "form-post": async () => shown(await byCode(publicApp(), "http://localhost:49152", "form_post")),
  interactive: async () => {
    // With the library's own listener; the person is not waited for, as a browser would not be.
    const openBrowser = async (url) => void walk(url).catch((error) => console.error(error));
    return shown(await publicApp().acquireTokenInteractive({ scopes, openBrowser }));
  },
  web: async () => shown(await byCode(confidential(env.WEB_CLIENT, { clientSecret: env.WEB_SECRET }), "https://localhost:8443/callback")),
  "web-certificate": async () => shown(await byCode(confidential(env.WEB_CLIENT, certificate()), "https://localhost:8443/callback")),
  password: async () =>
    shown(await publicApp().acquireTokenByUsernamePassword({ scopes, username: env.SIGN_IN_USER, password: env.SIGN_IN_PASSWORD })),
  secret: () => forDaemon({ clientSecret: env.DAEMON_SECRET }),
  certificate: () => forDaemon(certificate()),
  federated: () => forDaemon({ clientAssertion: readFileSync(env.ASSERTION, "utf8") }),
};

try {
  console.log(JSON.stringify(await flows[process.argv[1]]()));
} catch (error) {
  console.log(JSON.stringify({ error: `${error.name}: ${error.message}`, code: error.errorCode, numbers: error.errorNo }));
}
