import { DataType } from 'apache-arrow'
import { binary, column, rowsOf, withColumns } from '../contracts/batch.ts'
import type { Batch, IssueSink } from '../contracts/data.ts'
import { takeRows } from '../contracts/take-rows.ts'
import { dicomReason, openDicom } from './dicom.ts'
import { imageKind } from './image-kind.ts'

/**
 * The batch with its DICOM images as plain pictures, so that nothing else of their files goes on; the same batch where it has none. A row whose
 * image gives no picture is reported and left out; null when none is left.
 */
export async function developDicom(batch: Batch, issue: IssueSink): Promise<Batch | null> {
  const images = column(batch, 'image')
  if (!images || !DataType.isBinary(images.type)) return batch
  let developed: (Uint8Array | null)[] | null = null
  const rejected = new Set<number>()
  for (let i = 0; i < batch.numRows; i++) {
    const bytes = images.get(i) as Uint8Array | null
    if (!bytes || imageKind(bytes) !== 'dicom') continue
    developed ??= Array.from({ length: batch.numRows }, (_, k) => images.get(k) as Uint8Array | null)
    const picture = await only(bytes)
    if (typeof picture === 'string') {
      issue({ code: 'undecodable-image', row: rowsOf(batch)[i] as number, column: 'image', detail: picture, rejected: true })
      rejected.add(i)
      developed[i] = null
    } else developed[i] = picture
  }
  if (!developed) return batch
  if (rejected.size === batch.numRows) return null
  const pictures = withColumns(batch, { image: binary(developed) })
  if (rejected.size === 0) return pictures
  return takeRows(
    pictures,
    Int32Array.from({ length: batch.numRows }, (_, i) => i).filter((i) => !rejected.has(i)),
  )
}

async function only(bytes: Uint8Array): Promise<Uint8Array | string> {
  try {
    const dicom = openDicom(bytes)
    if (dicom.frames > 1) return `DICOM of ${dicom.frames} frames in one cell: as files in a folder each frame is a record`
    return await dicom.picture(0)
  } catch (error) {
    return dicomReason(error)
  }
}
