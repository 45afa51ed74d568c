import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { baseModelRules } from '../artifacts/rules.ts'
import { type ScannedFile, type ScanResult, scanFiles } from '../artifacts/scan.ts'
import type { Json } from '../contracts/data.ts'
import { baseModelId, type DetectorOutcome, type Incomplete } from '../contracts/outcome.ts'
import type { ArtifactsSpec } from '../contracts/pipeline.ts'
import type { Delivery } from '../contracts/provenance.ts'
import { locationOf, openDelivery } from '../provenance/delivery.ts'
import { compareDigests, isManifest } from './base-digests.ts'
import { EngineError } from './errors.ts'
import type { Hooks } from './request.ts'

const plural = (n: number, one: string): string => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`

export interface BaseModelPart {
  readonly detector: DetectorOutcome
  readonly incomplete: readonly Incomplete[]
}

export interface BaseModelSettings {
  readonly required: boolean
  readonly options: Json
}

/** What a model is compared with. */
export interface HeldAgainst {
  readonly base: { readonly name: string; readonly delivery: Delivery } | null
  /** Instead of a base, what its digests say: of the files of the model, a sums file or another manifest. */
  readonly digests: { readonly path: string; readonly manifest: string } | null
  /** Names of publishers that are allowed; none: they are not looked at. */
  readonly publishers: readonly string[]
}

/** The base of the model at `path`: itself, or its digests. @throws {ProvenanceError} where it cannot be read */
export async function openBase(path: string, base: string | undefined, publishers: readonly string[]): Promise<HeldAgainst> {
  if (base === undefined) return { base: null, digests: null, publishers }
  if (await isManifest(base)) return { base: null, digests: { path, manifest: base }, publishers }
  return { base: { name: basename(resolve(base)), delivery: await openDelivery(base) }, digests: null, publishers }
}

/** @throws {EngineError} `bad-option` where there is no such file, before anything is read */
export function checkArtifacts(spec: ArtifactsSpec | undefined): void {
  for (const path of spec === undefined ? [] : [spec.path, spec.base])
    if (path !== undefined && !existsSync(path))
      throw new EngineError(
        'bad-option',
        'the file or folder of the base model does not exist',
        4,
        { file: path },
        'correct artifacts in the pipeline file',
      )
}

/** The base model of a pipeline. */
export async function scanArtifacts(spec: ArtifactsSpec, required: boolean, hooks: Hooks): Promise<BaseModelPart> {
  const { publishers = [] } = spec
  const against = await openBase(spec.path, spec.base, publishers)
  return scanDelivery(await openDelivery(spec.path), hooks, { required, options: null }, against)
}

/** What the files of a base model say, as the report takes it: one detector that scores no rows. */
export async function scanDelivery(
  delivery: Delivery,
  hooks: Hooks,
  settings: BaseModelSettings = { required: false, options: null },
  { base, digests, publishers }: HeldAgainst = { base: null, digests: null, publishers: [] },
): Promise<BaseModelPart> {
  const total = delivery.files.reduce((sum, { bytes }) => sum + bytes, 0)
  let done = 0
  const files = filesOf(delivery)
  const result = await scanFiles(
    files,
    {
      progress(bytes) {
        done += bytes
        hooks.progress({ phase: 'scan', done, total, unit: 'bytes' })
      },
      aborted: () => hooks.signal?.aborted === true,
    },
    base && { name: base.name, files: filesOf(base.delivery) },
    undefined,
    publishers,
  )
  if (hooks.signal?.aborted) throw new EngineError('interrupted', 'interrupted', 2)
  const told = digests && (await compareDigests(digests.path, digests.manifest, hooks))
  const detector = detectorOf(result, settings)
  return {
    detector: told
      ? { ...detector, notes: [...told.notes, ...detector.notes], findings: [...detector.findings, ...told.findings] }
      : detector,
    incomplete: [...incompleteOf(delivery, result), ...(told?.incomplete ?? [])],
  }
}

const filesOf = (delivery: Delivery): readonly ScannedFile[] =>
  delivery.files.map(({ path, bytes }) => ({ path, bytes, location: locationOf(delivery, path) }))

const detectorOf = (result: ScanResult, settings: BaseModelSettings): DetectorOutcome => ({
  id: baseModelId,
  version: 1,
  title: 'Base model',
  rules: baseModelRules,
  ...settings,
  ...(result.files === 0
    ? { status: 'not-applicable', reason: 'there are no files' }
    : { status: 'ran', reason: `${plural(result.files, 'file')} looked into, none loaded` }),
  rowsScored: 0,
  rowsFlagged: 0,
  thresholds: [],
  notes: result.notes,
  findings: result.findings,
  tests: result.tests,
})

/** What could not be read was not looked into: no verdict without it. */
const incompleteOf = (delivery: Delivery, result: ScanResult): readonly Incomplete[] => [
  ...delivery.problems.map(({ message, place }) => ({ code: 'unreadable', message, place, hint: 'correct it and scan again' })),
  ...result.unread.map(({ path, reason }) => ({
    code: 'unreadable',
    message: `${path} could not be read: ${reason}`,
    place: { file: path },
    hint: 'make it readable and scan again',
  })),
]

const gravest = ['failed', 'ran', 'disabled', 'not-applicable'] as const

/** The files of a model and its answers are one detector's in the report; null where there is neither. */
export function together(parts: readonly (BaseModelPart | null)[]): BaseModelPart | null {
  const all = parts.filter((part) => part !== null)
  const detectors = all.map(({ detector }) => detector)
  const [first] = detectors
  if (!first) return null
  const detector: DetectorOutcome = {
    ...first,
    rules: detectors.flatMap((d) => d.rules),
    status: gravest.find((status) => detectors.some((d) => d.status === status)) ?? first.status,
    reason: detectors.map((d) => d.reason).join('; '),
    notes: detectors.flatMap((d) => d.notes),
    findings: detectors.flatMap((d) => d.findings),
    tests: detectors.flatMap((d) => d.tests),
  }
  return { detector, incomplete: all.flatMap(({ incomplete }) => incomplete) }
}
