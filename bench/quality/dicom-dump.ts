import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dicomReason, openDicom } from '../../src/sources/dicom.ts'

/**
 * Stored values and picture of the first and last frame of every DICOM file in a folder, for `dicom-agreement.py`:
 * `node --import tsx bench/quality/dicom-dump.ts FOLDER OUT`
 */
const [folder, out] = process.argv.slice(2) as [string, string]
const found: object[] = []
for (const name of readdirSync(folder).sort()) {
  if (!name.endsWith('.dcm')) continue
  try {
    const dicom = openDicom(readFileSync(join(folder, name)))
    for (const frame of new Set([0, dicom.frames - 1])) {
      const { data, photometric } = await dicom.samples(frame)
      const stem = `${name}.${frame}`
      writeFileSync(join(out, `${stem}.f64`), new Uint8Array(Float64Array.from(data).buffer))
      writeFileSync(join(out, `${stem}.tiff`), await dicom.picture(frame))
      found.push({ name, frame, frames: dicom.frames, stem, photometric })
    }
  } catch (error) {
    found.push({ name, reason: dicomReason(error), detail: String(error) })
  }
}
writeFileSync(join(out, 'index.json'), JSON.stringify(found))
