import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import Ajv from 'ajv'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BomFile, type BomInput, contentDigest, mlBom } from '../../../src/provenance/sign/ml-bom.ts'

const shipped = join(dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')), 'res/schema')
const schema = (name: string): object => JSON.parse(readFileSync(join(shipped, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object
const ajv = new Ajv.default({ strict: false, allErrors: true })
addFormats.default(ajv)
for (const format of ['idn-email', 'iri-reference', 'string']) ajv.addFormat(format, true)
for (const part of ['spdx', 'jsf-0.82', 'cryptography-defs'])
  ajv.addSchema(schema(part), `http://cyclonedx.org/schema/${part}.SNAPSHOT.schema.json`)
const validate = ajv.compile(schema('bom-1.7'))

const errorsOf = (bom: object) => {
  validate(JSON.parse(JSON.stringify(bom)))
  return validate.errors
}

const file = (path: string, content = path): BomFile => ({ path, bytes: content.length, sha256: hash('sha256', content) })
const input: BomInput = {
  subject: { name: 'chest-xray', version: 'delivery 2026-11' },
  files: [file('train.npz'), file('labels/train.csv'), file('README.md')],
  now: new Date('2026-11-24T04:00:00Z'),
  tool: { name: 'assay', version: '0.1.0' },
}

interface Shown {
  serialNumber: string
  metadata: { timestamp: string; tools: { components: { name: string }[] } }
  components: {
    type: string
    version?: string
    hashes: { content: string }[]
    components: { name: string; hashes: { alg: string; content: string }[] }[]
    data: { contents: { properties: { name: string; value: string }[] }; governance?: object; classification?: string }[]
    licenses?: object
    pedigree?: object
    modelCard?: object
  }[]
  dependencies: object[]
  compositions: { aggregate: string; assemblies: string[] }[]
}
const shown = (changes: Partial<BomInput> = {}) => mlBom({ ...input, ...changes }) as unknown as Shown

const full: BomInput = {
  ...input,
  license: 'CC-BY-4.0',
  supplier: 'Vendor, Inc.',
  classification: 'patient data, pseudonymous',
  model: {
    name: 'detector',
    version: '3',
    files: [file('model.safetensors')],
    base: { name: 'backbone', version: null },
  },
}

describe('the bill of materials', () => {
  test.each([
    ['a delivery', input],
    ['one without a version', { ...input, subject: { name: 'x', version: null } }],
    ['one with everything', full],
    ['one with no files', { ...input, files: [] }],
    ['one that is cut', { ...input, maxFiles: 1 }],
  ])('%s is valid by the schema of CycloneDX 1.7', (_, given) => expect(errorsOf(mlBom(given))).toBeNull())

  test('the schema refuses what is wrong', () => {
    const bom = mlBom(input) as { components: { hashes: object[] }[] }
    bom.components[0]?.hashes.push({ alg: 'SHA-256', content: 'short' })
    expect(errorsOf(bom)).not.toBeNull()
  })

  test('any names and digests are valid', () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ path: fc.string({ minLength: 1, unit: 'binary' }), content: fc.string() }), { selector: (f) => f.path }),
        fc.string({ unit: 'binary' }),
        (files, name) =>
          errorsOf(mlBom({ ...full, subject: { name, version: name }, files: files.map((f) => file(f.path, f.content)) })) === null,
      ),
      { numRuns: 50 },
    ))

  test('names every file with its digest, in the order of paths', () => {
    const [dataset] = shown().components
    expect(dataset?.type).toBe('data')
    expect(dataset?.components.map((f) => [f.name, f.hashes])).toEqual(
      ['README.md', 'labels/train.csv', 'train.npz'].map((path) => [path, [{ alg: 'SHA-256', content: hash('sha256', path) }]]),
    )
    expect(dataset?.data[0]?.contents.properties).toEqual([
      { name: 'assay:files', value: '3' },
      { name: 'assay:files-listed', value: '3' },
      { name: 'assay:bytes', value: String('train.npz'.length + 'labels/train.csv'.length + 'README.md'.length) },
    ])
    expect(shown().compositions).toEqual([{ aggregate: 'complete', assemblies: ['dataset'] }])
  })

  test('says where it is cut, and still covers all files', () => {
    const cut = shown({ maxFiles: 2 })
    expect(cut.components[0]?.components.map((f) => f.name)).toEqual(['README.md', 'labels/train.csv'])
    expect(cut.compositions).toEqual([{ aggregate: 'incomplete', assemblies: ['dataset'] }])
    expect(cut.components[0]?.hashes).toEqual(shown().components[0]?.hashes)
    expect(JSON.stringify(cut)).toContain('2 of them are listed')
  })

  test('the digest of the data is made as OpenSSF model signing makes it', () => {
    const sorted = ['README.md', 'labels/train.csv', 'train.npz'].map((path) => hash('sha256', path, 'buffer'))
    expect(contentDigest(input.files)).toBe(hash('sha256', Buffer.concat(sorted)))
  })

  test('the serial number follows from the delivery: not from time or order, but from every name and byte', () => {
    const serial = shown().serialNumber
    expect(serial).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(shown({ now: new Date(0), files: [...input.files].reverse() }).serialNumber).toBe(serial)
    const [first, ...rest] = input.files as [BomFile, ...BomFile[]]
    const others = [
      shown({ files: rest }),
      shown({ files: [{ ...first, path: 'other.npz' }, ...rest] }),
      shown({ files: [{ ...first, sha256: hash('sha256', 'other') }, ...rest] }),
      shown({ subject: { name: 'chest-xray', version: null } }),
      shown({ model: full.model }),
    ].map((bom) => bom.serialNumber)
    expect(new Set([serial, ...others]).size).toBe(6)
  })

  test('takes its time from outside', () => expect(shown().metadata.timestamp).toBe('2026-11-24T04:00:00.000Z'))

  test('tells of supplier, licence, classification, and of the model that was trained on the data', () => {
    const [dataset, model] = shown(full).components
    expect(dataset).toMatchObject({
      supplier: { name: 'Vendor, Inc.' },
      licenses: [{ license: { name: 'CC-BY-4.0' } }],
      data: [{ classification: 'patient data, pseudonymous', governance: { owners: [{ organization: { name: 'Vendor, Inc.' } }] } }],
    })
    expect(model).toMatchObject({
      type: 'machine-learning-model',
      pedigree: { ancestors: [{ name: 'backbone' }] },
      modelCard: { modelParameters: { datasets: [{ ref: 'dataset' }] } },
    })
    expect(shown(full).dependencies).toEqual([{ ref: 'dataset' }, { ref: 'model', dependsOn: ['dataset'] }])
  })

  test('no two parts share a reference', () => {
    const references: string[] = []
    JSON.stringify(mlBom({ ...full, files: [file('contents'), file('dataset/contents')] }), (key, value: unknown) => {
      if (key === 'bom-ref') references.push(value as string)
      return value
    })
    expect(new Set(references).size).toBe(references.length)
  })
})
