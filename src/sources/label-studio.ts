import type { SourceSpec } from '../contracts/data.ts'
import { type Annotated, annotatedFormat, checkCount, type Export } from './annotated.ts'
import { toText } from './cells.ts'
import { SourceError } from './errors.ts'
import { jsonItems } from './json-items.ts'

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const taskKeys = /"(annotations|completions|data|annotation_id|annotator)"\s*:/
const imageKeys = ['image', 'img', 'picture', 'photo', 'image_url', 'url']
const textKeys = ['text', 'body', 'content', 'document', 'sentence', 'review']

/** Where Label Studio says that a picture lies, as a path below the folder of the pictures: nothing is fetched. */
function pathIn(reference: string): string {
  const local = /[?&]d=([^&]+)/.exec(reference)?.[1]
  const plain = local ?? reference.replace(/^[a-z0-9]+:\/\/[^/]+\//i, '').replace(/[?#].*$/, '')
  try {
    return decodeURIComponent(plain)
      .replace(/^\/?data\/(upload\/)?/, '')
      .replace(/^\/+/, '')
  } catch {
    return plain
  }
}

const userOf = (by: unknown): string | null => (isFields(by) ? (toText(by.email) ?? toText(by.id) ?? null) : (toText(by) ?? null))

/** The field of a task that a result is about: as the pipeline file names it, as the result does, else by its usual names. */
function subjectOf(data: Fields, role: 'text' | 'image', spec: SourceSpec, to: unknown): string | null {
  const named = spec.columns?.[role]
  const own = typeof to === 'string' && (role === 'image') === isPictureKey(to) ? [to] : []
  const keys = typeof named === 'string' ? [named] : [...own, ...(role === 'image' ? imageKeys : textKeys)]
  for (const key of keys) if (typeof data[key] === 'string') return data[key]
  return null
}

const isPictureKey = (key: string): boolean => imageKeys.includes(key.toLowerCase())

/** A box in percent of the picture. */
function boxOf(value: Fields, width: unknown, height: unknown): NonNullable<Annotated['box']> | null {
  if (typeof width !== 'number' || typeof height !== 'number') return null
  const [x, y, w, h] = [value.x, value.y, value.width, value.height].map((v) => (typeof v === 'number' ? v / 100 : Number.NaN)) as [
    number,
    number,
    number,
    number,
  ]
  return [x * width, y * height, w * width, h * height]
}

interface Sink {
  readonly records: Annotated[]
  readonly notRead: Record<string, number>
}

const count = (sink: Sink, what: string): void => {
  sink.notRead[what] = (sink.notRead[what] ?? 0) + 1
}

function addAnnotation(task: Fields, annotation: Fields, spec: SourceSpec, sink: Sink): void {
  if (annotation.was_cancelled === true) {
    count(sink, 'cancelled annotations')
    return
  }
  const data = isFields(task.data) ? task.data : {}
  const source = userOf(annotation.completed_by) ?? undefined
  const time = toText(annotation.updated_at) ?? toText(annotation.created_at) ?? undefined
  const base = { ...(source === undefined ? {} : { source }), ...(time === undefined ? {} : { time }) }
  const stem = `${toText(task.id) ?? '?'}/${toText(annotation.id) ?? '?'}`
  for (const [i, result] of listOf(annotation.result).entries()) {
    if (!isFields(result) || !isFields(result.value)) continue
    const { type, value, to_name: to } = result
    const id = `${stem}/${toText(result.id) ?? i}`
    if (type === 'choices') {
      const choices = listOf(value.choices).map((c) => toText(c) ?? '')
      const image = subjectOf(data, 'image', spec, to)
      const text = subjectOf(data, 'text', spec, to)
      const content =
        text !== null && !(typeof to === 'string' && image !== null && isPictureKey(to))
          ? { text }
          : image === null
            ? {}
            : { image: pathIn(image) }
      sink.records.push({ id: stem, label: choices.length > 1 ? choices : (choices[0] ?? null), ...base, ...content })
    } else if (type === 'rectanglelabels') {
      const labels = listOf(value.rectanglelabels).map((c) => toText(c) ?? '')
      const image = subjectOf(data, 'image', spec, to)
      const { original_width: width, original_height: height } = result
      const box = boxOf(value, width, height)
      if (image === null || box === null) count(sink, 'boxes without a picture or its size')
      else if (value.rotation) count(sink, 'turned boxes')
      else
        sink.records.push({
          id,
          label: labels.length > 1 ? labels : (labels[0] ?? null),
          ...base,
          image: pathIn(image),
          box,
          size: [width as number, height as number],
        })
    } else if (type === 'brushlabels' || type === 'polygonlabels') count(sink, 'segmentation')
    else count(sink, `results of type ${String(type).slice(0, 40)}`)
  }
}

async function load(path: string, spec: SourceSpec): Promise<Export> {
  const sink: Sink = { records: [], notRead: {} }
  for await (const { section, value: task, offset } of jsonItems(path)) {
    if (section !== '' || !isFields(task))
      throw new SourceError('corrupt', `${path}: byte ${offset}: a task that is no object`, { file: path, offset })
    const annotations = task.annotations ?? task.completions
    if (!Array.isArray(annotations))
      throw new SourceError(
        'unsupported',
        `${path}: byte ${offset}: a task without annotations`,
        { file: path, offset },
        'export as JSON: JSON-MIN leaves out who annotated what',
      )
    if (annotations.length === 0) count(sink, 'tasks without annotations')
    for (const annotation of annotations) if (isFields(annotation)) addAnnotation(task, annotation, spec, sink)
    checkCount(sink.records.length, path)
  }
  const { records, notRead } = sink
  // boxes and whole pictures are different things to learn: what there is more of is audited
  const boxes = records.filter((r) => r.box !== undefined)
  const wholes = records.filter((r) => r.box === undefined)
  if (boxes.length === 0 || wholes.length === 0) return { records, notRead }
  return boxes.length >= wholes.length
    ? { records: boxes, notRead: { ...notRead, 'choices of whole tasks': wholes.length } }
    : { records: wholes, notRead: { ...notRead, boxes: boxes.length } }
}

/** Label Studio's export as JSON: a record an annotation and a task, or a box; who annotated it is its source. */
export const labelStudio = annotatedFormat(
  {
    name: 'label-studio',
    detect: (head, path) => {
      const text = Buffer.from(head)
        .toString('latin1')
        .replace(/^\xef\xbb\xbf/, '')
      return /\.json$/i.test(path) && /^\s*\[\s*\{/.test(text) && taskKeys.test(text)
    },
  },
  load,
)
