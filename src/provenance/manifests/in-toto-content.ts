import type { DeliveredFile, Delivery, ManifestEntry } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'
import type { Statement, Subject } from '../signatures/statement.ts'
import { baseName, baseOf, fileAt, folderOf, inFolder } from './lookup.ts'
import { type ProblemList, shown } from './problem-list.ts'

const suffixes =
  /\.(?:sigstore\.jsonl?|sigstore|bundle\.json|bundle|intoto\.jsonl?|in-toto\.jsonl?|dsse\.json|dsse|att|attestation|sig|json)$/i

/** The file that a bundle or an attestation stands beside, by its name: x.csv for x.csv.sigstore.json. Null without such a name. */
export function artifactBeside(path: string): string | null {
  const name = baseName(path)
  const bare = name.replace(suffixes, '')
  return bare === name || bare === '' ? null : inFolder(folderOf(path), bare)
}

const isAddress = (name: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(name)

/**
 * The subjects of a statement as entries: by their names, from the folder of the statement or the root. The only subject of a
 * statement beside a file is that file, whatever it is called.
 */
export function inTotoEntries(
  statement: Statement,
  file: DeliveredFile,
  line: number | null,
  delivery: Delivery,
  problems: ProblemList,
): ManifestEntry[] {
  const { subjects } = statement
  const place = line === null ? { file: file.path } : { file: file.path, line }
  const names = subjects.flatMap(({ name }) => (name === null ? [] : [name]))
  const base = baseOf(delivery, folderOf(file.path), names.slice(0, 10_000))
  const beside = subjects.length === 1 ? artifactBeside(file.path) : null
  const pathOf = ({ name }: Subject): string | null => {
    const safe = name === null || name === '' || name === '_' ? null : safePath(name, base)
    if (safe && 'path' in safe && fileAt(delivery, safe.path)) return safe.path
    if (beside !== null && fileAt(delivery, beside)) return beside
    if (safe && 'path' in safe && !isAddress(name ?? '')) return safe.path
    if (safe && 'hostile' in safe && !isAddress(name ?? ''))
      problems.error('hostile-path', `${file.path}: The path ${shown(name ?? '')} is refused: ${safe.hostile}.`, place)
    else problems.warn('unsupported', `${file.path}: The subject ${shown(name ?? 'without a name')} names no file of the delivery.`, place)
    return null
  }
  return subjects.flatMap((subject): ManifestEntry[] => {
    const path = pathOf(subject)
    if (path === null) return []
    const { digests, placeholder } = subject
    return [{ path, digests, bytes: null, range: null, placeholder: placeholder && shown(placeholder), url: null, label: null, place }]
  })
}
