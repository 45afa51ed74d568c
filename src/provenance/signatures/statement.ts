import { isUtf8 } from 'node:buffer'
import type { Digest } from '../../contracts/provenance.ts'
import { algorithmNamed, digestOf } from '../manifests/digests.ts'
import { isDictionary, parseJson, property, string } from '../manifests/structured.ts'

/** https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md, as far as it names an artifact. */
export interface Subject {
  readonly name: string | null
  /** Those whose algorithm is known and whose length fits. */
  readonly digests: readonly Digest[]
  /** A digest that has not the form of its algorithm, as it stands there. */
  readonly placeholder: string | null
  /** Algorithms that cannot be computed here: "gitCommit", "dirHash1" ... */
  readonly unknown: readonly string[]
}

export interface Statement {
  readonly version: '0.1' | '1'
  readonly predicateType: string
  readonly predicate: unknown
  readonly subjects: readonly Subject[]
}

export const statementPayloadType = 'application/vnd.in-toto+json'
export const statementType = 'https://in-toto.io/Statement/v1'

const versions: Readonly<Record<string, Statement['version']>> = { [statementType]: '1', 'https://in-toto.io/Statement/v0.1': '0.1' }
const limits = { maxDepth: 32, maxNodes: 4_000_000 }

function subjectOf(value: unknown): Subject | null {
  const set = property(value, 'digest')
  if (!isDictionary(value) || !isDictionary(set)) return null
  const digests: Digest[] = []
  const unknown: string[] = []
  let placeholder: string | null = null
  for (const [name, text] of Object.entries(set)) {
    const algorithm = algorithmNamed(name)
    const digest = algorithm && typeof text === 'string' ? digestOf(algorithm, text) : null
    if (algorithm === null) unknown.push(name)
    else if (digest === null) placeholder ??= String(text)
    else digests.push(digest)
  }
  return { name: string(property(value, 'name')), digests, placeholder, unknown }
}

/** Whether a value calls itself an in-toto statement of a version that is known. */
export const isStatement = (value: unknown): boolean => Object.hasOwn(versions, string(property(value, '_type')) ?? '')

/** An in-toto statement v0.1 or v1 from parsed JSON; or why it is none. */
export function statementOf(value: unknown): Statement | { readonly malformed: string } {
  const type = property(value, '_type')
  const version = typeof type === 'string' && Object.hasOwn(versions, type) ? versions[type] : undefined
  if (version === undefined) return { malformed: 'It is no in-toto statement of version 0.1 or 1.' }
  const predicateType = property(value, 'predicateType')
  if (typeof predicateType !== 'string' || predicateType === '') return { malformed: 'The statement has no predicate type.' }
  const subject = property(value, 'subject')
  if (!Array.isArray(subject) || subject.length === 0) return { malformed: 'The statement has no subjects.' }
  const subjects = subject.map(subjectOf)
  if (!subjects.every((item) => item !== null)) return { malformed: 'A subject of the statement has no digests.' }
  return { version, predicateType, predicate: property(value, 'predicate'), subjects }
}

/** The same from the bytes of a payload. */
export function parseStatement(payload: Buffer, file: string): Statement | { readonly malformed: string } {
  if (!isUtf8(payload)) return { malformed: 'The statement is not UTF-8.' }
  const tree = parseJson(payload.toString('utf8'), file, limits)
  return 'value' in tree ? statementOf(tree.value) : { malformed: 'The statement is not JSON within bounds.' }
}
