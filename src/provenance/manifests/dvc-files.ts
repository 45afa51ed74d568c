import { type ProblemList, shown } from './problem-list.ts'
import { isDictionary, list, property, string, wholeNumber } from './structured.ts'

/** One `outs` or `deps` item. */
export interface DvcFile {
  /** As written, relative to `folder`. */
  readonly path: string
  /** `wdir`, relative to the folder of the DVC file; null for that folder itself. */
  readonly folder: string | null
  /** With `.dir` at its end for a folder; null where there is none. */
  readonly md5: string | null
  /** `hash`: "md5" since DVC 3. */
  readonly hash: string | null
  readonly bytes: number | null
  /** Files of a folder. */
  readonly count: number | null
  /** Where an import came from. */
  readonly url: string | null
  /** True for `deps`: what went in, not what is vouched for. */
  readonly input: boolean
}

/** Other fields in which DVC keeps what a store said of a file: no digests of bytes. */
const tokens = ['etag', 'checksum', 'version_id'] as const

/** Digits alone are a number in YAML where nobody quoted them: they stay as what they are, no digest. */
const digestText = (value: unknown): string | null => (value === undefined || value === null ? null : String(value))

function itemOf(item: unknown, folder: string | null, input: boolean): Omit<DvcFile, 'url'> | null {
  const path = string(property(item, 'path'))
  if (path === null) return null
  return {
    path,
    folder,
    md5: digestText(property(item, 'md5')),
    hash: string(property(item, 'hash')),
    bytes: wholeNumber(property(item, 'size')),
    count: wholeNumber(property(item, 'nfiles')),
    input,
  }
}

/** A folder of a remote that keeps versions lists its files in place: `files: [{relpath, md5, size}]`. */
function* inside(item: unknown, whole: Omit<DvcFile, 'url'>, file: string, problems: ProblemList): Generator<Omit<DvcFile, 'url'>> {
  for (const [i, each] of list(property(item, 'files')).entries()) {
    const path = string(property(each, 'relpath'))
    if (path === null) problems.error('malformed', `${file}: file ${i + 1} of ${shown(whole.path)} has no relpath.`, { file })
    else {
      const md5 = digestText(property(each, 'md5'))
      const nested = `${whole.path.replace(/\/$/, '')}/${path}`
      yield { ...whole, path: nested, md5, bytes: wholeNumber(property(each, 'size')), count: null }
    }
  }
}

function* section(value: unknown, folder: string | null, name: string, file: string, problems: ProblemList): Generator<DvcFile> {
  const items = property(value, name)
  if (items !== undefined && items !== null && !Array.isArray(items)) {
    problems.error('malformed', `${file}: ${name} is no list.`, { file })
    return
  }
  const deps = list(property(value, 'deps'))
  const source = string(property(deps[0], 'path'))
  const url = source !== null && /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : null
  for (const [i, item] of list(items).entries()) {
    const found = itemOf(item, folder, name === 'deps')
    if (!found) {
      problems.error('malformed', `${file}: item ${i + 1} of ${name} has no path.`, { file })
      continue
    }
    if (found.md5 === null && tokens.some((token) => property(item, token) !== undefined) && !found.input) {
      problems.warn(
        'unsupported',
        `${file}: ${shown(found.path)} is known by what its store said of it, which is no digest of its bytes.`,
        { file },
      )
    }
    const files = [...inside(item, found, file, problems)]
    for (const each of files.length > 0 ? files : [found]) yield { ...each, url: name === 'outs' ? url : null }
  }
}

/** All files of a `.dvc` file, or of the stages of a `dvc.lock` of either schema. What is not understood is a problem. */
export function* dvcFiles(value: unknown, file: string, problems: ProblemList): Generator<DvcFile> {
  const locked = /(^|\/)dvc\.lock$/.test(file)
  const schema = property(value, 'schema')
  const stages = locked ? (schema === undefined ? value : property(value, 'stages')) : { file: value }
  if (!isDictionary(stages) || !isDictionary(value)) {
    problems.error('malformed', `${file} is not what DVC writes.`, { file })
    return
  }
  for (const [name, stage] of Object.entries(stages)) {
    if (!isDictionary(stage) || (!locked && !('outs' in stage))) {
      problems.error('malformed', `${file}: ${locked ? `stage ${shown(name)} is no stage` : 'it has no outs'}.`, { file })
      continue
    }
    const folder = string(property(stage, 'wdir'))
    yield* section(stage, folder === '.' ? null : folder, 'outs', file, problems)
    if (locked) yield* section(stage, folder === '.' ? null : folder, 'deps', file, problems)
  }
}
