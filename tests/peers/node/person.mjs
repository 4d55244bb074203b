// A person at a browser: follows redirects, fills in forms, presses the button that goes on. The pages have no scripts.
//
// Signs in as SIGN_IN_USER with SIGN_IN_PASSWORD. Uses nothing but what Node has.

const forward = ["accept", "signin", "next", "continue"];

function attribute(tag, name) {
  const found = tag.match(new RegExp(`\\b${name}="([^"]*)"`));
  return found?.[1].replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}

/// The first form of a page: where it goes and what it sends.
function filled(html, code) {
  const form = html.match(/<form[^>]*>[\s\S]*?<\/form>/)?.[0];
  if (!form) return undefined;
  const data = new URLSearchParams();
  let asks = false;
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    const [name, type] = [attribute(tag, "name"), attribute(tag, "type")];
    asks ||= type !== "hidden";
    if (type === "hidden") data.set(name, attribute(tag, "value"));
    else if (type === "password") data.set(name, process.env.SIGN_IN_PASSWORD);
    else data.set(name, ["otc", "user_code"].includes(name) ? code : process.env.SIGN_IN_USER);
  }
  const buttons = [...form.matchAll(/<button[^>]*>/g)].map(([tag]) => tag);
  const button = buttons.find((tag) => forward.includes(attribute(tag, "id")));
  if (button && attribute(button, "name")) data.set(attribute(button, "name"), attribute(button, "value"));
  return { action: attribute(form, "action"), data, asks };
}

/// Walks from `url` until an address begins with `until`, and returns that address with what it was sent; or until a page has no form.
///
/// `code` is typed where a page asks for one; with `refuse`, a consent is declined where the page has a link for that.
export async function walk(url, { until, code, refuse } = {}) {
  const cookies = new Map();
  let body;
  let declined = false;
  for (let page = 0; page < 20; page += 1) {
    if (until && url.startsWith(until)) {
      const landed = new URL(url);
      for (const [name, value] of body ?? []) landed.searchParams.set(name, value);
      return landed;
    }
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    const answer = await fetch(url, { method: body ? "POST" : "GET", body, headers, redirect: "manual" });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name, ...value] = cookie.split(";")[0].split("=");
      cookies.set(name, value.join("="));
    }
    if (answer.status >= 300 && answer.status < 400) {
      url = new URL(answer.headers.get("location"), url).href;
      body = undefined;
      continue;
    }
    const html = await answer.text();
    const form = filled(html, code);
    // An error that is on its way back in a form may have the status of one.
    if (!answer.ok && !form) throw new Error(`${url} answered ${answer.status}: ${html}`);
    const decline = form?.data.get("prompt") === "consent" && html.match(/href="([^"]*\/abort)"/)?.[1];
    // Back where it began: there is nothing more to do.
    if (declined && form?.asks) return undefined;
    if (refuse && decline) {
      declined = true;
      url = new URL(decline, url).href;
      body = undefined;
      continue;
    }
    if (!form) {
      if (until) throw new Error(`${url} has no form: ${html}`);
      return undefined;
    }
    url = new URL(form.action, url).href;
    body = form.data;
  }
  throw new Error("still not there after 20 pages");
}

/// The claims of a JWT, unverified.
export function claims(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}
