import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, resolve } from 'node:path'
import { findingsOf } from '../artifacts/findings.ts'
import type { Located, RuleName } from '../artifacts/observation.ts'
import type { Finding } from '../contracts/finding.ts'
import type { Incomplete } from '../contracts/outcome.ts'
import type { FileGrade, Grade } from '../contracts/provenance.ts'
import { openDelivery } from '../provenance/delivery.ts'
import { discover, formatOf } from '../provenance/discover.ts'
import { hashFiles } from '../provenance/hash-files.ts'
import { loadTrust } from '../provenance/trust.ts'
import { digestRequests, gradeFiles } from '../provenance/verify.ts'
import type { Hooks } from './request.ts'
import { defaultPolicy } from './verify.ts'

export interface DigestComparison {
  readonly findings: readonly Finding[]
  readonly notes: readonly string[]
  readonly incomplete: readonly Incomplete[]
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** Whether a base is given by its digests: a sums file or another manifest, in place of the model itself. @throws {ProvenanceError} */
export async function isManifest(path: string): Promise<boolean> {
  if (!isFile(path)) return false
  const delivery = await openDelivery(path)
  const [self] = delivery.files
  return self !== undefined && (await formatOf(self, delivery)) !== null
}

/** What a file of the base that is not the same puts up for review; of the rest a note says that it differs. */
const rules: readonly (readonly [RuleName, RegExp])[] = [
  ['tensor-edited', /\.(?:safetensors|bin|pt|pth|ckpt|gguf|ggml|onnx|h5|hdf5|keras|npz|npy|msgpack|pb|tflite|pkl|mlmodel)$/i],
  [
    'tokenizer-tampered',
    /(?:^|\/)(?:tokenizer[\w.-]*|vocab[\w.-]*|merges\.txt|special_tokens_map\.json|added_tokens\.json|[\w.-]+\.(?:model|spm|tiktoken))$/i,
  ],
  ['chat-template', /\.(?:jinja2?|j2)$|(?:^|\/)chat_template/i],
  ['remote-code', /\.(?:py|so|pyd|dll|dylib)$/i],
]

const ruleOf = (path: string): RuleName | null => rules.find(([, pattern]) => pattern.test(path))?.[0] ?? null

const plural = (n: number, one: string): string => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`
const list = (files: readonly FileGrade[]): string =>
  `${files
    .slice(0, 5)
    .map(({ path }) => path)
    .join(', ')}${files.length > 5 ? ' and others' : ''}`

function observationsOf(files: readonly FileGrade[], base: string): readonly Located[] {
  return files.flatMap((file): Located[] => {
    const rule = ruleOf(file.path)
    if (rule === null || (file.grade !== 'mismatched' && file.grade !== 'missing')) return []
    const { expected, actual } = file
    const digests = expected && actual ? `: its ${expected.algorithm} is ${actual}, and that of the base ${expected.hex}` : ''
    const message =
      file.grade === 'missing' ? `is a file of the base model ${base} and is not here.` : `is not that of the base model ${base}${digests}.`
    return [{ rule, verdict: 'review', subject: file.grade, message, offset: null, file: file.path, inside: [] }]
  })
}

/**
 * Holds the files of a model against the digests of its base: which are the same, which are not, which are missing. What changed in a file is
 * not told, since the base is not here. `path` is a folder or a file, `manifest` a sums file or another manifest.
 *
 * @throws {ProvenanceError} as `discover`
 */
export async function compareDigests(path: string, manifest: string, hooks: Hooks): Promise<DigestComparison> {
  const trust = loadTrust(defaultPolicy, new Date(), null)
  const found = await discover(path, trust, [manifest], { signal: hooks.signal })
  const requests = digestRequests(found)
  const wanted = new Set(requests.map((r) => r.path))
  const total = found.delivery.files.reduce((sum, { path: name, bytes }) => (wanted.has(name) ? sum + bytes : sum), 0)
  let done = 0
  const progress = (bytes: number): void => {
    done += bytes
    hooks.progress({ phase: 'hash', done, total, unit: 'bytes' })
  }
  const { root, outside } = found.delivery
  const digests = await hashFiles(root, requests, { threads: availableParallelism(), progress, outside, signal: hooks.signal })
  const graded = gradeFiles(found, digests, trust).files.filter(({ grade }) => grade !== 'missing' || !isFile(path))
  const base = basename(resolve(manifest))
  return {
    findings: findingsOf(observationsOf(graded, base)),
    notes: notesOf(graded, base),
    incomplete: [
      ...found.manifests.flatMap(({ problems }) => problems).map(({ message, place }) => unread(message, place)),
      ...digests.flatMap(({ path: file, failed }) => (failed === undefined ? [] : [unread(failed, { file })])),
      ...(graded.some(({ grade }) => grade !== 'unlisted') ? [] : [unread(`${manifest} names no file of the model`, { file: manifest })]),
    ],
  }
}

const unread = (message: string, place: Incomplete['place']): Incomplete => ({
  code: 'unreadable',
  message: `the base model: ${message}`,
  place,
  hint: 'correct the digests of the base and scan again',
})

function notesOf(files: readonly FileGrade[], base: string): readonly string[] {
  const of = (...grades: readonly Grade[]): readonly FileGrade[] => files.filter(({ grade }) => grades.includes(grade))
  const [same, changed, missing, added] = [of('verified'), of('mismatched'), of('missing'), of('unlisted')]
  const unsure = of('weak-digest', 'placeholder-digest', 'no-digest')
  const told = files.length - added.length
  return [
    `${same.length.toLocaleString('en')} of ${plural(told, 'file')} of the base model ${base} are the same, ${changed.length} differ, ${missing.length} are missing.`,
    ...(changed.length > 0 ? [`Other than in the base model: ${list(changed)}.`] : []),
    ...(missing.length > 0 ? [`Missing: ${list(missing)}.`] : []),
    ...(added.length > 0 ? [`Not of the base model: ${list(added)}.`] : []),
    ...(unsure.length > 0 ? [`Without a digest that counts, so that nothing is known of them: ${list(unsure)}.`] : []),
  ]
}
