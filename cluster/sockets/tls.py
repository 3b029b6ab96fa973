"""The TLS of the public sockets, from the files that the user has named."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from socketio_cluster.cluster.cli.options import Tls
from socketio_cluster.cluster.errors import UsageError

NEED_A_CERTIFICATE: Final = (
    "ssl_keyfile",
    "ssl_keyfile_password",
    "ssl_ca_certs",
    "ssl_cert_reqs",
    "ssl_ciphers",
)


def server_context(options: Tls) -> ssl.SSLContext | None:
    """Return what the server's side of a connection needs, None without a certificate. Reads the files.

    Raises UsageError for files and settings with which no client could connect.
    """
    if options.ssl_certfile is None:
        for name in NEED_A_CERTIFICATE:
            if getattr(options, name):
                raise UsageError(f"--{name.replace('_', '-')} needs --ssl-certfile")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load_certificate(context, options, options.ssl_certfile)
    _ask_clients(context, options)
    if options.ssl_ciphers is not None:
        try:
            context.set_ciphers(options.ssl_ciphers)
        except ssl.SSLError:
            raise UsageError(f"--ssl-ciphers {options.ssl_ciphers}: OpenSSL knows none of them") from None
    return context


def _load_certificate(context: ssl.SSLContext, options: Tls, certificate: Path) -> None:
    def password() -> str:
        # Without this function OpenSSL would ask at the terminal, once for each worker.
        if options.ssl_keyfile_password is None:
            raise UsageError("the private key is encrypted: give its password by --ssl-keyfile-password")
        return options.ssl_keyfile_password

    _check_readable("--ssl-certfile", certificate)
    if options.ssl_keyfile is not None:
        _check_readable("--ssl-keyfile", options.ssl_keyfile)
    try:
        context.load_cert_chain(certificate, options.ssl_keyfile, password)
    except (OSError, ValueError):
        key = options.ssl_keyfile or "in the same file"
        raise UsageError(
            f"--ssl-certfile {certificate} and the key {key} do not go together: both must be PEM, the key "
            "that of the first certificate, and its password right"
        ) from None


def _ask_clients(context: ssl.SSLContext, options: Tls) -> None:
    """Let clients show a certificate, if they are to."""
    if options.ssl_ca_certs is not None:
        _check_readable("--ssl-ca-certs", options.ssl_ca_certs)
        try:
            context.load_verify_locations(options.ssl_ca_certs)
        except OSError:
            raise UsageError(f"--ssl-ca-certs {options.ssl_ca_certs} has no certificate in PEM") from None
    elif options.ssl_cert_reqs:
        raise UsageError("--ssl-cert-reqs needs --ssl-ca-certs: else no client's certificate is believed")
    context.verify_mode = ssl.VerifyMode(options.ssl_cert_reqs)


def _check_readable(option: str, path: Path) -> None:
    """Raise UsageError with the name of the file, which OpenSSL's errors do not have."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be read: {error.strerror}") from None
