import type { DeclaredFacts, DeliveredFile, Delivery, Manifest, ManifestEntry, ManifestFormat } from '../../contracts/provenance.ts'
import { readText } from './bounded-text.ts'
import { recordSetFacts } from './croissant/facts.ts'
import type { Record } from './croissant/files.ts'
import { fileObjectEntry, fileSetPaths, nameOf } from './croissant/files.ts'
import type { Node } from './croissant/json-ld.ts'
import { nodeOf, nodes, termsOf, textOf } from './croissant/json-ld.ts'
import { folderOf } from './lookup.ts'
import { problemList } from './problem-list.ts'
import { isDictionary, list, parseJson, property } from './structured.ts'

const maxBytes = 64 * 1024 * 1024
const maxFileObjects = 1_000_000
const maxFileSets = 1_000

/** Croissant 1.0 and 1.1 (and 0.8): MLCommons' JSON-LD description of a data set. No context is fetched. */
export const croissant: ManifestFormat = {
  kind: 'croissant',
  title: 'Croissant',
  detect({ path }, head) {
    if (!/\.(?:json|jsonld)$/i.test(path)) return false
    const text = new TextDecoder().decode(head())
    return (
      /^\s*[[{]/.test(text) && /mlcommons\.org\/(?:croissant|schema)\b/i.test(text) && /"@(?:context|type|graph)"|"conformsTo"/.test(text)
    )
  },
  read: readCroissant,
}

async function readCroissant(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const problems = problemList(file.path)
  const manifest = (entries: readonly ManifestEntry[], facts: readonly DeclaredFacts[], version: string | null): Manifest => ({
    kind: 'croissant',
    title: 'Croissant',
    file: file.path,
    version,
    entries,
    closed: null,
    ignored: [],
    own: [file.path],
    signatures: [],
    problems: problems.all,
    facts,
  })
  const text = await readText(delivery, file.path, maxBytes, problems)
  if (text === null) return manifest([], [], null)
  const tree = parseJson(text, file.path)
  if ('code' in tree) {
    problems.error(tree.code, tree.message, tree.place)
    return manifest([], [], null)
  }
  const document = tree.value
  const terms = termsOf(property(document, '@context'))
  const all = [document, ...list(property(document, '@graph'))].filter(isDictionary).map((item) => nodeOf(item, terms))
  const dataset = all.find((node) => node.types.includes('Dataset')) ?? all.find((node) => node.get('distribution') !== undefined)
  if (!dataset) {
    problems.error('malformed', `${file.path} describes no data set (an object of type sc:Dataset).`, { file: file.path })
    return manifest([], [], null)
  }
  const record: Record = { file: file.path, base: folderOf(file.path), terms, delivery, problems }
  const parts = uniqueParts([...nodes(dataset.get('distribution'), terms), ...all.filter((node) => node !== dataset)])
  return manifest(entriesOf(record, parts), recordSetFacts(dataset, terms, file.path), versionOf(dataset))
}

function versionOf(dataset: Node): string | null {
  for (const value of list(dataset.get('conformsTo'))) {
    const version = /croissant\/(\d+(?:\.\d+)*)$/.exec(
      textOf(value) ?? (typeof property(value, '@id') === 'string' ? String(property(value, '@id')) : ''),
    )
    if (version) return version[1] ?? null
  }
  return null
}

/** A node of a graph may be referred to from `distribution` as well: the fuller one stands for its id. */
function uniqueParts(parts: readonly Node[]): Node[] {
  const described = parts.filter((node) => node.types.includes('FileObject') || node.types.includes('FileSet'))
  const byId = new Map<string, Node>()
  return described.filter((node) => {
    if (node.id === null) return true
    if (byId.has(node.id)) return false
    byId.set(node.id, node)
    return true
  })
}

function entriesOf(record: Record, parts: readonly Node[]): ManifestEntry[] {
  const { file, problems } = record
  const byId = new Map(parts.map((node) => [nameOf(node), node]))
  const objects = parts.filter((node) => node.types.includes('FileObject'))
  if (objects.length > maxFileObjects)
    problems.error('too-large', `${file} has more than ${maxFileObjects.toLocaleString('en')} FileObjects; the others were not read.`, {
      file,
    })
  const entries = objects.slice(0, maxFileObjects).flatMap((node) => fileObjectEntry(record, node, byId) ?? [])
  const named = new Set(entries.map((entry) => entry.path)).add(file)
  const sets = parts.filter((node) => node.types.includes('FileSet'))
  if (sets.length > maxFileSets)
    problems.error('too-large', `${file} has more than ${maxFileSets.toLocaleString('en')} FileSets; the others were not read.`, { file })
  for (const set of sets.slice(0, maxFileSets)) {
    for (const path of fileSetPaths(record, set, byId)) {
      if (named.has(path)) continue
      named.add(path)
      entries.push({ path, digests: [], bytes: null, range: null, placeholder: null, url: null, label: null, place: { file } })
    }
  }
  return entries
}
