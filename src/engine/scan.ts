import { basename, resolve } from 'node:path'
import type { Gate, Waiver } from '../contracts/pipeline.ts'
import { openDelivery } from '../provenance/delivery.ts'
import { buildReport } from '../report/build.ts'
import type { Report } from '../report/schema.ts'
import { type BaseModelPart, openBase, scanDelivery } from './base-model-outcome.ts'
import { rowlessOutcome } from './provenance-outcome.ts'
import type { Hooks } from './request.ts'
import { type VerifyRequest, verifyDelivery } from './verify.ts'

export interface ScanRequest {
  /** A folder, or one file. */
  readonly path: string
  /** Keys and policy by which manifests and signatures in the folder are judged; default: nobody is trusted and nothing is demanded. */
  readonly policy?: VerifyRequest['policy']
  /** A folder, or one file, of the base model that this one must come from; or its digests: a sums file or another manifest. */
  readonly base?: string | undefined
  /** Names of publishers that are allowed: a name that is like one of them and is not it is a finding. */
  readonly publishers?: readonly string[] | undefined
  /** Default `high`. */
  readonly failOn?: Gate['fail-on'] | undefined
  readonly waivers?: readonly Waiver[] | undefined
  readonly workers?: number | undefined
  readonly now?: Date | undefined
  readonly hooks?: Hooks | undefined
}

export interface ScanReport {
  readonly report: Report
}

const silent: Hooks = { progress: () => {}, log: () => {} }

/**
 * Looks into the files of a base model as bytes: nothing is loaded, imported or executed, and nothing is written. Manifests and signatures that
 * lie in the folder are verified in the same report.
 *
 * @throws {AssayError} where it cannot begin: no such folder, a key that cannot be read
 */
export async function scan(request: ScanRequest): Promise<ScanReport> {
  const { path, hooks = silent, now = new Date(), failOn = 'high', waivers = [], publishers = [] } = request
  const verified = await verifyDelivery({ path, now, hooks, policy: request.policy, workers: request.workers })
  const delivery = await openDelivery(path)
  const against = await openBase(path, request.base, publishers)
  const model: BaseModelPart = await scanDelivery(delivery, hooks, undefined, against)
  // Without manifests there is nothing that a file could be listed in.
  const { provenance } = verified
  const outcome = rowlessOutcome({
    subject: { name: basename(resolve(path)), version: null },
    now,
    provenance: provenance.manifests.length > 0 ? provenance : { ...provenance, coverage: null, files: [] },
    detectors: [model.detector, verified.detector],
    incomplete: [...model.incomplete, ...verified.incomplete],
  })
  const gate: Gate = { 'fail-on': failOn, 'max-flagged': 1, require: [], 'min-coverage': 0 }
  return { report: buildReport(outcome, { gate, waivers, now, excerpts: false }) }
}
