"""Verifies assertions with PyJWT and cryptography, which share no code with the maker.

Standard input: a JSON list of {"assertion", "certificate" (PEM), "algorithm", "audience"}. Standard output: a JSON list
with, for each, {"header", "claims", "x5t", "x5t#S256"} (the thumbprints computed here), or {"refused": kind of error}. Where
the assertion brings certificates of its own (x5c), the first of them has to be that one and to verify the signature.
"""

import base64
import json
import sys

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes


def thumbprint(certificate, algorithm):
    return base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).rstrip(b"=").decode()


def verify(case):
    certificate = x509.load_pem_x509_certificate(case["certificate"].encode())
    chain = jwt.get_unverified_header(case["assertion"]).get("x5c", [])
    chain = [x509.load_der_x509_certificate(base64.b64decode(one, validate=True)) for one in chain]
    if chain and chain[0] != certificate:
        return {"refused": "another certificate"}
    certificate = chain[0] if chain else certificate
    try:
        claims = jwt.decode(
            case["assertion"],
            certificate.public_key(),
            algorithms=[case["algorithm"]],
            audience=case["audience"],
            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"], "verify_jti": True, "strict_aud": True},
        )
    except jwt.InvalidTokenError as error:
        return {"refused": type(error).__name__}
    return {
        "header": jwt.get_unverified_header(case["assertion"]),
        "claims": claims,
        "x5t": thumbprint(certificate, hashes.SHA1()),
        "x5t#S256": thumbprint(certificate, hashes.SHA256()),
    }


json.dump([verify(case) for case in json.load(sys.stdin)], sys.stdout)
