/**
 * TLS and TCP keepalive of one connection or listening address, as the configuration writes them. Keys are named by their
 * files; the file itself holds no secret.
 */
import { Schema } from "effect"
import { count, Duration, Host, option, optional, text, Words } from "../text/Terms.ts"

/** SHA-256 of a certificate or public key, as `openssl x509 -fingerprint -sha256` prints it, or plain. */
const Fingerprint = text(
  /^[0-9a-fA-F]{2}(?::?[0-9a-fA-F]{2}){31}$/,
  "a SHA-256 fingerprint: 64 hex digits, with or without colons"
)

/** Whose certificate it has to be. */
export const IdentityDocument = Schema.Struct({
  fingerprints: option(
    Schema.Array(Fingerprint),
    [],
    "SHA-256 of the partner's certificate or of its public key; one of them has to match. Give the next one too before it changes."
  ),
  names: option(
    Schema.Array(Words),
    [],
    "Subject alternative names; one of them has to match as a whole, without wildcards, and in its kind: a DNS name, an IP address, a URI or an e-mail address, as it is written here. The common name counts only in a certificate without alternative names. Needs `ca`."
  )
})
export type IdentityDocument = typeof IdentityDocument.Type

/** `tls:` of `connect`, `listen`, a door or an HTTP door. */
export const TlsDocument = Schema.Struct({
  certificate: optional(Words, "PEM file of our certificate, with its intermediate certificates behind it."),
  key: optional(Words, "PEM file of our private key. Only the switch's user may read it."),
  passphraseFile: optional(Words, "File that holds the passphrase, when the key is encrypted."),
  ca: option(
    Schema.Array(Words),
    [],
    "PEM files of the authorities that the partner's certificate may come from. Empty: it is trusted by its fingerprint alone. Public authorities are never trusted by themselves."
  ),
  crl: option(
    Schema.Array(Words),
    [],
    "PEM files of revocation lists. When there are any, each authority in the partner's chain needs one that is not out of date."
  ),
  partner: option(
    IdentityDocument,
    {},
    "Whose certificate the partner has to show. Empty: any that `ca` vouches for (dialling: and that is for the host)."
  ),
  servername: optional(
    Host,
    "When dialling: the name that Jinka asks for (SNI) and that the certificate has to be for. When left out: `host`."
  ),
  handshakeTimeout: option(Duration, "10 seconds", "From the TCP connection to the end of the handshake."),
  version: option(
    Schema.Literals(["1.2", "1.3"]),
    "1.2",
    "Oldest version that is accepted. Versions before 1.2 never are."
  )
})
export type TlsDocument = typeof TlsDocument.Type

/** `keepAlive:`. */
export const KeepAliveDocument = Schema.Struct({
  idle: option(
    Duration,
    "60 seconds",
    "Silence after which the kernel asks the partner's kernel; whole seconds, at most 32767."
  ),
  interval: option(Duration, "10 seconds", "Pause between two such questions; whole seconds, at most 32767."),
  count: option(count(1, 100), 3, "Questions in a row without an answer that end the connection.")
})
export type KeepAliveDocument = typeof KeepAliveDocument.Type

/** What `keepAlive` is, for the keys that hold it. */
export const keepAliveMeaning =
  "TCP keepalive, beside the watchdog: for firewalls that forget silent connections. When left out: off."

/** What `tls` is, for the keys that hold it. */
export const tlsMeaning = "TLS 1.2 or 1.3. When left out: in clear."
