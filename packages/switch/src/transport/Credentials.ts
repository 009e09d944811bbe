/**
 * Certificates and keys from their files, and what is made of them for handshakes.
 *
 * Files are read when a link or door first needs them and again on `reload` or when `watch` sees them change. New handshakes
 * take the new material, connections that are up go on. A file that is wrong keeps what was read before, and says so. Nothing in
 * here logs, and no error holds anything of a file but its path.
 */
import { constants, createPrivateKey, X509Certificate } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls"
import { Context, Data, Effect, Layer } from "effect"
import { keyFileFault, keyFileFix } from "./KeyFile.ts"
import type { TlsSettings } from "./Tls.ts"

/** Authenticated encryption only, with a fresh key for each connection: TLS 1.3, and the like of it in TLS 1.2. */
const CIPHERS = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256"
].join(":")

/** A file that cannot be used for TLS. */
export class CredentialsWrong extends Data.TaggedError("CredentialsWrong")<{
  readonly file: string
  readonly problem: string
  readonly fix: string
}> {
  override get message(): string {
    return `${this.file}: ${this.problem}. ${this.fix}`
  }
}

/** What was read at one time. */
export interface Material {
  readonly context: SecureContext
  /** The same as options, for a server that goes on. */
  readonly options: SecureContextOptions
  /** Until when our certificate is valid, milliseconds since 1970; 0 without one. */
  readonly expiresAt: number
}

/** What a reload did with one set of files. */
export interface Reloaded {
  /** Our certificate's file, otherwise the first file of the set. */
  readonly file: string
  /** Why the old material was kept; `undefined`: the new one is in use. */
  readonly wrong: CredentialsWrong | undefined
  readonly expiresAt: number
}

const filesOf = ({ certificate, key, passphraseFile, ca, crl }: TlsSettings): ReadonlyArray<string> =>
  [certificate, key, passphraseFile, ...ca, ...crl].filter((file) => file !== undefined)

const wrong = (file: string, problem: string, fix: string) => new CredentialsWrong({ file, problem, fix })

const unreadable: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EISDIR: "it is a directory",
  EACCES: "this user has no right to it",
  EPERM: "this user has no right to it"
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, "utf8")
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const problem = unreadable[code ?? ""] ?? `the file cannot be read, the system says ${code}`
    throw wrong(file, problem, "Give the path of a PEM file that this user may read.")
  }
}

/** Text of a file that only its owner may read. */
const readSecret = (file: string): string => {
  const text = readText(file)
  const self = process.geteuid?.()
  const fault = self === undefined ? undefined : keyFileFault(statSync(file), self)
  if (fault !== undefined) throw wrong(file, fault, keyFileFix)
  return text
}

const certificatePem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

const certificatesOf = (file: string): ReadonlyArray<X509Certificate> => {
  try {
    const found = (readText(file).match(certificatePem) ?? []).map((pem) => new X509Certificate(pem))
    if (found.length > 0) return found
  } catch (error) {
    if (error instanceof CredentialsWrong) throw error
  }
  throw wrong(file, "it holds no certificate", "It has to be PEM: -----BEGIN CERTIFICATE-----.")
}

const ownKey = (key: string, passphraseFile: string | undefined, certificate: string, own: X509Certificate) => {
  const pem = readSecret(key)
  const passphrase = passphraseFile === undefined ? undefined : readSecret(passphraseFile).trim()
  let read: ReturnType<typeof createPrivateKey>
  try {
    read = createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch {
    throw wrong(key, "it holds no key that can be read", "It has to be PEM; if it is encrypted, give `passphraseFile`.")
  }
  if (!own.checkPrivateKey(read)) {
    throw wrong(key, `it is not the key of ${certificate}`, "Give the key that the certificate was made for.")
  }
  return { key: pem, ...(passphrase === undefined ? {} : { passphrase }) }
}

/** Reads all files of a set; throws `CredentialsWrong` for the first that is wrong. */
const read = (settings: TlsSettings): Material => {
  const { certificate, key, passphraseFile, ca, crl, versionMin } = settings
  const own = certificate === undefined ? undefined : certificatesOf(certificate)[0]!
  const keys = own === undefined || key === undefined ? {} : ownKey(key, passphraseFile, certificate!, own)
  for (const file of ca) certificatesOf(file)
  const base: SecureContextOptions = {
    minVersion: versionMin,
    maxVersion: "TLSv1.3",
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // Sessions are not resumed: a resumed one would skip the revocation list, and long connections gain nothing.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    // Without this Node trusts the public authorities, and none of them has a say in who a partner is.
    ca: ca.map(readText),
    ...(own === undefined ? {} : { cert: readText(certificate!), ...keys })
  }
  const lists = crl.map((file) => revocationList(file, base))
  const options = { ...base, ...(lists.length === 0 ? {} : { crl: lists }) }
  try {
    return {
      context: createSecureContext(options),
      options,
      expiresAt: own === undefined ? 0 : Date.parse(own.validTo)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw wrong(
      certificate ?? ca[0] ?? "",
      `TLS does not take it (${code ?? "unknown"})`,
      "Look at the certificate's key and chain."
    )
  }
}

const revocationList = (file: string, base: SecureContextOptions): string => {
  const list = readText(file)
  try {
    createSecureContext({ ...base, crl: list })
    return list
  } catch {
    throw wrong(file, "it holds no revocation list", "It has to be PEM: -----BEGIN X509 CRL-----.")
  }
}

/** Changes when a file of the set was written or replaced; a file that is not there counts as changed to nothing. */
const stamp = (settings: TlsSettings): string =>
  filesOf(settings)
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false })
      return stat === undefined ? "-" : `${stat.ino}.${stat.size}.${stat.mtimeMs}`
    })
    .join(" ")

/** One set of files and what was read from them last. */
class Credential {
  readonly settings: TlsSettings
  private read: Material | undefined
  private stamp = ""

  constructor(settings: TlsSettings) {
    this.settings = settings
  }

  /** What is in use; reads the files when nothing is yet. */
  use(): Material | CredentialsWrong {
    return this.read ?? this.reload().wrong ?? this.read!
  }

  get isChanged(): boolean {
    return this.read !== undefined && stamp(this.settings) !== this.stamp
  }

  reload(): Reloaded {
    this.stamp = stamp(this.settings)
    const file = filesOf(this.settings)[0] ?? ""
    try {
      this.read = read(this.settings)
      return { file, wrong: undefined, expiresAt: this.read.expiresAt }
    } catch (error) {
      if (!(error instanceof CredentialsWrong)) throw error
      return { file, wrong: error, expiresAt: this.read?.expiresAt ?? 0 }
    }
  }
}

/** Certificates and keys of all links and doors. */
export class Credentials extends Context.Service<
  Credentials,
  {
    /** The material in use for these settings; read from its files the first time. Settings with the same files share it. */
    readonly of: (settings: TlsSettings) => Material | CredentialsWrong
    /** Reads every file again. What is wrong keeps what was there. */
    readonly reload: Effect.Effect<ReadonlyArray<Reloaded>>
    /** The same for the sets of files that have changed since they were read. */
    readonly refresh: Effect.Effect<ReadonlyArray<Reloaded>>
  }
>()("@jinka/switch/transport/Credentials") {}

/** Credentials from files. */
export const layer: Layer.Layer<Credentials> = Layer.sync(Credentials, () => {
  const known = new Map<string, Credential>()
  const credential = (settings: TlsSettings): Credential => {
    const key = JSON.stringify([
      filesOf(settings),
      settings.certificate,
      settings.key,
      settings.ca,
      settings.versionMin
    ])
    const one = known.get(key) ?? new Credential(settings)
    known.set(key, one)
    return one
  }
  return Credentials.of({
    of: (settings) => credential(settings).use(),
    reload: Effect.sync(() => [...known.values()].map((one) => one.reload())),
    refresh: Effect.sync(() => [...known.values()].filter((one) => one.isChanged).map((one) => one.reload()))
  })
})
