"""Deliveries made by gpg, 7-Zip, Info-ZIP, gzip, openssl and python-pskc; codes by oathtool; PSKC read by pskctool.

Every field that seedmill writes is compared with what this script put in. Seeds are drawn anew in each run.
Usage: interop.py SEEDMILL
"""

import base64
import gzip
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEEDMILL = Path(sys.argv[1]).resolve()
PASSWORD = "Invented4711"
TOKENS = 40

done, left_out = [], []


def run(*command, **options):
    """Runs a program; its output is text."""
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if ended.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {ended.returncode}: {ended.stderr}")
    return ended.stdout


def have(program):
    if shutil.which(program):
        return True
    left_out.append(program)
    return False


class Token:
    def __init__(self, number):
        self.serial = f"000{number:07}"
        self.seed = secrets.token_bytes([16, 20, 20, 20][number % 4])
        self.period = [30, 60][number % 2]
        self.base32 = base64.b32encode(self.seed).decode().rstrip("=")

    def graph(self):
        return {
            "serialNumber": self.serial,
            "manufacturer": "Acme, Inc.",
            "model": 'One "O"',
            "secretKey": self.base32,
            "timeIntervalInSeconds": self.period,
            "hashFunction": "hmacsha1",
        }


def entra_csv(tokens):
    rows = ["serial number,secret key,time interval,manufacturer,model"]
    rows += [f'{t.serial},{t.base32},{t.period},"Acme, Inc.","One ""O"""' for t in tokens]
    return "\r\n".join(rows) + "\r\n"


def hex_csv(tokens):
    rows = ["Nr;S/N;Maker;Product;Key;Step"]
    rows += [f'{n};{t.serial};Acme, Inc.;"One ""O""";{t.seed.hex()};{t.period}' for n, t in enumerate(tokens)]
    return "\n".join(rows) + "\n"


HEX_COLUMNS = [
    part
    for column in ("serial=S/N", "manufacturer=Maker", "model=Product", "seed=Key", "period=Step")
    for part in ("--column", column)
]


def check(name, delivery, tokens, *options):
    """Converts a delivery to Graph JSON and compares every field."""
    out = delivery.parent / "out.json"
    out.unlink(missing_ok=True)
    environment = {"PATH": os.environ["PATH"], "SEEDMILL_PASSWORD": PASSWORD}
    run(SEEDMILL, "convert", delivery, "--to", "graph", "-o", out, "-q", *options, env=environment)
    body = json.loads(out.read_text())
    expected = [{"@contentId": str(n + 1), **token.graph()} for n, token in enumerate(tokens)]
    if body != {"@context": "#$delta", "value": expected}:
        raise SystemExit(f"{name}: what was written differs from what was sealed")
    if out.stat().st_mode & 0o777 != 0o600:
        raise SystemExit(f"{name}: others may read the output")
    done.append(name)


def sealed_by_zip_programs(folder, tokens):
    plain = folder / "tokens.csv"
    plain.write_bytes(b"\xef\xbb\xbf" + entra_csv(tokens).encode())
    if have("7zz"):
        for method in ("AES256", "AES192", "AES128", "ZipCrypto"):
            archive = folder / f"7zz-{method}.zip"
            run("7zz", "a", "-tzip", f"-mem={method}", f"-p{PASSWORD}", archive, plain)
            check(f"7zz {method}", archive, tokens)
    if have("zip"):
        archive = folder / "info-zip.pdf"
        run("zip", "-q", "-j", "-P", PASSWORD, folder / "x.zip", plain)
        (folder / "x.zip").rename(archive)
        check("Info-ZIP ZipCrypto, renamed .pdf", archive, tokens)
    zipped = folder / "tokens.csv.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    check("gzip", zipped, tokens)
    wide = folder / "utf16.csv"
    wide.write_bytes(entra_csv(tokens).encode("utf-16"))
    check("UTF-16 as PowerShell writes it", wide, tokens)
    custom = folder / "custom.csv.txt"
    custom.write_text(hex_csv(tokens))
    check("custom CSV in hex, by columns", custom, tokens, *HEX_COLUMNS)


def sealed_by_gpg(folder, tokens):
    if not have("gpg"):
        return
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", home, "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--trust-model", "always"]
    plain = folder / "inner.csv"
    plain.write_text(entra_csv(tokens))
    inner = folder / "inner.zip"
    with_zip = have("7zz")
    if with_zip:
        run("7zz", "a", "-tzip", "-mem=AES256", f"-p{PASSWORD}", inner, plain)
    for algorithm in ("rsa3072", "cv25519", "nistp256", "nistp384"):
        user = f"{algorithm}@example.com"
        sign, encrypt = ("ed25519", "cv25519") if algorithm == "cv25519" else (algorithm, algorithm)
        run(*gpg, "--passphrase", PASSWORD, "--quick-generate-key", user, sign, "sign,cert", "1d")
        fingerprint = next(
            line.split(":")[9] for line in run(*gpg, "--with-colons", "--list-keys", user).splitlines() if line.startswith("fpr")
        )
        run(*gpg, "--passphrase", PASSWORD, "--quick-add-key", fingerprint, encrypt, "encr", "1d")
        key, certificate = folder / f"{algorithm}.key", folder / f"{algorithm}.cert"
        key.write_text(run(*gpg, "--passphrase", PASSWORD, "--armor", "--export-secret-keys", user))
        certificate.write_text(run(*gpg, "--armor", "--export", user))
        message = folder / f"{algorithm}.asc"
        run(*gpg, "--armor", "-r", user, "-o", message, "--encrypt", plain)
        check(f"gpg to {algorithm}, armored", message, tokens, "--pgp-key", key)
        message = folder / f"{algorithm}.gpg"
        run(*gpg, "--passphrase", PASSWORD, "-r", user, "-u", user, "-o", message, "--sign", "--encrypt", plain)
        check(f"gpg to {algorithm}, signed", message, tokens, "--pgp-key", key, "--signed-by", certificate)
        if with_zip:
            message = folder / f"{algorithm}-zip.gpg"
            run(*gpg, "-r", user, "-o", message, "--encrypt", inner)
            check(f"gpg to {algorithm} around an AES ZIP", message, tokens, "--pgp-key", key)
    message = folder / "symmetric.gpg"
    run(*gpg, "--passphrase", PASSWORD, "-o", message, "--symmetric", plain)
    check("gpg by passphrase", message, tokens)
    if with_zip:
        outer = folder / "outer.zip"
        run("7zz", "a", "-tzip", outer, message)
        check("a ZIP around gpg", outer, tokens)
    run("gpgconf", "--homedir", home, "--kill", "all")


def pskc_by_python(folder, tokens):
    try:
        from pskc import PSKC
    except ImportError:
        left_out.append("python-pskc")
        return

    def container():
        made = PSKC()
        for number, token in enumerate(tokens):
            made.add_key(
                id=str(number),
                serial=token.serial,
                manufacturer="Acme, Inc.",
                model='One "O"',
                algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp",
                algorithm_suite="HMAC-SHA1",
                response_length=6,
                response_encoding="DECIMAL",
                time_interval=token.period,
                secret=token.seed,
            )
        return made

    plain = folder / "plain.pskcxml"
    container().write(str(plain))
    check("python-pskc, plain", plain, tokens)
    for bits in (128, 192, 256):
        key = secrets.token_bytes(bits // 8)
        made = container()
        made.encryption.setup_preshared_key(algorithm=f"aes{bits}-cbc", key=key, key_name="Shared")
        beside = folder / f"aes{bits}"
        beside.mkdir()
        made.write(str(beside / "tokens.xml"))
        (beside / "key.txt").write_text(key.hex() + "\n")
        check(f"python-pskc, AES-{bits} by a key beside it", beside, tokens)
        check(f"python-pskc, AES-{bits} by a key file", beside / "tokens.xml", tokens, "--pskc-key-file", beside / "key.txt")
    for prf in ("hmac-sha1", "hmac-sha256", "hmac-sha512"):
        made = container()
        made.encryption.setup_pbkdf2(PASSWORD, iterations=2_000, algorithm="aes128-cbc", key_length=16, prf=prf)
        sealed = folder / f"pbkdf2-{prf}.xml"
        made.write(str(sealed))
        check(f"python-pskc, PBKDF2 {prf}", sealed, tokens)
    if have("pskctool"):
        listed = run("pskctool", "--info", plain)
        seeds = [line.split(":", 1)[1].strip() for line in listed.splitlines() if "Key Secret (base64)" in line or line.strip().startswith("Key Value:")]
        lines = run(SEEDMILL, "convert", plain, "--to", "jsonl", "-o", "-", "-q").splitlines()
        ours = [base64.b64encode(base64.b32decode(pad(json.loads(line)["seed"]))).decode() for line in lines]
        theirs = [entry for entry in seeds if entry]
        if theirs and ours != theirs:
            raise SystemExit("pskctool reads other seeds than seedmill")
        done.append(f"pskctool reads the same {len(theirs)} seeds")


def pad(base32):
    return base32 + "=" * (-len(base32) % 8)


def codes_by_oathtool(folder, tokens):
    """The codes of what was written, computed by oathtool, are those of the seeds that were sealed."""
    if not have("oathtool"):
        return
    now = f"@{int(time.time())}"
    written = json.loads((folder / "out.json").read_text())["value"]
    for token, item in list(zip(tokens, written))[:10]:
        ours = run("oathtool", "--totp=sha1", "-b", "-s", f"{item['timeIntervalInSeconds']}s", "-N", now, item["secretKey"])
        theirs = run("oathtool", "--totp=sha1", "-s", f"{token.period}s", "-N", now, token.seed.hex())
        if ours != theirs:
            raise SystemExit("oathtool computes other codes from what was written")
    done.append("oathtool computes the same codes")


def main():
    tokens = [Token(number) for number in range(TOKENS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sealed_by_zip_programs(folder, tokens)
        sealed_by_gpg(folder, tokens)
        codes_by_oathtool(folder, tokens)
        pskc_by_python(folder, tokens)
    for name in sorted(set(left_out)):
        print(f"left out: {name} is not here")
    print(f"interop: {len(done)} passed, 0 failed")


main()
