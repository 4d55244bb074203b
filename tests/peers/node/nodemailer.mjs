// Sends with nodemailer: nodemailer.mjs PORT USER RECIPIENT COUNT.
//
// Signs in with XOAUTH2 and the token in the environment variable MAIL_TOKEN; trusts the authority in NODE_EXTRA_CA_CERTS. Reads a
// message from standard input and sends it COUNT times, all at once, over a pool of one connection. Writes JSON, one entry for each:
// what the server said, or the error.

import { buffer } from "node:stream/consumers";
import nodemailer from "nodemailer";

const [port, user, recipient, count] = process.argv.slice(1);
const raw = await buffer(process.stdin);
const transport = nodemailer.createTransport({
  host: "localhost",
  port: Number(port),
  requireTLS: true,
  pool: true,
  maxConnections: 1,
  auth: { type: "OAuth2", user, accessToken: process.env.MAIL_TOKEN },
});
const sends = Array.from({ length: Number(count) }, () =>
  transport.sendMail({ envelope: { from: user, to: [recipient] }, raw }).then(
    ({ response }) => ({ response }),
    ({ code, responseCode, response }) => ({ code, responseCode, response }),
  ),
);
const report = await Promise.all(sends);
transport.close();
console.log(JSON.stringify(report));
