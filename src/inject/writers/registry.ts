import { writeCsv } from './csv.ts'
import { writeImageFolder } from './image-folder.ts'
import { writeJsonl } from './jsonl.ts'
import { writeNpy } from './npy.ts'
import { writeNpz } from './npz.ts'
import { writeParquet } from './parquet.ts'
import type { CopyWriter } from './writer.ts'

/** By the name of the source's format. */
export const writers: Readonly<Record<string, CopyWriter>> = {
  csv: writeCsv,
  'image-folder': writeImageFolder,
  jsonl: writeJsonl,
  npy: writeNpy,
  npz: writeNpz,
  parquet: writeParquet,
}
