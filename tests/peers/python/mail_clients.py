"""Sends with smtplib and reads with poplib: mail_clients.py send|read PORT USER [RECIPIENT].

Signs in with XOAUTH2 in two steps and the token in the environment variable MAIL_TOKEN; trusts the authority in SSL_CERT_FILE.
`send` reads a message from standard input; `read` writes JSON: the messages' unique-ids and octets (as Latin-1).
"""

import base64
import json
import os
import poplib
import smtplib
import ssl
import sys

what, port, user = sys.argv[1:4]
message = f"user={user}\x01auth=Bearer {os.environ['MAIL_TOKEN']}\x01\x01"
context = ssl.create_default_context()
if what == "send":
    with smtplib.SMTP("localhost", int(port)) as smtp:
        smtp.starttls(context=context)
        smtp.ehlo()
        # The first challenge is the invitation; an error challenge is answered with nothing.
        answers = iter([message])
        smtp.auth("XOAUTH2", lambda challenge=None: next(answers, ""), initial_response_ok=False)
        smtp.sendmail(user, sys.argv[4:], sys.stdin.buffer.read())
else:
    pop = poplib.POP3_SSL("localhost", int(port), context=context)
    # poplib knows no AUTH: its own command method says the lines.
    pop._putcmd("AUTH XOAUTH2")
    prompt, _ = pop._getline()
    if not prompt.startswith(b"+"):
        sys.exit(f"no invitation: {prompt!r}")
    pop._shortcmd(base64.b64encode(message.encode()).decode())
    ids = [line.split(b" ", 1)[1].decode() for line in pop.uidl()[1]]
    bodies = [b"".join(line + b"\r\n" for line in pop.retr(n + 1)[1]).decode("latin-1") for n in range(len(ids))]
    pop.quit()
    json.dump({"ids": ids, "messages": bodies}, sys.stdout)
