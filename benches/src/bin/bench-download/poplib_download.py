# ADDRESS CA-FILE USER PASSWORD DIRECTORY: every message with Python's poplib, to a Maildir.
import os, poplib, ssl, sys
address, ca, user, password, directory = sys.argv[1:]
host, port = address.rsplit(":", 1)
poplib._MAXLINE = 1 << 20
for sub in ("tmp", "new", "cur"):
    os.makedirs(f"{directory}/{sub}", exist_ok=True)
pop = poplib.POP3_SSL(host, int(port), context=ssl.create_default_context(cafile=ca))
pop.user(user)
pop.pass_(password)
for number in range(1, pop.stat()[0] + 1):
    lines = pop.retr(number)[1]
    with open(f"{directory}/tmp/{number}", "wb") as file:
        file.write(b"\r\n".join(lines) + b"\r\n")
    os.rename(f"{directory}/tmp/{number}", f"{directory}/cur/{number}:2,")
pop.quit()
