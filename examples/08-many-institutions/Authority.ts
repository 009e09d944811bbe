/**
 * A certificate authority of one's own, made on the spot: for examples and tests. In production certificates come from your
 * authority, and keys are made where they are used.
 */
import { createHash, webcrypto } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import "reflect-metadata"
import * as X509 from "@peculiar/x509"

X509.cryptoProvider.set(webcrypto)

const curve = { name: "ECDSA", namedCurve: "P-256" } as const
const signing = { ...curve, hash: "SHA-256" } as const
const DAY_MS = 24 * 3_600_000

/** One certificate with its key, as files. */
export interface Issued {
  /** Paths of PEM files. */
  readonly certificate: string
  readonly key: string
  /** SHA-256 of the certificate and of its public key, lower-case hex. */
  readonly fingerprint: string
  readonly keyFingerprint: string
  readonly serial: string
}

/** What is particular about a certificate. */
export interface Wish {
  /** Subject alternative names; the common name and 127.0.0.1 when left out. */
  readonly names?: ReadonlyArray<string>
  /** All of its alternative names, of whatever kind; none: it has a common name alone. */
  readonly alternatives?: ReadonlyArray<{ readonly type: "dns" | "ip" | "email" | "url"; readonly value: string }>
  /** Days from now that it is valid from and until. */
  readonly from?: number
  readonly until?: number
}

const sha256 = (bytes: ArrayBuffer): string => createHash("sha256").update(Buffer.from(bytes)).digest("hex")

const pemOfKey = async (key: webcrypto.CryptoKey): Promise<string> => {
  const body = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64")
  return `-----BEGIN PRIVATE KEY-----\n${body.replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`
}

/** An authority that keeps its files in one directory. */
export class Authority {
  /** Path of its own certificate. */
  readonly file: string
  private readonly directory: string
  private readonly name: string
  private readonly keys: webcrypto.CryptoKeyPair
  private readonly certificate: X509.X509Certificate
  private serial = 1

  private constructor(
    directory: string,
    name: string,
    keys: webcrypto.CryptoKeyPair,
    certificate: X509.X509Certificate
  ) {
    this.directory = directory
    this.name = name
    this.keys = keys
    this.certificate = certificate
    this.file = join(directory, `${name}.pem`)
    writeFileSync(this.file, certificate.toString("pem"))
  }

  /** A new authority, valid for a month. */
  static async make(directory: string, name: string): Promise<Authority> {
    const keys = await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"])
    const certificate = await X509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      serialNumber: "01",
      keys: keys,
      signingAlgorithm: signing,
      ...period({}),
      extensions: [
        new X509.BasicConstraintsExtension(true, undefined, true),
        new X509.KeyUsagesExtension(X509.KeyUsageFlags.keyCertSign | X509.KeyUsageFlags.cRLSign, true),
        await X509.SubjectKeyIdentifierExtension.create(keys.publicKey)
      ]
    })
    return new Authority(directory, name, keys, certificate)
  }

  /** A certificate for `name`; the files bear its name. */
  async issue(name: string, wish: Wish = {}): Promise<Issued> {
    const keys = await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"])
    const dns = (wish.names ?? [name]).map((value) => ({ type: "dns", value }) as const)
    const alternatives = wish.alternatives ?? [...dns, { type: "ip", value: "127.0.0.1" } as const]
    const serial = (++this.serial).toString(16).padStart(4, "0")
    const certificate = await X509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: this.certificate.subject,
      serialNumber: serial,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: signing,
      ...period(wish),
      extensions: [
        new X509.BasicConstraintsExtension(false, undefined, true),
        ...(alternatives.length === 0 ? [] : [new X509.SubjectAlternativeNameExtension([...alternatives])])
      ]
    })
    const file = join(this.directory, `${name}.pem`)
    const key = join(this.directory, `${name}.key`)
    writeFileSync(file, certificate.toString("pem"))
    writeFileSync(key, await pemOfKey(keys.privateKey), { mode: 0o600 })
    return {
      certificate: file,
      key,
      fingerprint: sha256(certificate.rawData),
      keyFingerprint: sha256(certificate.publicKey.rawData),
      serial
    }
  }

  /** A list of what it has revoked, as a file; valid until `until` days from now. */
  async revoke(issued: ReadonlyArray<Issued>, { from = -1, until = 7 }: Wish = {}): Promise<string> {
    const now = Date.now()
    const list = await X509.X509CrlGenerator.create({
      issuer: this.certificate.subject,
      thisUpdate: new Date(now + from * DAY_MS),
      nextUpdate: new Date(now + until * DAY_MS),
      signingKey: this.keys.privateKey,
      signingAlgorithm: signing,
      entries: issued.map(({ serial }) => ({ serialNumber: serial, revocationDate: new Date(now - DAY_MS) }))
    })
    const file = join(this.directory, `${this.name}.crl`)
    // OpenSSL knows it by the older name of RFC 7468 only.
    writeFileSync(file, list.toString("pem").replaceAll(/(BEGIN|END) CRL/g, "$1 X509 CRL"))
    return file
  }
}

const period = ({ from = -1, until = 30 }: Wish) => {
  const now = Date.now()
  return { notBefore: new Date(now + from * DAY_MS), notAfter: new Date(now + until * DAY_MS) }
}
