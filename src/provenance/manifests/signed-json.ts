import type { DeliveredFile, Delivery } from '../../contracts/provenance.ts'
import { type OpenBundle, openBundle } from '../signatures/bundle.ts'
import { isEnvelope } from '../signatures/dsse.ts'
import { isStatement } from '../signatures/statement.ts'
import { readText } from './bounded-text.ts'
import type { ProblemList } from './problem-list.ts'
import { type Dictionary, isDictionary, parseJson, property } from './structured.ts'

/** One signed or bare thing of a file; `line` in a file of lines. */
export type SignedPart = { readonly line: number | null } & (
  | { readonly form: 'bundle'; readonly open: OpenBundle }
  | { readonly form: 'envelope'; readonly envelope: Dictionary }
  | { readonly form: 'statement'; readonly statement: Dictionary }
)

/** A statement over 200,000 files, in base64, with room to spare. */
const maxBytes = 128 << 20
const maxLines = 1_000

const limits = { maxDepth: 40, maxNodes: 4_000_000 }

function partOf(value: unknown, line: number | null): SignedPart | { readonly malformed: string } {
  if (isDictionary(value) && typeof property(value, 'mediaType') === 'string') {
    const open = openBundle(value)
    return 'malformed' in open ? open : { line, form: 'bundle', open }
  }
  if (isDictionary(value) && isEnvelope(value)) return { line, form: 'envelope', envelope: value }
  if (isDictionary(value) && isStatement(value)) return { line, form: 'statement', statement: value }
  return { malformed: 'It holds no sigstore bundle, no DSSE envelope and no in-toto statement.' }
}

/** The parts of a JSON file, or of a file with one JSON text a line; what is none becomes a problem. */
export async function readParts(file: DeliveredFile, delivery: Delivery, problems: ProblemList): Promise<readonly SignedPart[]> {
  const text = await readText(delivery, file.path, maxBytes, problems)
  if (text === null) return []
  const whole = /\.jsonl$/i.test(file.path) ? null : parseJson(text, file.path, limits)
  if (whole !== null && 'value' in whole) {
    const part = partOf(whole.value, null)
    if (!('malformed' in part)) return [part]
    problems.error('malformed', `${file.path}: ${part.malformed}`, { file: file.path })
    return []
  }
  const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 }))
  const filled = lines.filter(({ line }) => line !== '')
  if (whole !== null && (filled.length < 2 || !filled.every(({ line }) => line.startsWith('{') && line.endsWith('}')))) {
    problems.error(whole.code, whole.message, whole.place)
    return []
  }
  if (filled.length === 0) problems.error('malformed', `${file.path} is empty.`, { file: file.path })
  if (filled.length > maxLines) problems.error('too-large', `${file.path} has more than ${maxLines} statements.`, { file: file.path })
  return filled.slice(0, maxLines).flatMap(({ line, number }) => {
    const tree = parseJson(line, file.path, limits)
    const part = 'value' in tree ? partOf(tree.value, number) : { malformed: 'It is not JSON.' }
    if (!('malformed' in part)) return [part]
    problems.error('malformed', `${file.path}, line ${number}: ${part.malformed}`, { file: file.path, line: number })
    return []
  })
}
