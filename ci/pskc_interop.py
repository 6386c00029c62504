#!/usr/bin/env python3
"""Makes the PSKC fixtures, and writes down how python-pskc reads them.

    pip install python-pskc pycryptodome
    python3 ci/pskc_interop.py            # writes fixtures/vendor/pskc, fixtures/invalid/pskc-*
    python3 ci/pskc_interop.py --check    # reads them again and compares with fixtures/vendor/pskc/truth.json

Every key, serial and password is invented; randomness comes from a fixed start, so a second run writes the same
bytes. `truth.json` holds what python-pskc reads, never what this program reads: tests/pskc_vectors.rs compares.
"""

import base64
import hashlib
import json
import os
import random
import re
import sys
from pathlib import Path

FIXED = random.Random(6030)
os.urandom = FIXED.randbytes  # before pskc draws vectors, keys and salts

from pskc import PSKC  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent / "fixtures"
VENDOR = ROOT / "vendor" / "pskc"
INVALID = ROOT / "invalid"
NAMESPACE = "urn:ietf:params:xml:ns:keyprov:pskc"
PASSPHRASE = "correct horse battery staple"


def seed(name, length=20):
    """Key bytes that a reader of this file can work out again."""
    return hashlib.sha512(f"seedmill fixture {name}".encode()).digest()[:length]


def tokens(pskc, count=3, manufacturer="Example Tokens", length=20):
    for index in range(count):
        totp = index % 2 == 0
        serial = f"26000{index:08d}"
        extra = {"time_interval": 30 if index else 60} if totp else {"counter": index}
        pskc.add_key(
            id=f"{serial}-1",
            serial=serial,
            manufacturer=manufacturer,
            model="OTP c200",
            algorithm=f"{NAMESPACE}:{'totp' if totp else 'hotp'}",
            secret=seed(serial, length),
            response_encoding="DECIMAL",
            response_length=6,
            **extra,
        )


def written(name, build):
    pskc = PSKC()
    build(pskc)
    path = VENDOR / f"{name}.xml"
    pskc.write(str(path))
    return path


def prf_as_attribute(data):
    return re.sub(rb"<PRF>([^<]+)</PRF>", rb'<PRF Algorithm="\1"/>', data)


def with_python_pskc():
    """Files that python-pskc writes: each cipher, each MAC, each hash of PBKDF2."""
    made = []
    for bits in (128, 192, 256):
        key = seed(f"aes{bits}", bits // 8)

        def build(pskc, bits=bits, key=key):
            tokens(pskc)
            pskc.encryption.setup_preshared_key(
                key=key, algorithm=f"aes{bits}-cbc", key_name="Delivery 26", fields=["secret", "counter"]
            )

        made.append((written(f"aes{bits}", build), {"key": key.hex()}))
    for name in ("sha1", "sha224", "sha256", "sha384", "sha512"):
        key = seed(f"mac-{name}", 16)

        def build(pskc, name=name, key=key):
            tokens(pskc, 2)
            pskc.mac.setup(algorithm=f"hmac-{name}")
            pskc.encryption.setup_preshared_key(key=key)

        made.append((written(f"mac-{name}", build), {"key": key.hex()}))
    for name in ("sha1", "sha256", "sha512"):

        def build(pskc, name=name):
            tokens(pskc, 2, length=32)
            pskc.encryption.setup_pbkdf2(
                PASSPHRASE, iterations=1500, algorithm="aes256-cbc", prf=f"hmac-{name}"
            )

        path = written(f"pbkdf2-{name}", build)
        if name != "sha512":
            # python-pskc 1.4 writes the URI as text but reads it as the attribute that the standard has.
            path.write_bytes(prf_as_attribute(path.read_bytes()))
        made.append((path, {"passphrase": PASSPHRASE}))
    return made


PACKAGE = """    <KeyPackage>
        <DeviceInfo>
            <Manufacturer>{manufacturer}</Manufacturer>
            <SerialNo>{serial}</SerialNo>
        </DeviceInfo>
        <CryptoModuleInfo>
            <Id>CM_ID_001</Id>
        </CryptoModuleInfo>
        <Key Id="{id}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:{kind}">
            <Issuer>Issuer</Issuer>
            <AlgorithmParameters>
                <ResponseFormat Length="6" Encoding="DECIMAL"/>
            </AlgorithmParameters>
            <Data>
                <Secret>
                    <PlainValue>{secret}</PlainValue>
                </Secret>
{rest}
            </Data>
        </Key>
    </KeyPackage>
"""


def plain(element, value):
    return f"""                <{element}>
                    <PlainValue>{value}</PlainValue>
                </{element}>"""


def container(packages, head="", tail="", version='Version="1.0" '):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<KeyContainer {version}xmlns="{NAMESPACE}">\n{head}{packages}{tail}</KeyContainer>\n'
    )


def package(serial, kind="totp", rest=None, secret=None, manufacturer="Example Tokens", key_id=None):
    if rest is None:
        rest = plain("Time", 0) + "\n" + plain("TimeInterval", 30) if kind == "totp" else plain("Counter", 0)
    secret = base64.b64encode(seed(serial)).decode() if secret is None else secret
    return PACKAGE.format(
        manufacturer=manufacturer, serial=serial, id=key_id or serial, kind=kind, secret=secret, rest=rest
    )


def feitian():
    """Mixed HOTP and TOTP, 13-digit serials, 60 s, no Suite, line breaks in the values (FORMATS: both samples)."""
    text = ""
    for index in range(4):
        serial = f"260012345678{index}"
        secret = "\n" + " " * 24 + base64.b64encode(seed(serial)).decode() + "\n" + " " * 20
        kind = "hotp" if index % 2 else "totp"
        rest = plain("Counter", 0) if index % 2 else plain("Time", 0) + "\n" + plain("TimeInterval", 60)
        text += package(serial, kind, rest, secret, "Feitian Technologies Co.,Ltd")
    path = VENDOR / "feitian.xml"
    path.write_text(container(text))
    return path, {}


def fully_qualified():
    """`pskc:` everywhere, PBKDF2 under xenc11, BOM, CRLF, two packages with one serial (SampleFullyQualifiedNS)."""
    pskc = PSKC()
    for issue in (1, 2):
        pskc.add_key(
            id=f"10000001#{issue}", serial="10000001", issue_no=str(issue), manufacturer="oath.EX",
            algorithm=f"{NAMESPACE}:{'totp' if issue == 1 else 'hotp'}", secret=seed(f"10000001#{issue}"),
            response_encoding="DECIMAL", response_length=8,
            **({"time_interval": 172800} if issue == 1 else {"counter": 7}),
        )
    pskc.encryption.setup_pbkdf2(PASSPHRASE, iterations=1000, key_length=16)
    path = VENDOR / "fully-qualified.xml"
    pskc.write(str(path))
    text = path.read_text()
    # python-pskc leaves the children without a prefix, as figure 7 does; here they have one.
    for name in ("Salt", "Specified", "IterationCount", "KeyLength", "PRF"):
        text = re.sub(rf"(</?)(?:\w+:)?{name}\b", rf"\1xenc11:{name}", text)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    return path, {"passphrase": PASSPHRASE}


def mac_key_absent():
    """No MACKey: the MACs are made with the encryption key."""
    key = seed("mac-key-absent", 16)

    def build(pskc):
        tokens(pskc, 2)
        pskc.mac.setup(key=key)
        pskc.encryption.setup_preshared_key(key=key)

    path = written("mac-key-absent", build)
    text = path.read_text()
    bare = re.sub(r"<pskc:MACKey>.*?</pskc:MACKey>", "", text, flags=re.S)
    assert bare != text
    path.write_text(bare)
    return path, {"key": key.hex()}


def key_file(name, extension, raw):
    """Seeds and, beside them, the key: hex text as HID and Token2 give it, or raw bytes as WatchGuard takes it."""
    key = seed(f"{name} transport", 16)

    def build(pskc):
        tokens(pskc, 2, "Token2" if name == "watchguard" else "Deepnet Security")
        pskc.encryption.setup_preshared_key(key=key)

    path = written(name, build)
    path = path.rename(VENDOR / f"{name}.{extension}")
    if raw:
        (VENDOR / f"{name}.key.bin").write_bytes(key)
    else:
        (VENDOR / f"{name}.key.txt").write_text(key.hex().upper() + "\r\n")
    return path, {"key": key.hex()}


def odd_shapes():
    """Comments, CDATA, references, processing instructions and empty tags, all of it good XML."""
    first = base64.b64encode(seed("odd 1")).decode()
    second = base64.b64encode(seed("odd 2")).decode()
    text = f"""<?xml version='1.0'?>
<!-- made by hand: </KeyPackage> -->
<k:KeyContainer xmlns:k='{NAMESPACE}'>
  <?vendor <k:KeyPackage> ?>
  <k:KeyPackage
  ><k:DeviceInfo><k:Manufacturer>A &amp; B &#x26; <![CDATA[<C>]]></k:Manufacturer><k:SerialNo>odd 1</k:SerialNo
  ></k:DeviceInfo><k:Key Algorithm='{NAMESPACE}#totp' Id='a&gt;"b"'
  ><k:Data><k:Secret><k:PlainValue>{first[:9]}<!-- cut -->{first[9:]}</k:PlainValue></k:Secret>
  <k:TimeInterval><k:PlainValue><![CDATA[60]]></k:PlainValue></k:TimeInterval></k:Data></k:Key></k:KeyPackage >
  <!-- <k:KeyPackage></k:KeyPackage> -->
  <k:KeyPackage><k:DeviceInfo><k:Manufacturer/><k:SerialNo>odd 2</k:SerialNo></k:DeviceInfo>
  <k:Key Id="2" Algorithm="{NAMESPACE}:hotp"><k:Data><k:Secret><k:PlainValue>{second}</k:PlainValue></k:Secret>
  <k:Counter><k:PlainValue>5</k:PlainValue></k:Counter></k:Data>
  <k:Extensions><x:Data xmlns:x="urn:example"><x:Secret><x:PlainValue>AAAA</x:PlainValue></x:Secret></x:Data></k:Extensions>
  </k:Key></k:KeyPackage>
</k:KeyContainer>
<!-- the end -->
"""
    path = VENDOR / "odd-shapes.xml"
    path.write_text(text)
    return path, {}


def suites():
    """The hash in the text of Suite, and in the attribute that privacyIDEA writes."""
    text = package("suite-1").replace(
        "<AlgorithmParameters>", "<AlgorithmParameters><Suite>HMAC-SHA256</Suite>"
    ) + package("suite-2").replace("<AlgorithmParameters>", '<AlgorithmParameters><Suite hashalgo="sha512"/>')
    path = VENDOR / "suites.xml"
    path.write_text(container(text))
    return path, {}


def as_read(path, secrets):
    """What python-pskc reads."""
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    plain_path = path.with_suffix(".tmp")
    # lxml ends an element's text at a comment, which XML does not.
    plain_path.write_bytes(re.sub(rb"<!--.*?-->", b"", prf_as_attribute(data)))
    try:
        pskc = PSKC(str(plain_path))
    finally:
        plain_path.unlink()
    if "key" in secrets:
        pskc.encryption.key = bytes.fromhex(secrets["key"])
    if "passphrase" in secrets:
        pskc.encryption.derive_key(secrets["passphrase"])
    return [
        {
            "serial": key.serial,
            "issue": key.issue_no,
            "key_id": key.id,
            "manufacturer": key.manufacturer or None,
            "type": re.split("[:#]", key.algorithm)[-1],
            "digits": None if key.response_length is None else str(key.response_length),
            "period": None if key.time_interval is None else str(key.time_interval),
            "counter": None if key.counter is None else str(key.counter),
            "seed": key.secret.hex(),
        }
        for key in pskc.keys
    ]


def invalid():
    """One fault a file; the key of the encrypted ones is that of vendor/pskc/aes128.xml."""

    def put(name, text):
        (INVALID / f"pskc-{name}.xml").write_text(text)

    good = (VENDOR / "aes128.xml").read_text()
    macs = re.findall(r"\s*<pskc:ValueMAC>[^<]*</pskc:ValueMAC>", good)
    put("mac-missing", good.replace(macs[0], "", 1))
    value = macs[0].split(">")[1].split("<")[0]
    wrong = base64.b64encode(bytes([base64.b64decode(value)[0] ^ 1]) + base64.b64decode(value)[1:]).decode()
    put("mac-wrong", good.replace(value, wrong, 1))
    no_method = re.sub(r"\s*<pskc:MACMethod.*?</pskc:MACMethod>", "", good, flags=re.S)
    put("cbc-without-mac", re.sub(r"\s*<pskc:ValueMAC>[^<]*</pskc:ValueMAC>", "", no_method))
    put("unsupported-cipher", good.replace("xmlenc#aes128-cbc", "xmlenc#tripledes-cbc"))
    put("another-cipher", good.replace("xmlenc#aes128-cbc", "xmlenc#aes256-cbc").replace(
        "xmlenc#aes256-cbc", "xmlenc#aes128-cbc", 2))
    ciphers = re.findall(r"<xenc:CipherValue>([^<]*)</xenc:CipherValue>", good)
    put("cipher-junk", good.replace(ciphers[1], "?" + ciphers[1][1:], 1))

    two = package("1") + package("2")
    put("truncated", container(two)[:-500])
    put("no-end", container(two).replace("</KeyContainer>\n", ""))
    put("two-containers", container(package("1")) + container(package("2")).split("\n", 1)[1])
    put("junk-between", container(package("1") + "    junk\n" + package("2")))
    put("package-after-signature", container(
        package("1") + '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>\n' + package("2")))
    put("nested-package", container(package("1").replace("</KeyPackage>", package("2") + "</KeyPackage>")))
    put("doctype", container(two).replace("?>\n", '?>\n<!DOCTYPE KeyContainer SYSTEM "http://example.com/pskc.dtd">\n'))
    external = '?>\n<!DOCTYPE KeyContainer [<!ENTITY seed SYSTEM "file:///etc/passwd">]>\n'
    put("external-entity", container(package("1", secret="&seed;")).replace("?>\n", external))
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'?>\n<!DOCTYPE KeyContainer [<!ENTITY e0 "AAAAAAAAAA">{bomb}]>\n'
    put("bomb", container(package("1", secret="&e9;")).replace("?>\n", bomb))
    put("late-doctype", container(package("1") + "<!DOCTYPE KeyContainer>\n" + package("2")))
    put("unknown-entity", container(package("1", secret="&seed;")))
    put("deep", container(package("1").replace("</Data>", "</Data><Extensions>" + "<x>" * 70 + "</x>" * 70 + "</Extensions>")))
    put("long-field", container(package("1", manufacturer="x" * 5000)))
    put("element-in-value", container(package("1", secret="<x/>")))
    put("mismatched-end", container(package("1").replace("</DeviceInfo>", "</DeviceInfos>")))
    put("attribute-twice", container(package("1").replace('Id="1"', 'Id="1" Id="2"')))
    put("two-secrets", container(package("1").replace("</Secret>", "</Secret><Secret><PlainValue>AAAA</PlainValue></Secret>")))
    put("version-2", container(package("1"), version='Version="2.0" '))
    put("draft-namespace", container(package("1")).replace(NAMESPACE + '">', 'urn:ietf:params:xml:ns:keyprov:container:1.0">'))
    put("no-container", package("1").strip() + "\n")

    put("time-step-0", container(package("1", rest=plain("TimeInterval", 0))))
    put("time-offset", container(package("1", rest=plain("Time", 946684800) + "\n" + plain("TimeInterval", 30))))
    put("length-0", container(package("1").replace('Length="6"', 'Length="0"')))
    put("encoding-hex", container(package("1").replace("DECIMAL", "HEXADECIMAL")))
    put("check-digits", container(package("1").replace("<ResponseFormat", '<ResponseFormat CheckDigits="true"')))
    put("base64-junk", container(package("1", secret="MTIz!DU2")))
    put("empty-manufacturer", container(package("1").replace("<Manufacturer>Example Tokens</Manufacturer>", "<Manufacturer/>")))
    put("suite-sha256", container(package("1").replace(
        "<AlgorithmParameters>", "<AlgorithmParameters><Suite>HMAC-SHA256</Suite>")))
    put("suite-two-hashes", container(package("1").replace(
        "<AlgorithmParameters>", '<AlgorithmParameters><Suite hashalgo="sha512">HMAC-SHA256</Suite>')))
    put("policy-usage", container(package("1").replace(
        "</Data>", "</Data><Policy><KeyUsage>CR</KeyUsage></Policy>")))
    put("policy-unknown", container(package("1").replace(
        "</Data>", '</Data><Policy><x:Moon xmlns:x="urn:example">full</x:Moon></Policy>')))
    put("yubikey-aes", container(package("1").replace(
        "urn:ietf:params:xml:ns:keyprov:pskc:totp", "http://www.yubico.com/#yubikey-aes")))

    derived = (VENDOR / "pbkdf2-sha256.xml").read_text()
    put("prf-sha256", derived)
    put("prf-unknown", derived.replace("hmac-sha256", "hmac-md2"))
    put("pbkdf2-rounds", derived.replace(">1500<", ">4000000000<"))
    put("pbkdf2-zero-rounds", derived.replace(">1500<", ">0<"))


def main():
    check = "--check" in sys.argv[1:]
    truth_path = VENDOR / "truth.json"
    if check:
        for entry in json.loads(truth_path.read_text()):
            assert as_read(VENDOR / entry["file"], entry["secrets"]) == entry["tokens"], entry["file"]
        return
    VENDOR.mkdir(parents=True, exist_ok=True)
    INVALID.mkdir(parents=True, exist_ok=True)
    made = with_python_pskc() + [
        feitian(), fully_qualified(), key_file("watchguard", "xml", False), key_file("watchguard-raw", "xml", True),
        key_file("deepnet", "pskcxml", False), odd_shapes(), suites(),
        mac_key_absent(),
    ]
    truth = [{"file": path.name, "secrets": secrets, "tokens": as_read(path, secrets)} for path, secrets in made]
    truth_path.write_text(json.dumps(truth, indent=1) + "\n")
    invalid()


if __name__ == "__main__":
    main()
