import type { ColumnMap, Role, SourceSpec } from '../contracts/data.ts'
import { roles as allRoles } from '../contracts/data.ts'
import { namesOf } from './assemble.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample } from './format.ts'

/** Names by role, best first; a name also matches after a prefix (`train_labels`, `patient_id`) where the pattern says so. */
const patterns: readonly (readonly [Role, RegExp])[] = [
  [
    'label',
    /^(given_?labels?|labels?|class|classes|target|targets|y|diagnosis|category|label_?(id|name|text)|cls|gold(_label)?|class_?(id|name|label))$/,
  ],
  ['label', /_(labels?|class|target|diagnosis|category)$/],
  ['label', /^(y_(train|test|val)|outcome|sentiment|species|malignant|grade)$/],
  [
    'source',
    /^(source|annotator|vendor|hospital|site|labell?er|worker|rater|reader|clinic|institution|provider|cent(er|re)|origin|contributor)s?$/,
  ],
  [
    'source',
    /^(source|annotator|vendor|hospital|site|labell?er|worker|rater|reader|clinic|institution|provider|cent(er|re))_?(id|name|code)$/,
  ],
  ['id', /^(id|uid|uuid|guid|ids|key|record_?id|sample_?id|__key__|row_?id|accession|study_?uid)$/],
  ['id', /_(id|uid|uuid|guid)$/],
  ['predictions', /^(pred_?probs?|predictions?|probs?|probabilit(y|ies)|proba|predict_proba|softmax|preds?|pyx|psx|scores)$/],
  ['predictions', /[_.](pred_?probs?|predictions|probs|probabilities|proba)$/],
  ['embedding', /^(embeddings?|emb|embs|vec|vectors?|representation|latents?|feats?|features?|x)$/],
  ['embedding', /[_.](embeddings?|emb|vec|vectors?|features?)$|^x_(train|test|val)$/],
  [
    'image',
    /^(images?|img|imgs|png|jpe?g|picture|photo|pixels|scan|x|x_(train|test|val)|data)$|_(images?|img)$|^(image|img|picture|png|jpg)\.bytes$/,
  ],
  ['text', /^texts?$/],
  [
    'text',
    /^(text|txt|caption|notes?|sentence|content|document|body|review|comment|report|abstract|message|question|prompt|instruction|query|passage|transcript)$/,
  ],
  ['text', /_(text|notes?|sentence|question|content|body|abstract)$/],
  ['response', /^(response|answer|output|completion|reply|chosen)$/],
  ['time', /^(time|timestamp|date|datetime|created(_at)?|updated(_at)?|labell?ed_at|annotated_at)$/],
  ['url', /^(url|uri|link|href|source_url)$/],
  ['digest', /^(sha_?(1|256|512)|md5|digest|hash|checksum)$/],
]

/** What texts are labelled by; in a table of numbers these are columns like others. */
const labelOfTexts = /^(ratings?|stars|polarity|emotion|intent|topic|stance|(is_)?(toxic|spam|hate|offensive|harmful))$/

/** `givenLabel`, `Given Label` and `given-label` are `given_label`. */
const plain = (name: string): string =>
  name
    .replace(/\.npy$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '_')
    .replace(/^_+|_+$/g, '')

const isNumeric = (c: ColumnSample): boolean => c.kind === 'number' || c.kind === 'integer'
const isName = (c: ColumnSample): boolean => c.kind === 'string' || c.kind === 'integer' || c.kind === 'boolean'

/** Could a column of this content have the role at all? */
function fits(role: Role, c: ColumnSample): boolean {
  switch (role) {
    case 'id':
      return (c.kind === 'string' || c.kind === 'integer') && c.distinct >= c.filled * 0.98 && c.filled >= c.rows * 0.9
    case 'label':
      return (isName(c) || (c.kind === 'number' && c.distinct <= 20)) && c.distinct <= Math.max(20, c.rows / 2)
    case 'source':
      return isName(c) && c.distinct <= Math.max(20, c.rows / 2)
    case 'text':
    case 'response':
      return c.kind === 'string' || c.chat === true
    case 'url':
      return c.kind === 'string'
    case 'time':
      return c.kind === 'string' || isNumeric(c)
    case 'digest':
      return c.kind === 'string' && c.distinct >= c.filled * 0.5
    case 'image':
      return c.kind === 'binary' || c.image !== undefined
    case 'predictions':
      return c.dims !== null && c.probabilities
    case 'embedding':
      return c.dims !== null && c.dims >= 2 && !c.image
    case 'features':
      return isNumeric(c)
    case 'categories':
      return (c.kind === 'string' || c.kind === 'boolean') && c.distinct >= 2 && c.distinct <= Math.max(20, c.filled / 4)
  }
}

/** Several columns `p_0, p_1, ...` or `prob_cat, prob_dog` of numbers. */
/** `p_cat`, `prob_class_0`, `p0`; not `petal_length` or `perimeter_mean`. */
const probabilityColumn = /^(p|prob|proba|pred_?prob|probability)(_[0-9a-z_]+|(class_?)?\d+)$/

const chatNames = /^(messages?|conversations?|chat|dialog(ue)?|turns)$/

/** `seen on ward`, `none`: a note that says one of a few things, and no text to learn from where there are numbers. */
const isSetPhrase = (c: ColumnSample): boolean => c.filled >= 50 && c.distinct * 10 <= c.filled

/** What each column most likely means, from its name first and its first rows second. */
export function guessRoles(columns: readonly ColumnSample[]): ColumnMap {
  const names = new Map<string, number>()
  for (const c of columns) names.set(c.name, (names.get(c.name) ?? 0) + 1)
  const free = columns.filter((c) => c.name !== '' && names.get(c.name) === 1 && c.kind !== 'empty')
  const taken = new Set<string>()
  const map: { [R in Role]?: string | string[] } = {}
  const hasNumbers = free.some((c) => isNumeric(c) && !c.counting && !isIdentifier(c))
  const chats = free.filter((c) => c.chat)
  const chat = chats.find((c) => chatNames.test(plain(c.name))) ?? (chats.length === 1 ? chats[0] : undefined)
  const alpaca = ['instruction', 'input'].map((n) => free.find((c) => plain(c.name) === n && c.kind === 'string'))
  if (chat) {
    map.text = chat.name
    map.response = chat.name
    taken.add(chat.name)
  } else if (alpaca.every((c) => c !== undefined) && free.some((c) => /^(output|response)$/.test(plain(c.name)))) {
    map.text = alpaca.map((c) => (c as ColumnSample).name)
    for (const c of alpaca) taken.add((c as ColumnSample).name)
  }
  for (const [role, pattern] of patterns) {
    if (map[role] !== undefined) continue
    const found = free.find(
      (c) => !taken.has(c.name) && pattern.test(plain(c.name)) && fits(role, c) && !(role === 'text' && hasNumbers && isSetPhrase(c)),
    )
    if (!found) continue
    map[role] = found.name
    taken.add(found.name)
  }
  if (map.text && map.label === undefined) {
    const found = free.find((c) => !taken.has(c.name) && labelOfTexts.test(plain(c.name)) && fits('label', c))
    if (found) {
      map.label = found.name
      taken.add(found.name)
    }
  }
  const lists = free.filter((c) => !taken.has(c.name) && c.dims !== null && c.dims >= 2)
  const only = lists.length === 1 ? lists[0] : undefined
  if (only && !map.embedding && !map.image) {
    const role = only.image ? 'image' : only.probabilities && !map.predictions ? 'predictions' : 'embedding'
    map[role] = only.name
    taken.add(only.name)
  }
  if (!map.predictions) {
    const found = free.filter((c) => !taken.has(c.name) && isNumeric(c) && probabilityColumn.test(plain(c.name)))
    if (found.length >= 2) {
      map.predictions = found.map((c) => c.name)
      for (const c of found) taken.add(c.name)
    }
  }
  if (!map.embedding && !map.text && !map.image) {
    const numeric = free.filter((c) => !taken.has(c.name) && isNumeric(c) && !c.counting && !isIdentifier(c))
    if (numeric.length) map.features = numeric.map((c) => c.name)
    const categories = free.filter((c) => !taken.has(c.name) && fits('categories', c) && !isIdentifier(c))
    if (categories.length) map.categories = categories.map((c) => c.name)
  }
  return map
}

const isIdentifier = (c: ColumnSample): boolean => {
  const name = plain(c.name)
  return (
    /^unnamed/.test(name) ||
    patterns.some(([role, p]) => (role === 'id' || role === 'source' || role === 'time' || role === 'label') && p.test(name))
  )
}

/** The mapping that the pipeline file gives; empty where it leaves the guess to us. */
export function declaredRoles(spec: SourceSpec): ColumnMap {
  const map: { [R in Role]?: string | readonly string[] } = { ...spec.columns }
  if (spec.features) map.features = spec.features
  return map
}

const edits = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length] as number
}

const nearest = (name: string, names: readonly string[]): string | undefined => {
  const short = name.slice(0, 100)
  const ranked = names
    .slice(0, 1000)
    .map((n) => ({ n, d: edits(short.toLowerCase(), n.slice(0, 100).toLowerCase()) }))
    .sort((a, b) => a.d - b.d)
  return ranked[0] && ranked[0].d <= Math.max(2, short.length / 3) ? ranked[0].n : undefined
}

const multiple: ReadonlySet<Role> = new Set(['features', 'categories', 'embedding', 'predictions', 'text'])

/** Every named column must be there once; list roles may take several. */
export function checkColumns(map: ColumnMap, columns: readonly ColumnSample[], file: string): void {
  const names = columns.map((c) => c.name)
  for (const role of allRoles) {
    const wanted = namesOf(map, role)
    if (map[role] !== undefined && wanted.length === 0) throw new SourceError('invalid-spec', `role ${role}: no column is named`, { file })
    if (wanted.length > 1 && !multiple.has(role)) {
      throw new SourceError('invalid-spec', `role ${role} takes one column, ${wanted.length} are named`, {
        file,
        column: wanted[1] as string,
      })
    }
    for (const name of wanted) {
      const count = names.filter((n) => n === name).length
      if (count > 1)
        throw new SourceError('ambiguous-column', `${file}: ${count} columns are named ${JSON.stringify(name)}`, { file, column: name })
      if (count === 1) continue
      const near = nearest(name, names)
      const listed = names
        .slice(0, 20)
        .map((n) => JSON.stringify(n))
        .join(', ')
      throw new SourceError(
        'unknown-column',
        `${file}: no column ${JSON.stringify(name)} for the role ${role}`,
        { file, column: name },
        `${near ? `did you mean ${JSON.stringify(near)}? ` : ''}columns: ${listed}${names.length > 20 ? ', ...' : ''}`,
      )
    }
  }
}

/** Length of the vectors of a role; SourceError where the columns cannot give one. */
export function dimsOf(
  map: ColumnMap,
  role: 'embedding' | 'predictions',
  columns: readonly ColumnSample[],
  file: string,
): number | undefined {
  const names = namesOf(map, role)
  if (names.length === 0) return undefined
  if (names.length > 1) return names.length
  const c = columns.find((x) => x.name === names[0])
  const dims = c?.dims ?? (c && (isNumeric(c) || c.kind === 'boolean') ? 1 : null)
  if (dims) return dims
  throw new SourceError(
    'wrong-type',
    `${file}: column ${JSON.stringify(names[0])} holds ${c?.type ?? 'nothing'}, the role ${role} takes a list of numbers or several numeric columns`,
    { file, column: names[0] as string },
    undefined,
    4,
  )
}
