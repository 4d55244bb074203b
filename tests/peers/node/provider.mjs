// A small authorisation server on loopback: oidc-provider with its own pages and in-memory accounts, where every name signs in with every
// password.
//
// The argument is JSON: `clients` as they are registered (`certificate`, PEM, instead of `jwks`), `lives` of the access tokens to come in
// seconds (then an hour), `deviceLife` in seconds. Prints its port, and answers /counts; /revoke ends every session.
import { createPublicKey } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

// Standard output is for the port alone.
console.info = console.error;

const wishes = JSON.parse(process.argv[1]);

const counts = { success: {}, errors: [], revoked: 0 };
const grant = (ctx) => ctx.oidc?.params?.grant_type ?? "none";

function client({ certificate, ...rest }) {
  if (!certificate) return rest;
  const key = createPublicKey(certificate).export({ format: "jwk" });
  return { ...rest, jwks: { keys: [{ ...key, use: "sig" }] } };
}

// The same token is asked for its life more than once.
const lives = new WeakMap();
function life(_ctx, token) {
  if (!lives.has(token)) lives.set(token, wishes.lives?.shift() ?? 3600);
  return lives.get(token);
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`http://localhost:${port}`, {
    clients: wishes.clients.map(client),
    scopes: ["openid", "offline_access", "email", "mail"],
    claims: { openid: ["sub"], email: ["email"] },
    // Mail programs read the id_token and ask no other endpoint.
    conformIdTokenClaims: false,
    cookies: { keys: ["not a secret"] },
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      introspection: { enabled: true },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
    rotateRefreshToken: true,
    ttl: {
      AccessToken: life,
      ClientCredentials: life,
      DeviceCode: wishes.deviceLife ?? 600,
      RefreshToken: 86400,
      Session: 86400,
      Grant: 86400,
      Interaction: 600,
      IdToken: 3600,
      AuthorizationCode: 60,
    },
  });
  const grants = new Set();
  provider.on("grant.success", (ctx) => {
    grants.add(ctx.oidc.entities.Grant?.jti);
    counts.success[grant(ctx)] = (counts.success[grant(ctx)] ?? 0) + 1;
  });
  provider.on("grant.error", (ctx, error) => counts.errors.push(`${grant(ctx)}: ${error.error}: ${error.error_detail ?? ""}`));
  provider.on("grant.revoked", () => {
    counts.revoked += 1;
  });
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (request.url === "/revoke") for (const id of grants) await provider.RefreshToken.revokeByGrantId(id);
    else if (request.url !== "/counts") return answer(request, response);
    const body = JSON.stringify(counts);
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    return response.end(body);
  });
  console.log(port);
});

// Whoever started it has gone.
process.stdin.on("end", () => process.exit());
process.stdin.resume();
