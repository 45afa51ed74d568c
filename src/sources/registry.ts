import { arrow } from './arrow.ts'
import { coco } from './coco.ts'
import { csv } from './csv.ts'
import type { SourceFormat } from './format.ts'
import { imageFolder } from './image-folder.ts'
import { jsonl } from './jsonl.ts'
import { labelStudio } from './label-studio.ts'
import { npy } from './npy.ts'
import { npz } from './npz.ts'
import { parquet } from './parquet.ts'
import { tar } from './tar.ts'
import { textFolder } from './text-folder.ts'
import { warc } from './warc.ts'

/** Sorted by name; `detect` of the formats with a magic number is asked first (see `detect.ts`). */
export const formats: readonly SourceFormat[] = [
  arrow,
  coco,
  csv,
  imageFolder,
  jsonl,
  labelStudio,
  npy,
  npz,
  parquet,
  tar,
  textFolder,
  warc,
]

const aliases: Readonly<Record<string, string>> = {
  tsv: 'csv',
  feather: 'arrow',
  ipc: 'arrow',
  ndjson: 'jsonl',
  images: 'image-folder',
  texts: 'text-folder',
  wet: 'warc',
}

export const formatNamed = (name: string): SourceFormat | undefined => {
  const key = name.toLowerCase().replace(/^\./, '')
  return formats.find((f) => f.name === (aliases[key] ?? key))
}
