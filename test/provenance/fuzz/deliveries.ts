import { createHash, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'

export type Files = ReadonlyMap<string, Buffer>

/** A way to state what files are. Paths are relative to the root of the delivery. */
export interface Kind {
  readonly name: string
  /** The manifests, with what belongs to them. */
  manifests(data: Files): Files
  /** Where the data lie in this kind; as they are by default. */
  place?(path: string): string
  readonly signed?: boolean
}

const digest = (algorithm: string, bytes: Buffer): string => createHash(algorithm).update(bytes).digest('hex')
const lines = (data: Files, line: (path: string, bytes: Buffer) => string): Buffer =>
  Buffer.from(Array.from(data, ([path, bytes]) => `${line(path, bytes)}\n`).join(''))
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, null, 1))
const one = (name: string, content: Buffer): Files => new Map([[name, content]])

export const keys = {
  ed25519: generateKeyPairSync('ed25519'),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}
const minisignKey = generateKeyPairSync('ed25519')
const keyId = Buffer.from('fuzzfuzz')
const rawPublic = minisignKey.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)

export const publicKeys = [
  ...Object.entries(keys).map(([name, { publicKey }]) => ({
    name: `${name}.pub`,
    text: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  })),
  {
    name: 'minisign.pub',
    text: `untrusted comment: fuzz\n${Buffer.concat([Buffer.from('Ed'), keyId, rawPublic]).toString('base64')}\n`,
  },
]

/** As `minisign -S -l` writes it. */
function minisig(data: Buffer): Buffer {
  const signature = sign(null, data, minisignKey.privateKey)
  const comment = 'timestamp:1700000000'
  const global = sign(null, Buffer.concat([signature, Buffer.from(comment)]), minisignKey.privateKey)
  const first = Buffer.concat([Buffer.from('Ed'), keyId, signature]).toString('base64')
  return Buffer.from(`untrusted comment: fuzz\n${first}\ntrusted comment: ${comment}\n${global.toString('base64')}\n`)
}

/** Pre-authentication encoding of DSSE v1. */
const pae = (type: string, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body])

const payloadType = 'application/vnd.in-toto+json'
const envelope = (statement: object, key: KeyObject, algorithm: string | null) => {
  const payload = json(statement)
  return {
    payload: payload.toString('base64'),
    payloadType,
    signatures: [{ keyid: '', sig: sign(algorithm, pae(payloadType, payload), key).toString('base64') }],
  }
}

const bundle = (content: object): Buffer =>
  json({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: '' }, tlogEntries: [] },
    ...content,
  })

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

const shardSize = 100

/** Digests of whole files, or of parts of them. */
function resourcesOf(data: Files, sharded: boolean) {
  return [...data].sort(byName).flatMap(([name, bytes]) => {
    if (!sharded) return [{ name, algorithm: 'sha256', digest: digest('sha256', bytes) }]
    return Array.from({ length: Math.ceil(bytes.length / shardSize) }, (_, i) => {
      const [start, end] = [i * shardSize, Math.min((i + 1) * shardSize, bytes.length)]
      return { name: `${name}:${start}:${end}`, algorithm: 'sha256', digest: digest('sha256', bytes.subarray(start, end)) }
    })
  })
}

function omsStatement(data: Files, sharded: boolean) {
  const resources = resourcesOf(data, sharded)
  const root = hash('sha256', Buffer.concat(resources.map((r) => Buffer.from(r.digest, 'hex'))))
  const method = sharded ? { method: 'shards', shard_size: shardSize } : { method: 'files' }
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'delivery', digest: { sha256: root } }],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: { resources, serialization: { ...method, hash_type: 'sha256', allow_symlinks: false, ignore_paths: ['model.sig'] } },
  }
}

const statement = (data: Files) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: Array.from(data, ([name, bytes]) => ({ name, digest: { sha256: digest('sha256', bytes) } })),
  predicateType: 'https://example.org/release/v1',
  predicate: {},
})

const sums = (data: Files): Buffer => lines(data, (path, bytes) => `${digest('sha256', bytes)}  ${path}`)

function bag(data: Files): Files {
  const octets = [...data.values()].reduce((sum, bytes) => sum + bytes.length, 0)
  const parts = new Map([
    ['bagit.txt', Buffer.from('BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n')],
    ['bag-info.txt', Buffer.from(`Payload-Oxum: ${octets}.${data.size}\n`)],
    ['manifest-sha256.txt', sums(data)],
  ])
  return new Map([...parts, ['tagmanifest-sha256.txt', sums(parts)]])
}

export const kinds: readonly Kind[] = [
  { name: 'sums, GNU', manifests: (data) => one('SHA256SUMS', sums(data)) },
  {
    name: 'sums, BSD',
    manifests: (data) =>
      one(
        'CHECKSUM.txt',
        lines(data, (path, bytes) => `SHA256 (${path}) = ${digest('sha256', bytes)}`),
      ),
  },
  {
    name: 'sums, MD5',
    manifests: (data) =>
      one(
        'md5sum.txt',
        lines(data, (path, bytes) => `${digest('md5', bytes)} *${path}`),
      ),
  },
  {
    name: 'sums, ed25519',
    signed: true,
    manifests: (data) =>
      new Map([
        ['SHA256SUMS', sums(data)],
        ['SHA256SUMS.sig', sign(null, sums(data), keys.ed25519.privateKey)],
      ]),
  },
  {
    name: 'sums, ECDSA',
    signed: true,
    manifests: (data) =>
      new Map([
        ['SHA256SUMS', sums(data)],
        ['SHA256SUMS.sig', Buffer.from(sign('sha256', sums(data), keys.p256.privateKey).toString('base64'))],
      ]),
  },
  {
    name: 'sums, minisign',
    signed: true,
    manifests: (data) =>
      new Map([
        ['SHA256SUMS', sums(data)],
        ['SHA256SUMS.minisig', minisig(sums(data))],
      ]),
  },
  ...[false, true].map(
    (sharded): Kind => ({
      name: sharded ? 'OpenSSF Model Signing, shards' : 'OpenSSF Model Signing',
      signed: true,
      manifests: (data) =>
        one('model.sig', bundle({ dsseEnvelope: envelope(omsStatement(data, sharded), keys.p256.privateKey, 'sha256') })),
    }),
  ),
  {
    name: 'in-toto in DSSE',
    signed: true,
    manifests: (data) => one('release.intoto.json', json(envelope(statement(data), keys.ed25519.privateKey, null))),
  },
  {
    name: 'Sigstore bundle of a file',
    signed: true,
    manifests: (data) =>
      new Map(
        Array.from(data, ([path, bytes]) => [
          `${path}.sigstore.json`,
          bundle({
            messageSignature: {
              messageDigest: { algorithm: 'SHA2_256', digest: hash('sha256', bytes, 'base64') },
              signature: sign('sha256', bytes, keys.p256.privateKey).toString('base64'),
            },
          }),
        ]),
      ),
  },
  {
    name: 'Croissant',
    manifests: (data) =>
      one(
        'croissant.json',
        json({
          '@context': { '@vocab': 'https://schema.org/', cr: 'http://mlcommons.org/croissant/', sc: 'https://schema.org/' },
          '@type': 'sc:Dataset',
          conformsTo: 'http://mlcommons.org/croissant/1.0',
          name: 'fuzz',
          distribution: Array.from(data, ([path, bytes]) => ({
            '@type': 'cr:FileObject',
            '@id': path,
            name: path,
            contentUrl: path,
            contentSize: `${bytes.length} B`,
            encodingFormat: 'text/csv',
            sha256: digest('sha256', bytes),
          })),
        }),
      ),
  },
  {
    name: 'Data Package',
    manifests: (data) =>
      one(
        'datapackage.json',
        json({
          name: 'fuzz',
          resources: Array.from(data, ([path, bytes], i) => ({
            name: `part-${i}`,
            path,
            bytes: bytes.length,
            hash: `sha256:${digest('sha256', bytes)}`,
          })),
        }),
      ),
  },
  { name: 'BagIt', place: (path) => `data/${path}`, manifests: bag },
  {
    name: 'DVC',
    manifests: (data) =>
      new Map(
        Array.from(data, ([path, bytes]) => [
          `${path}.dvc`,
          Buffer.from(`outs:\n- md5: ${digest('md5', bytes)}\n  size: ${bytes.length}\n  hash: md5\n  path: ${path.split('/').at(-1)}\n`),
        ]),
      ),
  },
  {
    name: 'LFS pointers beside the files',
    manifests: (data) =>
      new Map(
        Array.from(data, ([path, bytes]) => [
          `.cache/huggingface/download/${path}.metadata`,
          Buffer.from(`${'a'.repeat(40)}\n${digest('sha256', bytes)}\n1700000000.0\n`),
        ]),
      ),
  },
  {
    name: 'table of addresses',
    manifests: (data) =>
      one(
        'urls.csv',
        Buffer.concat([
          Buffer.from('url,sha256,label\n'),
          lines(data, (path, bytes) => `https://example.org/${path},${digest('sha256', bytes)},cat`),
        ]),
      ),
  },
]
