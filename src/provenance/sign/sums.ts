export interface SummedFile {
  /** Relative to the folder of the sums file. */
  readonly path: string
  /** 64 hexadecimal digits. */
  readonly sha256: string
}

/** As coreutils escapes names: a backslash before the line says that some are in the name. */
function lineOf({ path, sha256 }: SummedFile): string {
  if (!/[\\\n\r]/.test(path)) return `${sha256}  ${path}\n`
  return `\\${sha256}  ${path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}\n`
}

/** A SHA256SUMS that `sha256sum --check` reads. */
export const sumsText = (files: readonly SummedFile[]): string =>
  [...files]
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map(lineOf)
    .join('')
