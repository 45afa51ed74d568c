/** Why a DICOM file or frame gives no picture, in a few words for the row's issue. It never quotes the file's own text. */
export class DicomProblem extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'DicomProblem'
  }
}
