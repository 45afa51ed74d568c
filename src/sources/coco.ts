import type { SourceSpec } from '../contracts/data.ts'
import { type Annotated, annotatedFormat, checkCount, type Export } from './annotated.ts'
import { toText } from './cells.ts'
import { SourceError } from './errors.ts'
import { jsonItems } from './json-items.ts'

type Fields = Readonly<Record<string, unknown>>

interface Picture {
  readonly file: string
  readonly size: readonly [number, number] | null
  readonly fields: Fields
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const firstKeys = /^\s*\{\s*"(info|licenses|images|annotations|categories)"\s*:/
const who = ['annotator', 'annotator_id', 'source', 'worker_id', 'created_by', 'user'] as const
const when = ['date_captured', 'created_at', 'updated_at', 'time'] as const

const given = (spec: SourceSpec, role: 'source' | 'time', names: readonly string[]): readonly string[] => {
  const own = spec.columns?.[role]
  return typeof own === 'string' ? [own] : names
}

/** What the annotation says, else what its picture says. */
function field(names: readonly string[], ...of: readonly Fields[]): string | undefined {
  for (const fields of of) {
    for (const name of names) {
      const text = toText(fields[name])
      if (text) return text
    }
  }
  return undefined
}

const hasMask = ({ segmentation: s }: Fields): boolean => (Array.isArray(s) ? s.length > 0 : isFields(s))

async function load(path: string, spec: SourceSpec): Promise<Export> {
  const pictures = new Map<string, Picture>()
  const classes = new Map<string, string>()
  const boxes: { readonly fields: Fields; readonly box: Annotated['box'] }[] = []
  let masks = 0
  let crowds = 0
  let withoutBox = 0
  const broken = (what: string, offset: number): never => {
    throw new SourceError(
      'corrupt',
      `${path}: byte ${offset}: ${what}`,
      { file: path, offset },
      'a COCO file has images, annotations and categories',
    )
  }
  for await (const { section, value, offset } of jsonItems(path)) {
    if (!/^(images|categories|annotations)$/.test(section)) continue
    if (!isFields(value)) return broken(`${section} holds something that is no object`, offset)
    const id = toText(value[section === 'annotations' ? 'image_id' : 'id'])
    if (!id) return broken(`${section}: an entry without ${section === 'annotations' ? 'image_id' : 'id'}`, offset)
    if (section === 'images') {
      const { file_name: file, width, height } = value
      if (typeof file !== 'string') return broken('images: an entry without file_name', offset)
      const size = typeof width === 'number' && typeof height === 'number' ? ([width, height] as const) : null
      // only what tells who and when is kept of it
      const fields = Object.fromEntries([...given(spec, 'source', who), ...given(spec, 'time', when)].map((n) => [n, value[n]]))
      pictures.set(id, { file, size, fields })
    } else if (section === 'categories') classes.set(id, toText(value.name) ?? id)
    else {
      if (hasMask(value)) masks++
      const { segmentation: _, keypoints: __, bbox, ...fields } = value
      if (fields.iscrowd === 1) crowds++
      else if (!Array.isArray(bbox) || bbox.length !== 4) withoutBox++
      else boxes.push({ fields, box: bbox.map(Number) as never })
      checkCount(boxes.length, path)
    }
  }
  if (pictures.size === 0) throw new SourceError('empty', `${path}: lists no images`, { file: path })
  const notRead = {
    ...(masks ? { segmentation: masks } : {}),
    ...(crowds ? { 'crowd regions': crowds } : {}),
    ...(withoutBox ? { 'annotations without a box': withoutBox } : {}),
  }
  if (spec.present !== undefined)
    return {
      records: wholes(
        pictures,
        classes,
        boxes.map((b) => b.fields),
      ),
      notRead,
    }
  const records = boxes.map(({ fields, box }, i): Annotated => {
    const picture = pictures.get(toText(fields.image_id) ?? '')
    const category = toText(fields.category_id)
    const source = field(given(spec, 'source', who), fields, picture?.fields ?? {})
    const time = field(given(spec, 'time', when), fields, picture?.fields ?? {})
    return {
      id: toText(fields.id) ?? `box ${i}`,
      label: category ? (classes.get(category) ?? category) : null,
      ...(source === undefined ? {} : { source }),
      ...(time === undefined ? {} : { time }),
      image: picture?.file ?? `(no image ${toText(fields.image_id)})`,
      ...(box ? { box } : {}),
      ...(picture?.size ? { size: picture.size } : {}),
    }
  })
  return { records, notRead }
}

/** A record a picture, with every category that a box in it has. */
function wholes(pictures: ReadonlyMap<string, Picture>, classes: ReadonlyMap<string, string>, boxes: readonly Fields[]): Annotated[] {
  const labels = new Map<string, Set<string>>([...pictures.keys()].map((id) => [id, new Set()]))
  for (const { image_id, category_id } of boxes) {
    const category = toText(category_id)
    if (category) labels.get(toText(image_id) ?? '')?.add(classes.get(category) ?? category)
  }
  return [...pictures].map(([id, { file }]) => ({ id, label: [...(labels.get(id) ?? [])], image: file }))
}

/** COCO's format of object detection: a record a box, what it shows as its image and its category as its label. */
export const coco = annotatedFormat(
  {
    name: 'coco',
    detect: (head, path) =>
      /\.json$/i.test(path) &&
      firstKeys.test(
        Buffer.from(head)
          .toString('latin1')
          .replace(/^\xef\xbb\xbf/, ''),
      ),
  },
  load,
)
