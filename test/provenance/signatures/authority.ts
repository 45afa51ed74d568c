import 'reflect-metadata'
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { initializeCA, initializeCTLog, initializeTSA } from '@sigstore/mock'
import { canonicalJson } from '../../../src/math/hash.ts'
import { preAuthEncoding } from '../../../src/provenance/signatures/pae.ts'

/** A sigstore instance of its own: certificates, their log, a log of one leaf, timestamps. */
export interface Authority {
  readonly trustedRoot: Readonly<Record<string, unknown>>
  bundle(content: Content, options?: BundleOptions): Promise<Bundle>
}

export type Content = { readonly message: Buffer } | { readonly payloadType: string; readonly payload: Buffer }

export interface BundleOptions {
  readonly identity?: string
  readonly issuer?: string
  /** Signs with this key instead of a certificate. */
  readonly key?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  readonly log?: 'v1' | 'v2' | 'none'
  readonly mediaType?: string
  readonly codeSigning?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: tests take bundles apart at will
export type Bundle = any

export const someone = { identity: 'https://example.org/release', issuer: 'https://issuer.example.org' } as const
const url = 'https://log.example.org'
const p256 = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const der = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const sha256 = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((state, part) => state.update(part), createHash('sha256')).digest()

export async function authority(): Promise<Authority> {
  const [caKeys, ctKeys, logKeys, tsaKeys] = [p256(), p256(), p256(), p256()]
  // Whole seconds, and after the certificates of the authorities, which begin when they are made.
  const clock = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000)
  const ctLog = await initializeCTLog(ctKeys, clock)
  const ca = await initializeCA(caKeys, ctLog, clock)
  const tsa = await initializeTSA(tsaKeys, clock)
  const logId = sha256(der(logKeys.publicKey))
  const validFor = { start: new Date(Date.now() - 86_400_000).toISOString() }
  const publicKey = (key: KeyObject) => ({ rawBytes: b64(der(key)), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor })
  const chain = (...certificates: readonly ArrayBufferView[]) => ({
    certChain: { certificates: certificates.map((c) => ({ rawBytes: b64(c as Uint8Array) })) },
    subject: { commonName: 'x', organization: 'x' },
    validFor,
  })

  /** The only leaf of its log: the root is its hash. */
  function logged(body: Buffer, kind: string, version: string, promise: boolean) {
    const rootHash = sha256(Buffer.from([0]), body)
    const note = `log.example.org\n1\n${b64(rootHash)}\n`
    const signature = b64(Buffer.concat([logId.subarray(0, 4), sign('sha256', Buffer.from(note), logKeys.privateKey)]))
    const integratedTime = promise ? clock.getTime() / 1000 : 0
    const promised = { body: b64(body), integratedTime, logID: logId.toString('hex'), logIndex: 7 }
    return {
      logIndex: '7',
      logId: { keyId: b64(logId) },
      kindVersion: { kind, version },
      integratedTime: String(integratedTime),
      ...(promise
        ? { inclusionPromise: { signedEntryTimestamp: b64(sign('sha256', Buffer.from(canonicalJson(promised)), logKeys.privateKey)) } }
        : {}),
      inclusionProof: {
        logIndex: '0',
        treeSize: '1',
        rootHash: b64(rootHash),
        hashes: [],
        checkpoint: { envelope: `${note}\n\u2014 log.example.org ${signature}\n` },
      },
      canonicalizedBody: b64(body),
    }
  }

  function entry(content: Content, signature: Buffer, verifier: { pem: string; certificate: Buffer | null; key: KeyObject }, v2: boolean) {
    const pem = b64(Buffer.from(verifier.pem))
    const holder = verifier.certificate
      ? { x509Certificate: { rawBytes: b64(verifier.certificate) } }
      : { publicKey: { rawBytes: b64(der(verifier.key)) } }
    const keyed = { ...holder, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
    const isMessage = 'message' in content
    const message = isMessage ? content.message : preAuthEncoding(content.payloadType, content.payload)
    const digest = sha256(message)
    const spec = v2
      ? {
          hashedRekordV002: {
            data: { algorithm: 'SHA2_256', digest: b64(digest) },
            signature: { content: b64(signature), verifier: keyed },
          },
        }
      : isMessage
        ? {
            data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
            signature: { content: b64(signature), publicKey: { content: pem } },
          }
        : {
            payloadHash: { algorithm: 'sha256', value: sha256(content.payload).toString('hex') },
            signatures: [{ signature: b64(signature), verifier: pem }],
          }
    const kind = v2 || isMessage ? 'hashedrekord' : 'dsse'
    const apiVersion = v2 ? '0.0.2' : '0.0.1'
    return logged(Buffer.from(canonicalJson({ apiVersion, kind, spec } as never)), kind, apiVersion, !v2)
  }

  return {
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [{ baseUrl: url, hashAlgorithm: 'SHA2_256', publicKey: publicKey(logKeys.publicKey), logId: { keyId: b64(logId) } }],
      certificateAuthorities: [{ ...chain(ca.rootCertificate), uri: url }],
      ctlogs: [
        {
          baseUrl: url,
          hashAlgorithm: 'SHA2_256',
          publicKey: { ...publicKey(ctKeys.publicKey) },
          logId: { keyId: b64(ctLog.logID as Uint8Array) },
        },
      ],
      timestampAuthorities: [{ ...chain(tsa.intCertificate, tsa.rootCertificate), uri: url }],
    },
    async bundle(content, options = {}) {
      const { identity = someone.identity, issuer = someone.issuer, log = 'v1' } = options
      const keys = options.key ?? p256()
      const message = 'message' in content ? content.message : preAuthEncoding(content.payloadType, content.payload)
      const signature = sign('sha256', message, keys.privateKey)
      const certificate = options.key
        ? null
        : Buffer.from(
            (await ca.issueCertificate({
              publicKey: der(keys.publicKey) as never,
              subjectAltName: identity,
              extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: issuer }],
            })) as Uint8Array,
          )
      const pem = certificate
        ? `-----BEGIN CERTIFICATE-----\n${b64(certificate)
            .match(/.{1,64}/g)
            ?.join('\n')}\n-----END CERTIFICATE-----\n`
        : keys.publicKey.export({ type: 'spki', format: 'pem' }).toString()
      const stamp =
        log === 'v2'
          ? await tsa.timestamp({
              artifactHash: sha256(signature),
              hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
              nonce: 1,
              policyOID: '1.2.3.4',
              certReq: false,
            })
          : null
      return {
        mediaType: options.mediaType ?? 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: {
          ...(certificate ? { certificate: { rawBytes: b64(certificate) } } : { publicKey: { hint: 'a hint' } }),
          tlogEntries: log === 'none' ? [] : [entry(content, signature, { pem, certificate, key: keys.publicKey }, log === 'v2')],
          timestampVerificationData: stamp ? { rfc3161Timestamps: [{ signedTimestamp: b64(stamp as Uint8Array) }] } : {},
        },
        ...('message' in content
          ? { messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: b64(sha256(message)) }, signature: b64(signature) } }
          : {
              dsseEnvelope: {
                payload: b64(content.payload),
                payloadType: content.payloadType,
                signatures: [{ sig: b64(signature), keyid: '' }],
              },
            }),
      }
    },
  }
}
