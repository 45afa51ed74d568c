import type { Conclusion } from '../contracts/detector.ts'
import { screenAdapter } from './base/adapters.ts'
import { compareToBase } from './base/compare.ts'
import { budgetOf, defaultLimits, type Limits } from './budget.ts'
import { openBytes } from './bytes.ts'
import { findingsOf } from './findings.ts'
import type { Located } from './observation.ts'
import { type Place, scanBytes } from './scan-bytes.ts'

export interface ScannedFile {
  /** Relative to the folder, with `/`. */
  readonly path: string
  /** Where its bytes are. */
  readonly location: string
  readonly bytes: number
}

export interface ScanResult extends Conclusion {
  readonly files: number
  readonly bytes: number
  /** Files that could not be opened, and why. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[]
}

export interface ScanHooks {
  readonly progress: (bytes: number) => void
  readonly aborted: () => boolean
}

/** The model that this one is held against. */
export interface PinnedBase {
  readonly name: string
  readonly files: readonly ScannedFile[]
}

const maxObservations = 100_000
const maxNotes = 200

const whereOf = ({ file, inside }: Place): string => [file, ...inside].join(' > ')

/**
 * Looks into every file of a model, one after the other: archives, pickles, weights, configuration, templates, code. Bytes in, observations out:
 * nothing is loaded, imported or executed, and no tensor is read that no check needs.
 */
export async function scanFiles(
  files: readonly ScannedFile[],
  hooks: ScanHooks,
  base: PinnedBase | null = null,
  limits: Limits = defaultLimits,
  publishers: readonly string[] = [],
): Promise<ScanResult> {
  const observations: Located[] = []
  const notes: string[] = []
  const unread: { path: string; reason: string }[] = []
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]))
  let left = 0
  const observe = (o: Located): void => {
    if (observations.length < maxObservations) observations.push(o)
    else left++
  }
  for (const { path, location, bytes } of files) {
    if (hooks.aborted()) break
    const note = (place: Place, text: string): void => {
      if (notes.length < maxNotes) notes.push(`${whereOf(place)}: ${text}.`)
    }
    try {
      const file = openBytes(location)
      try {
        scanBytes(file, path, { file: path, inside: [] }, { limits, budget: budgetOf(limits), sizes, publishers, observe, note })
        if (path.endsWith('.safetensors')) await screenAdapter(file, path, observe, note, hooks.aborted)
      } finally {
        file.close()
      }
    } catch (error) {
      unread.push({ path, reason: (error as Error).message })
    }
    hooks.progress(bytes)
    // Others get their turn between files.
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (base) {
    const said: string[] = []
    try {
      compareToBase(files, base, observe, (text) => said.push(`${text}.`), hooks)
      notes.unshift(...said)
    } catch (error) {
      unread.push({ path: base.name, reason: (error as Error).message })
    }
  }
  for (const o of observations) if (o.verdict === 'note' && notes.length < maxNotes) notes.push(`${whereOf(o)}: ${o.message}`)
  if (left > 0) notes.push(`${left.toLocaleString('en')} more observations are not listed.`)
  return {
    findings: findingsOf(observations),
    tests: [],
    notes,
    files: files.length,
    bytes: files.reduce((sum, f) => sum + f.bytes, 0),
    unread,
  }
}
