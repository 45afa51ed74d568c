import type { DeliveredFile, Delivery, Digest, Manifest } from '../../contracts/provenance.ts'
import { contentOf } from './content.ts'
import { digestOf } from './digests.ts'
import { fileAt } from './lookup.ts'
import { type ProblemList, problemList, shown } from './problem-list.ts'

// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
const versions = ['https://git-lfs.github.com/spec/v1', 'https://hawser.github.com/spec/v1', 'http://git-media.io/v/2'] as const
const maxPointerBytes = 1024

/** Whether these first bytes are those of a pointer. */
export const isPointer = (head: string): boolean =>
  versions.some((version) => /^[\r\n]/.test(head.slice(`version ${version}`.length)) && head.startsWith(`version ${version}`))

interface Pointer {
  readonly digest: Digest | null
  readonly placeholder: string | null
  readonly bytes: number | null
  /** Set where programs of the publisher changed the content before it was stored: its digest is then not that of the file. */
  readonly extended: boolean
}

function parse(content: string, file: string, problems: ProblemList): Pointer {
  const fields = new Map<string, string>()
  const lines = content.replace(/\n$/, '').split('\n')
  const wrong = (line: number, what: string) => problems.error('malformed', `${file}, line ${line}: ${what}.`, { file, line })
  for (const [i, raw] of lines.entries()) {
    const [, key, value] = raw.replace(/\r$/, '').match(/^([a-z0-9.-]+) (.+)$/) ?? []
    if (key === undefined || value === undefined) wrong(i + 1, `"${shown(raw)}" is no line of a Git LFS pointer`)
    else if (fields.has(key)) wrong(i + 1, `a second "${shown(key)}"`)
    else fields.set(key, value)
  }
  const [, ...keys] = fields.keys()
  if (keys.some((key, i) => i > 0 && key < (keys[i - 1] as string))) {
    problems.warn('malformed', `${file}: the keys of the Git LFS pointer are not in order.`, { file })
  }
  const oid = fields.get('oid') ?? ''
  const digest = oid.startsWith('sha256:') ? digestOf('sha256', oid.slice(7)) : null
  const size = fields.get('size') ?? ''
  const bytes = /^\d{1,15}$/.test(size) ? Number(size) : null
  if (!digest) wrong(lines.findIndex((l) => l.startsWith('oid ')) + 1 || lines.length, `the object id "${shown(oid)}" is no SHA-256`)
  if (bytes === null)
    wrong(lines.findIndex((l) => l.startsWith('size ')) + 1 || lines.length, `the size "${shown(size)}" is no number of bytes`)
  return { digest, placeholder: digest ? null : shown(oid) || null, bytes, extended: keys.some((key) => key.startsWith('ext-')) }
}

/**
 * The file for which a pointer in a side folder stands: its path without one or more leading folders, where that has the size
 * of which the pointer tells, or where a folder left out is named after pointers. Null for a pointer in place of its content.
 */
function contentBeside(file: DeliveredFile, delivery: Delivery, bytes: number | null): string | null {
  const parts = file.path.split('/')
  const rests = parts.slice(1).map((_, i) => ({ path: parts.slice(i + 1).join('/'), left: parts.slice(0, i + 1) }))
  const same = rests.find(({ path }) => fileAt(delivery, path)?.bytes === bytes && bytes !== null)
  const named = rests.find(({ path, left }) => fileAt(delivery, path) && left.some((part) => /pointer|lfs/i.test(part)))
  return (same ?? named)?.path ?? null
}

/** Null where the file is no pointer after all. */
export async function readPointer(file: DeliveredFile, delivery: Delivery): Promise<Manifest | null> {
  const problems = problemList(file.path)
  const content = await contentOf(delivery, file.path, maxPointerBytes, problems)
  if (content && !isPointer(content.toString('latin1'))) return null
  const pointer = content && parse(content.toString('utf8'), file.path, problems)
  const beside = pointer && contentBeside(file, delivery, pointer.bytes)
  if (pointer && !beside) {
    const size = pointer.bytes === null ? 'the content' : `its ${pointer.bytes.toLocaleString('en')} bytes`
    problems.error('inconsistent', `${file.path} is a Git LFS pointer, not the content: fetch ${size} with git lfs pull.`, {
      file: file.path,
    })
  }
  if (pointer?.extended) {
    problems.warn('unsupported', `${file.path}: the digest is of the content after Git LFS extensions changed it.`, { file: file.path })
  }
  return {
    kind: 'hf-pointer',
    title: 'Git LFS pointer',
    file: file.path,
    version: null,
    entries: pointer
      ? [
          {
            path: beside ?? file.path,
            digests: pointer.digest && !pointer.extended ? [pointer.digest] : [],
            bytes: pointer.extended ? null : pointer.bytes,
            range: null,
            placeholder: pointer.placeholder,
            url: null,
            label: null,
            place: { file: file.path },
          },
        ]
      : [],
    closed: null,
    ignored: [],
    own: beside ? [file.path] : [],
    signatures: [],
    problems: problems.all,
    facts: [],
  }
}
