"""Signs in at an identity provider with Microsoft's own library, in every way it has, and prints as JSON what
came of it. Tokens are not printed, only what they claim.

Everything comes by the environment, so that no secret is in the process list:

    MSAL_AUTHORITY      https://localhost:PORT/TENANT
    REQUESTS_CA_BUNDLE  the certificate authority of that server
    MSAL_USER, MSAL_PASSWORD
    MSAL_PUBLIC_CLIENT  client id of a public client with http://localhost as redirect
    MSAL_WEB_CLIENT, MSAL_WEB_SECRET, MSAL_WEB_REDIRECT
    MSAL_DAEMON_CLIENT, MSAL_DAEMON_SECRET
    MSAL_CERTIFICATE, MSAL_KEY  PEM files: what the daemon and the web application have registered
    MSAL_ASSERTION      a file with an outside issuer's token that the daemon's registration trusts
    MSAL_RESOURCE       https://outlook.office365.com unless said otherwise

Arguments: the flows, those of FLOWS below; all of them unless said otherwise. Exits with 1 when one failed; its entry
then has `error`.
"""

import base64
import hashlib
import json
import os
import shlex
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msal
import requests

from browser import Person

AUTHORITY = os.environ["MSAL_AUTHORITY"]
RESOURCE = os.environ.get("MSAL_RESOURCE", "https://outlook.office365.com")
SCOPES = [RESOURCE + "/IMAP.AccessAsUser.All"]


class Failed(Exception):
    pass


def claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def checked(result):
    """What the library returned, without its secrets; its errors are ours."""
    if not result or "access_token" not in result:
        raise Failed({key: (result or {}).get(key) for key in ("error", "error_codes", "error_description")})
    return {
        "claims": claims(result["access_token"]),
        "id_token_claims": result.get("id_token_claims"),
        "expires_in": result.get("expires_in"),
        "scope": result.get("scope"),
        "token_type": result.get("token_type"),
        "token_source": result.get("token_source"),
        "has_refresh_token": "refresh_token" in result,
    }


def person():
    return Person(os.environ["MSAL_USER"], os.environ["MSAL_PASSWORD"])


class Ported(requests.Session):
    """The library asks for a user's realm at the login host without its port; this adds it. Everything else passes."""

    def request(self, method, url, **rest):
        here = urlsplit(AUTHORITY)
        if urlsplit(url).netloc == here.hostname:
            url = url.replace(here.hostname, here.netloc, 1)
        return super().request(method, url, **rest)


def public_app(**options):
    return msal.PublicClientApplication(
        os.environ["MSAL_PUBLIC_CLIENT"], authority=AUTHORITY, instance_discovery=False, **options
    )


def confidential_app(name, credential=None):
    return msal.ConfidentialClientApplication(
        os.environ[f"MSAL_{name}_CLIENT"],
        client_credential=credential or os.environ[f"MSAL_{name}_SECRET"],
        authority=AUTHORITY,
        instance_discovery=False,
    )


def by_sha256():
    """PS256 with x5t#S256, as the library chooses when it is given the certificate."""
    key, certificate = Path(os.environ["MSAL_KEY"]), Path(os.environ["MSAL_CERTIFICATE"])
    return {"private_key": key.read_text(), "public_certificate": certificate.read_text()}


def by_sha1():
    """RS256 with x5t, as the library chooses when it is given that thumbprint."""
    der = ssl.PEM_cert_to_DER_cert(Path(os.environ["MSAL_CERTIFICATE"]).read_text())
    return {"private_key": Path(os.environ["MSAL_KEY"]).read_text(), "thumbprint": hashlib.sha1(der).hexdigest()}


def sign_in_by_device(app):
    flow = app.initiate_device_flow(scopes=SCOPES)
    if "user_code" not in flow:
        raise Failed(flow)
    visitor = person()
    page = visitor.walk(flow["verification_uri"], code=flow["user_code"])
    result = app.acquire_token_by_device_flow(flow)
    return flow, page, result


def device():
    flow, page, result = sign_in_by_device(public_app())
    return {
        **checked(result),
        "message_names_code": flow["user_code"] in flow["message"] and flow["verification_uri"] in flow["message"],
        "interval": flow.get("interval"),
        "last_page": page["text"],
    }


def silent():
    """From the cache, then by a refresh that the library is told to make."""
    app = public_app()
    _, _, first = sign_in_by_device(app)
    checked(first)
    accounts = app.get_accounts(os.environ["MSAL_USER"])
    if len(accounts) != 1:
        raise Failed(f"the cache has {len(accounts)} accounts of that user")
    cached = app.acquire_token_silent_with_error(SCOPES, account=accounts[0])
    renewed = app.acquire_token_silent_with_error(SCOPES, account=accounts[0], force_refresh=True)
    checked(renewed)
    return {
        **checked(renewed),
        "cached_source": checked(cached)["token_source"],
        "cached_is_first": cached["access_token"] == first["access_token"],
        "renewed_is_new": renewed["access_token"] != first["access_token"],
    }


def by_code(app, redirect, **options):
    flow = app.initiate_auth_code_flow(
        scopes=SCOPES, redirect_uri=redirect, login_hint=os.environ["MSAL_USER"], **options
    )
    if "auth_uri" not in flow:
        raise Failed(flow)
    visitor = person()
    answer = visitor.walk(flow["auth_uri"], until=redirect)
    return {**checked(app.acquire_token_by_auth_code_flow(flow, answer)), "visited": visitor.visited}


def code():
    return by_code(confidential_app("WEB"), os.environ["MSAL_WEB_REDIRECT"])


def public_code():
    return by_code(public_app(), "http://localhost:49152")


def certificate_code():
    """Code and refresh, both with the certificate."""
    app = confidential_app("WEB", by_sha256())
    report = by_code(app, os.environ["MSAL_WEB_REDIRECT"])
    account = app.get_accounts(os.environ["MSAL_USER"])[0]
    return {**report, "renewed": checked(app.acquire_token_silent(SCOPES, account=account, force_refresh=True))}


def form_post_code():
    return by_code(public_app(), "http://localhost:49152", response_mode="form_post")


def interactive():
    """With the library's own listener; the browser is a program that walks the pages in another process."""
    walk = Path(__file__).with_name("browser.py")
    # The ampersand lets the browser run beside the listener.
    os.environ["BROWSER"] = f"{shlex.quote(sys.executable)} {shlex.quote(str(walk))} %s &"
    return checked(public_app().acquire_token_interactive(SCOPES, login_hint=os.environ["MSAL_USER"], timeout=60))


def password():
    app = public_app(http_client=Ported())
    return checked(app.acquire_token_by_username_password(os.environ["MSAL_USER"], os.environ["MSAL_PASSWORD"], SCOPES))


def challenge():
    """A refusal with `claims`, which a new sign-in with them meets."""
    app = public_app()
    _, _, first = sign_in_by_device(app)
    checked(first)
    root = "{0.scheme}://{0.netloc}".format(urlsplit(AUTHORITY))
    rule = {"fault": "claims-challenge", "value": "c1"}
    requests.post(root + "/sandbox/faults", json=rule, timeout=30).raise_for_status()
    account = app.get_accounts(os.environ["MSAL_USER"])[0]
    refused = app.acquire_token_silent_with_error(SCOPES, account=account, force_refresh=True)
    report = by_code(app, "http://localhost:49152", claims_challenge=refused["claims"])
    return {**report, "refused": {key: refused.get(key) for key in ("error", "error_codes", "claims")}}


def for_daemon(credential=None):
    return checked(confidential_app("DAEMON", credential).acquire_token_for_client(scopes=[RESOURCE + "/.default"]))


def federated():
    return for_daemon({"client_assertion": Path(os.environ["MSAL_ASSERTION"]).read_text()})


FLOWS = {
    "device": device,
    "silent": silent,
    "code": code,
    "public-code": public_code,
    "form-post-code": form_post_code,
    "certificate-code": certificate_code,
    "interactive": interactive,
    "password": password,
    "client": for_daemon,
    "certificate": lambda: for_daemon(by_sha256()),
    "certificate-sha1": lambda: for_daemon(by_sha1()),
    "federated": federated,
    "challenge": challenge,
}


def main():
    report, good = {}, True
    for name in sys.argv[1:] or FLOWS:
        try:
            report[name] = FLOWS[name]()
        except Exception as error:  # whatever it is, the other flows are tried and the report is printed
            report[name] = {"error": f"{type(error).__name__}: {error}"}
            good = False
    json.dump(report, sys.stdout, indent=1, default=str)
    print()
    sys.exit(0 if good else 1)


main()
