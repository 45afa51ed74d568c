import 'reflect-metadata'
import { createPrivateKey, type KeyObject, webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

cryptoProvider.set(webcrypto as never)

export { KeyUsageFlags }

type Pair = webcrypto.CryptoKeyPair

const algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const

export interface Issued {
  readonly certificate: X509Certificate
  readonly keys: Pair
  readonly privateKey: KeyObject
  readonly pem: string
  readonly der: Buffer
}

export interface CertificateOptions {
  readonly issuer?: Issued
  readonly ca?: boolean
  readonly pathLength?: number
  readonly usages?: number
  readonly codeSigning?: boolean
  readonly from?: Date
  readonly to?: Date
  readonly keys?: Pair
}

let serial = 1

/** A certificate over a new P-384 key; without an issuer it signs itself. */
export async function certificate(name: string, options: CertificateOptions = {}): Promise<Issued> {
  const keys = options.keys ?? ((await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as Pair)
  const ca = options.ca ?? false
  const extensions: Extension[] = [
    new BasicConstraintsExtension(ca, options.pathLength, true),
    new KeyUsagesExtension(options.usages ?? (ca ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature), true),
    ...(options.codeSigning ? [new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.3'])] : []),
  ]
  const made = await X509CertificateGenerator.create({
    serialNumber: (serial++).toString(16).padStart(4, '0'),
    subject: `CN=${name}`,
    issuer: options.issuer ? options.issuer.certificate.subject : `CN=${name}`,
    notBefore: options.from ?? new Date('2026-01-01T00:00:00Z'),
    notAfter: options.to ?? new Date('2036-01-01T00:00:00Z'),
    publicKey: keys.publicKey,
    signingKey: (options.issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions,
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey as never))
  return {
    certificate: made,
    keys,
    privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
    pem: made.toString('pem'),
    der: Buffer.from(made.rawData),
  }
}
