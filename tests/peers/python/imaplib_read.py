"""Reads mail with Python's imaplib: imaplib_read.py HOST PORT USER FOLDER.

Signs in with XOAUTH2 and the token in the environment variable IMAP_TOKEN; trusts the authority in SSL_CERT_FILE. Prints
JSON: the folders, how many messages FOLDER has, the octets of each, and the SHA-256 of all bodies one after the other.
"""

import hashlib
import imaplib
import json
import os
import re
import ssl
import sys

host, port, user, folder = sys.argv[1:]
message = f"user={user}\x01auth=Bearer {os.environ['IMAP_TOKEN']}\x01\x01".encode()


def checked(answer):
    status, data = answer
    if status != "OK":
        sys.exit(f"the server refused: {data!r}")
    return data


imap = imaplib.IMAP4_SSL(host, int(port), ssl_context=ssl.create_default_context())
# An error challenge comes as a second call; it is answered with an empty line.
messages = iter([message])
checked(imap.authenticate("XOAUTH2", lambda challenge: next(messages, b"")))
folders = [line.decode("utf-8", "replace") for line in checked(imap.list()) if isinstance(line, bytes)]
count = int(checked(imap.select(f'"{folder}"', readonly=True))[0])
digest, sizes = hashlib.sha256(), []
uids = checked(imap.uid("SEARCH", None, "ALL"))[0].split()
for start in range(0, len(uids), 100):
    batch = b",".join(uids[start : start + 100]).decode()
    bodies = {}
    for item in checked(imap.uid("FETCH", batch, "(UID BODY.PEEK[])")):
        if isinstance(item, tuple):
            bodies[int(re.search(rb"UID (\d+)", item[0]).group(1))] = item[1]
    for uid in sorted(bodies):
        digest.update(bodies[uid])
        sizes.append(len(bodies[uid]))
imap.logout()
json.dump({"folders": folders, "exists": count, "count": len(sizes), "sizes": sizes, "sha256": digest.hexdigest()}, sys.stdout)
print()
