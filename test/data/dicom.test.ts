import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dicomReason, openDicom } from '../../src/sources/dicom.ts'

/** pydicom's own test files: the folder `pydicom/data/test_files` of an installed pydicom. */
const folder = process.env.PYDICOM_FILES

const withoutPixels = [
  ...['ExplVR_BigEndNoMeta.dcm', 'ExplVR_LitEndNoMeta.dcm', 'UN_sequence.dcm', 'empty_charset_LEI.dcm', 'no_meta_group_length.dcm'],
  ...[
    'priv_SQ.dcm',
    'reportsi.dcm',
    'reportsi_with_empty_number_tags.dcm',
    'rtplan.dcm',
    'rtstruct.dcm',
    'test-SR.dcm',
    'waveform_ecg.dcm',
  ],
]
const refused: Readonly<Record<string, string>> = {
  ...Object.fromEntries(withoutPixels.map((name) => [name, 'DICOM without pixels'])),
  'JPEG2000-embedded-sequence-delimiter.dcm': 'a compressed frame of 1024 x 3722445056 pixels where the file declares 1024 x 256',
  'MR_truncated.dcm': 'pixel data that ends before frame 1 does',
  'meta_missing_tsyntax.dcm': 'DICOM without its number of rows and columns',
  'nested_priv_SQ.dcm': 'DICOM without its number of rows and columns',
  'no_meta.dcm': 'not DICOM',
  'rtplan_truncated.dcm': 'DICOM that ends before its pixels',
}

test.runIf(folder)('every file gives its pictures or the reason why not', async () => {
  const names = readdirSync(folder as string).filter((f) => f.endsWith('.dcm'))
  expect(names.length).toBeGreaterThan(70)
  const reasons: Record<string, string> = {}
  for (const name of names) {
    try {
      const dicom = openDicom(readFileSync(join(folder as string, name)))
      for (let frame = 0; frame < dicom.frames; frame++) await dicom.picture(frame)
    } catch (error) {
      reasons[name] = dicomReason(error)
    }
  }
  expect(reasons).toEqual(refused)
})
