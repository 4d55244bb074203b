"""A person at a browser: follows links and redirects, fills in forms, presses the button that goes on.

Knows pages by their fields, not by their addresses or their order, so it can walk any sign-in that is plain HTML.

As a program, `browser.py ADDRESS` is a browser that somebody has opened: it signs in as MSAL_USER with MSAL_PASSWORD.
"""

import os
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests


class Lost(Exception):
    """The pages led nowhere; the text says where they ended."""


class _Forms(HTMLParser):
    """All forms of a page: their action, method, fields and buttons; and what the page says."""

    def __init__(self):
        super().__init__()
        self.forms = []
        self.text = []
        self._button = None

    def handle_starttag(self, tag, attrs):
        attrs = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = attrs.get("method", "get").lower()
            self.forms.append({"action": attrs.get("action", ""), "method": method, "fields": [], "buttons": []})
        elif not self.forms:
            return
        elif tag == "input" and attrs.get("type") in ("submit", "image"):
            self.forms[-1]["buttons"].append({**attrs, "label": attrs.get("value", "")})
        elif tag == "input" and attrs.get("name"):
            self.forms[-1]["fields"].append(attrs)
        elif tag == "button":
            self._button = {**attrs, "label": ""}
            self.forms[-1]["buttons"].append(self._button)

    def handle_endtag(self, tag):
        if tag == "button":
            self._button = None

    def handle_data(self, data):
        self.text.append(data.strip())
        if self._button is not None:
            self._button["label"] += data


FORWARD = ("accept", "sign in", "signin", "next", "continue", "yes", "submit")
BACKWARD = ("cancel", "decline", "admin", "back", "no")


def _rank(button):
    """Smaller is more likely the button that goes on."""
    words = " ".join(button.get(key, "") for key in ("label", "value", "id")).lower()
    if any(word in words for word in BACKWARD):
        return len(FORWARD) + 1
    return next((n for n, word in enumerate(FORWARD) if word in words), len(FORWARD))


class Person:
    def __init__(self, user, password):
        self.user, self.password = user, password
        self.session = requests.Session()
        self.visited = []

    def _value(self, field, code):
        kind, name = field.get("type", "text"), field["name"].lower()
        if kind == "hidden":
            return field.get("value", "")
        if kind == "password":
            return self.password
        if "otc" in name or "code" in name:
            return code or field.get("value", "")
        return self.user

    def walk(self, url, code=None, until=None):
        """Goes on until a redirect (or a form) leads to an address that begins with `until`, and gives back what it
        carries, or until a page has no form, and gives back its text."""
        method, data = "get", None
        for _ in range(20):
            if until and url.startswith(until):
                return data or {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
            self.visited.append(urlsplit(url).path)
            body = {"params": data} if method == "get" else {"data": data}
            response = self.session.request(method, url, allow_redirects=False, timeout=30, **body)
            if response.is_redirect:
                method, data, url = "get", None, urljoin(url, response.headers["Location"])
                continue
            page = _Forms()
            page.feed(response.text)
            said = " ".join(filter(None, page.text))
            if response.status_code >= 400:
                raise Lost(f"{url} answered {response.status_code}: {said[:500]}")
            if not page.forms:
                if until:
                    raise Lost(f"{url} has no form and is not the redirect: {said[:500]}")
                return {"text": said}
            form = page.forms[0]
            data = {field["name"]: self._value(field, code) for field in form["fields"]}
            button = min(form["buttons"], key=_rank, default=None)
            if button and button.get("name"):
                data[button["name"]] = button.get("value", "")
            method, url = form["method"], urljoin(url, form["action"])
        raise Lost(f"still not there after 20 pages: {self.visited}")


if __name__ == "__main__":
    Person(os.environ["MSAL_USER"], os.environ["MSAL_PASSWORD"]).walk(sys.argv[1])
