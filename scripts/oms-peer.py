"""Signs and verifies folders with the reference implementation of OpenSSF model signing: one JSON request a line, one answer a line."""

import datetime
import json
import pathlib
import sys

import model_signing
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def hashing(method, algorithm):
    config = model_signing.hashing.Config()
    if method == "shards":
        return config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=1000)
    return config.use_file_serialization(hashing_algorithm=algorithm)


def certificate(name, key, issuer, issuer_key, ca):
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = dict.fromkeys(
        ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only"],
        False,
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, **usage), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def write_chain(folder):
    keys = {name: ec.generate_private_key(ec.SECP384R1()) for name in ("root", "middle", "signer")}
    root = certificate("root", keys["root"], None, keys["root"], True)
    middle = certificate("middle", keys["middle"], root.subject, keys["root"], True)
    signer = certificate("signer", keys["signer"], middle.subject, keys["middle"], False)
    for name, one in {"root": root, "middle": middle, "signer": signer}.items():
        (folder / f"{name}.pem").write_bytes(one.public_bytes(serialization.Encoding.PEM))
    (folder / "signer.key").write_bytes(
        keys["signer"].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def answer(request):
    root, keys = pathlib.Path(request["root"]), pathlib.Path(request["keys"])
    signature = root / "model.sig"
    if request["do"] == "chain":
        write_chain(keys)
    elif request["do"] == "sign":
        config = model_signing.signing.Config()
        if request["mode"] == "certificate":
            config.use_certificate_signer(
                private_key=keys / "signer.key", signing_certificate=keys / "signer.pem", certificate_chain=[keys / "middle.pem"]
            )
        else:
            config.use_elliptic_key_signer(private_key=keys / f"{request['key']}.key", password=None)
        hasher = hashing(request["method"], request["hash"]).set_ignored_paths(paths=["model.sig"], ignore_git_paths=True)
        config.set_hashing_config(hasher).sign(root, signature)
    else:
        config = model_signing.verifying.Config()
        if request["mode"] == "certificate":
            config.use_certificate_verifier(certificate_chain=[keys / "root.pem"])
        else:
            config.use_elliptic_key_verifier(public_key=keys / f"{request['key']}.pub")
        # Left to itself, it cannot read back what it wrote for BLAKE2b (its own name) and for shards (their size as a float).
        if request.get("method"):
            hasher = hashing(request["method"], request["hash"]).set_ignored_paths(paths=["model.sig"], ignore_git_paths=True)
            config.set_hashing_config(hasher)
        config.verify(root, signature)


for line in sys.stdin:
    try:
        answer(json.loads(line))
        print(json.dumps({"ok": True}), flush=True)
    except Exception as error:
        print(json.dumps({"ok": False, "reason": f"{type(error).__name__}: {error}"}), flush=True)
