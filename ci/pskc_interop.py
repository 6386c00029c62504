#!/usr/bin/env python3
"""Makes the PSKC fixtures, and writes down how python-pskc reads them.

    pip install python-pskc pycryptodome
    python3 ci/pskc_interop.py            # writes fixtures/vendor/pskc, fixtures/drafts, fixtures/invalid/pskc-*
    python3 ci/pskc_interop.py --check    # reads them again and compares with fixtures/{vendor/pskc,drafts}/truth.json
    python3 ci/pskc_interop.py --written-by target/debug/seedmill   # reads what seedmill writes

Every key, serial and password is invented; randomness comes from a fixed start, so a second run writes the same
bytes. `truth.json` holds what python-pskc reads, never what this program reads: tests/pskc_vectors.rs compares.
"""

import base64
import hashlib
import hmac
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message=".*has been moved|.*Two-key")  # 3DES and Camellia are meant here

FIXED = random.Random(6030)
os.urandom = FIXED.randbytes  # before pskc draws vectors, keys and salts

from cryptography.hazmat.primitives import padding  # noqa: E402
from cryptography.hazmat.primitives.ciphers import Cipher, modes  # noqa: E402
from cryptography.hazmat.primitives.ciphers.algorithms import AES, TripleDES  # noqa: E402
from lxml import etree  # noqa: E402
from pskc import PSKC  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent / "fixtures"
VENDOR = ROOT / "vendor" / "pskc"
DRAFTS = ROOT / "drafts"
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


CIPHERS = {
    **{f"aes{bits}-cbc": bits // 8 for bits in (128, 192, 256)},
    **{f"kw-aes{bits}": bits // 8 for bits in (128, 192, 256)},
    **{f"camellia{bits}-cbc": bits // 8 for bits in (128, 192, 256)},
    **{f"kw-camellia{bits}": bits // 8 for bits in (128, 192, 256)},
    "tripledes-cbc": 24,
    "kw-tripledes": 24,
}


def ciphers_and_macs():
    """Every cipher that python-pskc has under every MAC; the key wraps without a MAC, too; two-key 3DES.

    A 3DES key wrap takes whole blocks only, so its seeds and MAC keys have 24 bytes, and its counters are plain. The
    other wraps get seeds of 20 bytes and counters of one, for which python-pskc pads (RFC 5649).
    """
    (VENDOR / "ciphers").mkdir(exist_ok=True)
    made = []
    variants = [(cipher, size, mac) for cipher, size in CIPHERS.items() for mac in ("sha1", "sha224", "sha256", "sha384", "sha512")]
    variants += [(cipher, size, None) for cipher, size in CIPHERS.items() if cipher.startswith("kw-")]
    variants += [("tripledes-cbc", 16, "sha1"), ("kw-tripledes", 16, None)]
    for cipher, size, mac in variants:
        name = f"{cipher}-{mac or 'no-mac'}" + ("-112" if size == 16 and "tripledes" in cipher else "")
        key = seed(f"cipher {name}", size)
        blocks = cipher == "kw-tripledes"

        def build(pskc, cipher=cipher, mac=mac, key=key, name=name, blocks=blocks):
            tokens(pskc, 2, length=24 if blocks else 20)
            if mac:
                pskc.mac.setup(key=seed(f"mac {name}", 24), algorithm=f"hmac-{mac}")
            fields = ["secret"] if blocks else ["secret", "counter", "time_interval"]
            pskc.encryption.setup_preshared_key(key=key, algorithm=cipher, fields=fields)

        made.append((written(f"ciphers/{name}", build), {"key": key.hex()}))
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


def cbc(cipher, key, vector, value):
    """Encrypts with PKCS #7."""
    pad = padding.PKCS7(cipher.block_size).padder()
    sealing = Cipher(cipher(key), modes.CBC(vector)).encryptor()
    return sealing.update(pad.update(value) + pad.finalize()) + sealing.finalize()


def hmac_sha1(key, value):
    return hmac.new(key, value, "sha1").digest()


def b64(value):
    return base64.b64encode(value).decode()


HOYER_00 = (
    '<SecretContainer xmlns="http://www.openauthentication.org/OATH/2006/08/PSKC" version="1.2">',
    "</SecretContainer>", "Secret", "Secret",
)
HOYER_01 = ('<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:container">', "</KeyContainer>", "Key", "Key")


def hoyer(name, shape, passphrase=None):
    """The two portable-symmetric-key-container drafts, plain or by password: everything about encryption at the head."""
    start, end, element, attribute = shape
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{start}\n'
    key, salt, rounds = None, seed(f"{name} salt", 8), 999
    if passphrase:
        key = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), salt, rounds, 16)
        text += f"""  <EncryptionMethod algorithm="PBE-3DES112-CBC">
    <PBESalt>{b64(salt)}</PBESalt>
    <PBEIterationCount>{rounds}</PBEIterationCount>
  </EncryptionMethod>
"""
    else:
        text += '  <EncryptionMethod algorithm="NONE"/>\n'
    text += '  <DigestMethod algorithm="HMAC-SHA1"></DigestMethod>\n'
    for index in range(2):
        serial = f"987654321{index}"
        values = {"SECRET": seed(serial), "COUNTER": (12 + 1000 * index).to_bytes(8, "big")}
        digests = {field: bytes(14) for field in values}
        if key:
            vectors = {field: seed(f"{serial} {field}", 8) for field in values}
            sealed = {field: vectors[field] + cbc(TripleDES, key, vectors[field], values[field]) for field in values}
            # The drafts leave open over what; the second device has it over the plaintext.
            digests = {field: hmac_sha1(key, values[field] if index else sealed[field]) for field in values}
            values = sealed
        text += f"""  <Device>
    <DeviceId>
      <Manufacturer>Token Manufacturer</Manufacturer>
      <SerialNo>{serial}</SerialNo>
      <Expiry>01/31/2036</Expiry>
    </DeviceId>
    <{element} {attribute}Algorithm="HOTP"  {attribute}Id="7765432187{index}">
      <Issuer>Credential Issuer</Issuer>
      <Usage>
        <ResponseFormat format="DECIMAL" length="6"/>
      </Usage>
      <FriendlyName>MyToken</FriendlyName>
"""
        for field in values:
            text += f"""      <Data Name="{field}">
        <Value>{b64(values[field])}</Value>
        <ValueDigest>{b64(digests[field])}</ValueDigest>
      </Data>
"""
        text += f"    </{element}>\n  </Device>\n"
    path = DRAFTS / f"{name}.xml"
    path.write_text(text + end + "\n")
    return path


def actividentity():
    """One initialization vector for all, MAC over the plaintext with the encryption key, plain counter, CRLF."""
    key, vector = seed("actividentity", 16), seed("actividentity vector", 16)
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:container:1.0" version="1.0">
<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc">
<IV>{b64(vector)}</IV>
</EncryptionMethod>
<DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"/>
"""
    for index in range(3):
        serial = f"095038026{index}"
        secret = seed(serial)
        text += f"""<Device>
<DeviceId>
<Manufacturer>ActivIdentity</Manufacturer>
<SerialNo>{serial}</SerialNo>
</DeviceId>
<Key KeyAlgorithm="http://www.ietf.org/keyprov/pskc#hotp" KeyId="{serial}">
<Issuer>ActivIdentity</Issuer>
<Usage OTP="true">
<ResponseFormat Format="DECIMAL" Length="8"/>
</Usage>
<Data Name="SECRET">
<Value>{b64(cbc(AES, key, vector, secret))}</Value>
<ValueDigest>{b64(hmac_sha1(key, secret))}</ValueDigest>
</Data>
<Data Name="COUNTER">
<Value>{b64((837826051 + index).to_bytes(8, "big"))}</Value>
</Data>
</Key>
</Device>
"""
    path = DRAFTS / "actividentity.xml"
    path.write_bytes((text + "</KeyContainer>\n").replace("\n", "\r\n").encode())
    return path, {"key": key.hex()}


def device(serials, secret, kind="hotp", rest='<Counter><PlainValue>7</PlainValue></Counter>'):
    """`Device` of the drafts close to RFC 6030: several keys in one."""
    keys = "".join(f"""    <Key KeyAlgorithm="{NAMESPACE}#{kind}" KeyId="{key_id}">
      <Issuer>Issuer</Issuer>
      <Usage OTP="true"><ResponseFormat Length="8" Encoding="DECIMAL"/></Usage>
      <Data>
        <Secret>
          {secret(f"{serials[0]} {key_id}")}
        </Secret>
        {rest}
      </Data>
    </Key>
""" for key_id in serials[1:])
    return f"""  <Device>
    <DeviceInfo>
      <Manufacturer>TokenVendorAcme</Manufacturer>
      <SerialNo>{serials[0]}</SerialNo>
    </DeviceInfo>
{keys}  </Device>
"""


DERIVED = """  <EncryptionKey>
    <DerivedKey>
      <CarriedKeyName>Passphrase1</CarriedKeyName>
      <KeyDerivationMethod Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2">
        <pkcs5:PBKDF2-params xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#">
          <pkcs5:Salt><pkcs5:Specified>{salt}</pkcs5:Specified></pkcs5:Salt>
          <pkcs5:IterationCount>1000</pkcs5:IterationCount>
          <pkcs5:KeyLength>16</pkcs5:KeyLength>
          <pkcs5:PRF/>
        </pkcs5:PBKDF2-params>
      </KeyDerivationMethod>
    </DerivedKey>
  </EncryptionKey>
"""
XENC = "http://www.w3.org/2001/04/xmlenc#"
PBES2 = f"""<xenc:EncryptionMethod
              Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5#pbes2">
              <EncryptionScheme Algorithm="{XENC}aes128-cbc"></EncryptionScheme>
            </xenc:EncryptionMethod>"""


def close_to_the_rfc():
    """draft-ietf-keyprov-pskc-02, by pre-shared key and by passphrase, and the TOTP of the algorithm profiles."""
    mac = "  <MACAlgorithm>http://www.w3.org/2000/09/xmldsig#hmac-sha1\n  </MACAlgorithm>\n"

    def bare(name):
        return f"<PlainValue>\n{b64(seed(name))}\n</PlainValue>"

    def sealed(key, method):
        def secret(name):
            vector = seed(f"{name} vector", 16)
            value = vector + cbc(AES, key, vector, seed(name))
            return f"""<EncryptedValue>
            {method}
            <xenc:CipherData><xenc:CipherValue>
              {b64(value)}
            </xenc:CipherValue></xenc:CipherData>
          </EncryptedValue>
          <ValueMAC>{b64(hmac_sha1(key, value))}
          </ValueMAC>"""

        return secret

    def put(name, text, namespace=NAMESPACE):
        path = DRAFTS / f"{name}.xml"
        prefixes = f'xmlns:xenc="{XENC}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
        start = f'<KeyContainer Version="1.0" id="KC1" xmlns="{namespace}" {prefixes}>'
        path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{start}\n{text}</KeyContainer>\n')
        return path

    key = seed("pskc-02", 16)
    salt = seed("pskc-02 salt", 8)
    derived = hashlib.pbkdf2_hmac("sha1", PASSPHRASE.encode(), salt, 1000, 16)
    several = [("654321", "1"), ("123456", "2"), ("9999999", "3", "4")]
    totp = "<Time><PlainValue>0</PlainValue></Time>\n<TimeInterval><PlainValue>30</PlainValue></TimeInterval>"
    name = "  <EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>\n"
    by_key = sealed(key, f'<xenc:EncryptionMethod Algorithm="{XENC}aes128-cbc"/>')
    by_passphrase = sealed(derived, PBES2)
    return [
        (put("pskc-02-plain", "".join(device(serials, bare) for serials in several)), {}),
        (put("pskc-02-key", name + mac + "".join(device(serials, by_key) for serials in several)), {"key": key.hex()}),
        (put("pskc-02-passphrase", DERIVED.format(salt=b64(salt)) + mac + "".join(
            device(serials, by_passphrase) for serials in several)), {"passphrase": PASSPHRASE}),
        (put("algorithm-profiles-01", device(("987654323", "987654323"), bare, "totp", totp), NAMESPACE + ":1.0"), {}),
    ]


def yubico():
    """Yubico's tool counts the public id of 12 characters into the length of a code."""
    text = ""
    for length in (6, 18, 20):
        text += package(f"500000{length}:1", "hotp", plain("Counter", 0), manufacturer="oath.UB").replace(
            'Length="6"', f'Length="{length}"')
    (VENDOR / "yubico.xml").write_text(container(text + package("other", "hotp", plain("Counter", 0)).replace(
        'Length="6"', 'Length="18"')))


def drafts():
    return [
        (hoyer("hoyer-00-plain", HOYER_00), {}),
        (hoyer("hoyer-00-password", HOYER_00, PASSPHRASE), {"passphrase": PASSPHRASE}),
        (hoyer("hoyer-01-plain", HOYER_01), {}),
        (hoyer("hoyer-01-password", HOYER_01, PASSPHRASE), {"passphrase": PASSPHRASE}),
        actividentity(),
        *close_to_the_rfc(),
    ]


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
    put("unsupported-cipher", good.replace("xmlenc#aes128-cbc", "xmlenc11#aes128-gcm"))
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
    put("other-namespace", container(package("1")).replace(NAMESPACE + '">', 'urn:ietf:params:xml:ns:keyprov:pskc:2.0">'))
    put("draft-behind-packages", container(
        package("1") + device(("1", "1"), lambda _: "<PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue>")))
    of_draft = (DRAFTS / "actividentity.xml").read_text()
    digests = re.findall("<ValueDigest>([^<]*)<", of_draft)
    put("draft-digest-wrong", of_draft.replace(digests[0], digests[1]))
    # A key is declared the later way, the values the older: nothing says their cipher.
    no_method = re.sub("<EncryptionMethod.*?</EncryptionMethod>\n", "<EncryptionKey/>\n", of_draft, flags=re.S)
    put("draft-no-method", no_method)
    put("draft-digest-missing", of_draft.replace(f"<ValueDigest>{digests[0]}</ValueDigest>", ""))
    wrapped = (VENDOR / "ciphers" / "kw-aes128-no-mac.xml").read_text()
    ciphers = re.findall(r"<xenc:CipherValue>([^<]*)</xenc:CipherValue>", wrapped)
    changed = bytearray(base64.b64decode(ciphers[1]))
    changed[9] ^= 1
    put("key-wrap-changed", wrapped.replace(ciphers[1], b64(bytes(changed))))
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


def write_truth(folder, made):
    truth = [
        {"file": str(path.relative_to(folder)), "secrets": secrets, "tokens": as_read(path, secrets)}
        for path, secrets in made
    ]
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


TOKENS = [
    {"serial": "W&<1>\"'", "issue": None, "key_id": None, "manufacturer": "A & B <C>", "model": "Modèle 1",
     "type": "totp", "hash": "sha1", "digits": 6, "period": 30, "counter": None, "drift": None, "upn": None},
    {"serial": "0002", "issue": "7", "key_id": None, "manufacturer": "Acme", "model": "X", "type": "totp",
     "hash": "sha256", "digits": 8, "period": 60, "counter": None, "drift": -3, "upn": "ada@example.com"},
    {"serial": "0003", "issue": None, "key_id": "key\"3", "manufacturer": "Acme", "model": "X", "type": "hotp",
     "hash": "sha512", "digits": 7, "period": None, "counter": 4711, "drift": None, "upn": "bob@example.com"},
]


def written_by(seedmill):
    """python-pskc reads what seedmill writes: the same seeds and fields, under every protection."""
    key_16, key_32 = seed("out", 16), seed("out", 32)
    secrets = [seed("out 1"), seed("out 2", 32), seed("out 3", 64)]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        lines = [
            json.dumps({**token, "seed": base64.b32encode(secret).decode().rstrip("=")})
            for token, secret in zip(TOKENS, secrets)
        ]
        (folder / "tokens.jsonl").write_text("\n".join(lines) + "\n")
        (folder / "key.txt").write_text(key_16.hex() + "\n")
        (folder / "key.bin").write_bytes(key_32)
        (folder / "password.txt").write_text(PASSPHRASE + "\n")
        for name, options in {
            "plain": [],
            "aes128": ["--protect", "key", "--out-key-file", folder / "key.txt"],
            "aes256": ["--protect", "key", "--out-key-file", folder / "key.bin"],
            "passphrase": ["--protect", "passphrase", "--out-password-file", folder / "password.txt"],
        }.items():
            path = folder / f"{name}.xml"
            subprocess.run(
                [seedmill, "convert", folder / "tokens.jsonl", "--to", "pskc", "-o", path, "-q", *options], check=True)
            pskc = PSKC(str(path))
            if name == "passphrase":
                pskc.encryption.derive_key(PASSPHRASE)
            elif name != "plain":
                pskc.encryption.key = key_16 if name == "aes128" else key_32
            assert pskc.encryption.is_encrypted is False, name
            assert len(pskc.keys) == len(TOKENS), name
            for key, token, secret in zip(pskc.keys, TOKENS, secrets):
                found = {
                    "serial": key.serial, "issue": key.issue_no, "manufacturer": key.manufacturer,
                    "model": key.model, "type": key.algorithm.rsplit(":", 1)[-1],
                    "hash": key.algorithm_suite.lower().replace("hmac-", ""), "digits": key.response_length,
                    "period": key.time_interval, "counter": key.counter, "drift": key.time_drift,
                    "upn": key.key_userid,
                }
                assert found == {field: token[field] for field in found}, (name, found)
                assert key.secret == secret, name
                assert key.id == (token["key_id"] or "#".join(filter(None, [token["serial"], token["issue"]]))), name
                assert (key.response_encoding, key.time_offset or 0) == ("DECIMAL", 0), name
            by = {"aes128": {"key": key_16}, "aes256": {"key": key_32}, "passphrase": {"passphrase": PASSPHRASE}}
            assert as_freeipa(path, **by.get(name, {})) == secrets, name
            if name == "aes128":
                assert pskc.mac.algorithm.endswith("#hmac-sha1") and len({k._secret.mac_value for k in pskc.keys}) == 3
    print("python-pskc and FreeIPA's rules find the same seeds in what seedmill writes: plain, AES-128, AES-256, passphrase")


def as_freeipa(path, key=None, passphrase=None):
    """The seeds as FreeIPA's importer finds them: by full namespaces, key length and MAC, before it decrypts."""
    spaces = {
        "pskc": NAMESPACE, "ds": "http://www.w3.org/2000/09/xmldsig#", "xenc": XENC,
        "xenc11": "http://www.w3.org/2009/xmlenc11#",
        "pkcs5": "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#",
    }
    root = etree.parse(str(path)).getroot()

    def one(element, xpath):
        found = element.xpath(xpath, namespaces=spaces)
        assert len(found) == 1, xpath
        return found[0]

    def opened(value, key):
        uri = one(value, "./xenc:EncryptionMethod/@Algorithm")
        assert uri == f"{XENC}aes{len(key) * 8}-cbc", uri
        data = base64.b64decode(one(value, "./xenc:CipherData/xenc:CipherValue/text()"))
        opening = Cipher(AES(key), modes.CBC(data[:16])).decryptor()
        unpad = padding.PKCS7(128).unpadder()
        return data, unpad.update(opening.update(data[16:]) + opening.finalize()) + unpad.finalize()

    if passphrase:
        derived = "./pskc:EncryptionKey/xenc11:DerivedKey"
        params = one(root, f"{derived}/xenc11:KeyDerivationMethod[@Algorithm='{spaces['pkcs5']}pbkdf2']/pkcs5:PBKDF2-params")
        assert one(root, f"{derived}/xenc11:MasterKeyName/text()")
        prf = one(params, "./PRF/@Algorithm").rsplit("hmac-", 1)[-1]
        salt = base64.b64decode(one(params, "./Salt/Specified/text()"))
        rounds, length = (int(one(params, f"./{name}/text()")) for name in ("IterationCount", "KeyLength"))
        key = hashlib.pbkdf2_hmac(prf, passphrase.encode(), salt, rounds, length)
    elif key:
        assert one(root, "./pskc:EncryptionKey/ds:KeyName/text()")
    seeds = []
    if key:
        hash_name = one(root, "./pskc:MACMethod/@Algorithm").rsplit("hmac-", 1)[-1]
        mac_key = opened(one(root, "./pskc:MACMethod/pskc:MACKey"), key)[1]
    for package in root.xpath("./pskc:KeyPackage", namespaces=spaces):
        secret = one(package, "./pskc:Key/pskc:Data/pskc:Secret")
        if key:
            data, plaintext = opened(one(secret, "./pskc:EncryptedValue"), key)
            mac = base64.b64decode(one(secret, "./pskc:ValueMAC/text()"))
            assert hmac.compare_digest(hmac.new(mac_key, data, hash_name).digest(), mac)
            seeds.append(plaintext)
        else:
            seeds.append(base64.b64decode(one(secret, "./pskc:PlainValue/text()")))
        for refused in ("Policy/pskc:PINPolicy", "Policy/pskc:NumberOfTransactions", "AlgorithmParameters/*/@CheckDigit"):
            assert not package.xpath(f"./pskc:Key/pskc:{refused}", namespaces=spaces), refused
        assert set(package.xpath(".//pskc:Time/pskc:PlainValue/text()", namespaces=spaces)) <= {"0"}
    return seeds


def main():
    if "--written-by" in sys.argv[1:]:
        written_by(Path(sys.argv[sys.argv.index("--written-by") + 1]).resolve())
        return
    if "--check" in sys.argv[1:]:
        for folder in (VENDOR, DRAFTS):
            for entry in json.loads((folder / "truth.json").read_text()):
                assert as_read(folder / entry["file"], entry["secrets"]) == entry["tokens"], entry["file"]
        return
    for folder in (VENDOR, DRAFTS, INVALID):
        folder.mkdir(parents=True, exist_ok=True)
    write_truth(VENDOR, with_python_pskc() + [
        feitian(), fully_qualified(), key_file("watchguard", "xml", False), key_file("watchguard-raw", "xml", True),
        key_file("deepnet", "pskcxml", False), odd_shapes(), suites(),
        mac_key_absent(), *ciphers_and_macs(),
    ])
    write_truth(DRAFTS, drafts())
    yubico()
    invalid()


if __name__ == "__main__":
    main()
