import { hash } from 'node:crypto'

export interface BomFile {
  /** Relative to the root of the delivery, `/` between parts. */
  readonly path: string
  readonly bytes: number
  /** 64 hex digits. */
  readonly sha256: string
}

export interface BomModel {
  readonly name: string
  readonly version: string | null
  readonly files: readonly BomFile[]
  /** Model that it was trained from. */
  readonly base: { readonly name: string; readonly version: string | null } | null
}

export interface BomInput {
  readonly subject: { readonly name: string; readonly version: string | null }
  readonly files: readonly BomFile[]
  readonly now: Date
  readonly tool: { readonly name: string; readonly version: string }
  /** As the user writes it. */
  readonly license?: string | undefined
  readonly supplier?: string | undefined
  /** Of the records: "public", "patient data, pseudonymous" ... */
  readonly classification?: string | undefined
  readonly model?: BomModel | undefined
  /** More files than these are counted and left out; the document says so. */
  readonly maxFiles?: number | undefined
}

const defaultMaxFiles = 10_000
const byPath = (a: BomFile, b: BomFile): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)

/** SHA-256 over the raw digests of the files in the order of their paths, as OpenSSF model signing makes the digest of its subject. */
export const contentDigest = (files: readonly BomFile[]): string =>
  hash('sha256', Buffer.concat([...files].sort(byPath).map((file) => Buffer.from(file.sha256, 'hex'))), 'hex')

/** UUID version 8 (RFC 9562, 5.8 and B.2): the first 122 free bits of a SHA-256. */
function uuidOf(text: string): string {
  const bytes = hash('sha256', text, 'buffer')
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

const sha256 = (content: string) => [{ alg: 'SHA-256', content }]
const property = (name: string, value: string | number) => ({ name: `assay:${name}`, value: String(value) })
const versionOf = (version: string | null) => (version === null ? {} : { version })

function filesOf(prefix: string, files: readonly BomFile[], maxFiles: number) {
  return [...files]
    .sort(byPath)
    .slice(0, maxFiles)
    .map(({ path, bytes, sha256: digest }) => ({
      type: 'file',
      'bom-ref': `${prefix}/file/${path}`,
      name: path,
      hashes: sha256(digest),
      properties: [property('bytes', bytes)],
    }))
}

const totals = (files: readonly BomFile[], maxFiles: number) => [
  property('files', files.length),
  property('files-listed', Math.min(files.length, maxFiles)),
  property(
    'bytes',
    files.reduce((sum, file) => sum + file.bytes, 0),
  ),
]

function datasetOf(input: BomInput, maxFiles: number) {
  const { subject, files, license, supplier, classification } = input
  const listed = Math.min(files.length, maxFiles)
  const cut = listed < files.length ? ` ${listed} of them are listed.` : ''
  return {
    type: 'data',
    'bom-ref': 'dataset',
    ...(supplier === undefined ? {} : { supplier: { name: supplier } }),
    name: subject.name,
    ...versionOf(subject.version),
    description: `${files.length} files.${cut} The hash is over the digests of all of them, in the order of their paths.`,
    hashes: sha256(contentDigest(files)),
    ...(license === undefined ? {} : { licenses: [{ license: { name: license } }] }),
    components: filesOf('dataset', files, maxFiles),
    data: [
      {
        'bom-ref': 'dataset/contents',
        type: 'dataset',
        name: subject.name,
        contents: { properties: totals(files, maxFiles) },
        ...(classification === undefined ? {} : { classification }),
        ...(supplier === undefined ? {} : { governance: { owners: [{ organization: { name: supplier } }] } }),
      },
    ],
  }
}

const modelOf = (model: BomModel, maxFiles: number) => ({
  type: 'machine-learning-model',
  'bom-ref': 'model',
  name: model.name,
  ...versionOf(model.version),
  hashes: sha256(contentDigest(model.files)),
  components: filesOf('model', model.files, maxFiles),
  ...(model.base === null
    ? {}
    : { pedigree: { ancestors: [{ type: 'machine-learning-model', name: model.base.name, ...versionOf(model.base.version) }] } }),
  modelCard: { modelParameters: { datasets: [{ ref: 'dataset' }] } },
  properties: totals(model.files, maxFiles),
})

const composition = (assembly: string, files: readonly BomFile[], maxFiles: number) => ({
  aggregate: files.length > maxFiles ? 'incomplete' : 'complete',
  assemblies: [assembly],
})

/**
 * CycloneDX 1.7 bill of materials of a delivery (ECMA-424): one `data` component with its files, and the model that was trained
 * on it where there is one. The serial number follows from names, paths and digests: the same delivery has the same.
 */
export function mlBom(input: BomInput): object {
  const { model, now, tool, maxFiles = defaultMaxFiles } = input
  const dataset = datasetOf(input, maxFiles)
  const identity = [input.subject, [...input.files].sort(byPath).map((f) => [f.path, f.sha256]), model ?? null]
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.7.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.7',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(identity))}`,
    version: 1,
    metadata: {
      timestamp: now.toISOString(),
      tools: { components: [{ type: 'application', name: tool.name, version: tool.version }] },
    },
    components: [dataset, ...(model === undefined ? [] : [modelOf(model, maxFiles)])],
    dependencies: [{ ref: 'dataset' }, ...(model === undefined ? [] : [{ ref: 'model', dependsOn: ['dataset'] }])],
    compositions: [
      composition('dataset', input.files, maxFiles),
      ...(model === undefined ? [] : [composition('model', model.files, maxFiles)]),
    ],
  }
}
