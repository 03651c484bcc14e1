"""An authority of a test, and the certificates that it signs: PEM files in a folder."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.ports import HOST

KEY_PASSWORD = "opens-the-key"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key; `keystore` has both, the key first, as Kafka wants them."""

    certificate: Path
    key: Path
    keystore: Path


class Authority:
    """Signs certificates that are good for a day."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._subject = folder, _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        builder = _builder(self._subject, self._subject, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
        ).add_extension(_SIGNS, critical=True)
        self.file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str, *, expired: bool = False, encrypted: bool = False) -> Certificate:
        """Make a certificate for 127.0.0.1, and for no name; the key is encrypted with KEY_PASSWORD if asked for."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(name), self._subject, key.public_key(), age=10 * _DAY if expired else _DAY)
        builder = (
            builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
        )
        pem = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        made = Certificate(*(self._folder / f"{name}{end}" for end in (".pem", "-key.pem", "-keystore.pem")))
        plain = _pem_of(key, serialization.NoEncryption())
        made.certificate.write_bytes(pem)
        made.key.write_bytes(
            _pem_of(key, serialization.BestAvailableEncryption(KEY_PASSWORD.encode())) if encrypted else plain
        )
        made.keystore.write_bytes(plain + pem)
        return made


_SIGNS = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def _pem_of(key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, age: timedelta = _DAY
) -> x509.CertificateBuilder:
    begin = datetime.now(UTC) - age
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + 2 * _DAY)
    )
