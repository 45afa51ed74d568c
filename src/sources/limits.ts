/** Bounds on what a data set can make Assay hold or do. Bytes unless the name says otherwise. */
export const limits = {
  batchRows: 4096,
  /** A batch is closed early when its variable-length fields reach this. */
  batchBytes: 32 * 2 ** 20,
  /** One line of JSONL, one record of CSV. */
  recordBytes: 8 * 2 ** 20,
  /** Characters of a text or response. */
  textLength: 4 * 2 ** 20,
  /** Characters of an id, label, source, time, url or digest. */
  nameLength: 4096,
  imageBytes: 64 * 2 ** 20,
  imagePixels: 64_000_000,
  /** A DICOM file of many frames, or inflated. */
  dicomBytes: 512 * 2 ** 20,
  dicomFrames: 16_384,
  /** Columns of a table, keys of a record. */
  columns: 65_536,
  /** Numbers in one embedding, feature or prediction vector, bytes of one raw image. */
  dims: 4 * 2 ** 20,
  sampleRows: 1000,
  headBytes: 4096,
  /** Bytes of a file that are read at once: of text, and of arrays. */
  textPieceBytes: 1 << 18,
  arrayPieceBytes: 1 << 22,
  /** Rows of one shard of an array file. */
  arrayShardRows: 131_072,
  /** Files of one shard of an image folder. */
  imageShardFiles: 1024,
  /** Shards of a JSONL file that is not compressed. */
  pieceLeastBytes: 16 * 2 ** 20,
  pieceMostBytes: 64 * 2 ** 20,
  /** Files of one shard of a text folder. */
  textShardFiles: 8192,
  /** Row groups are put together until a shard has this many rows. */
  tableShardRows: 131_072,
  /** Decompressed bytes may exceed compressed bytes by this factor once there are more than `expansionFloor` of them. */
  expansion: 250,
  expansionFloor: 64 * 2 ** 20,
  decompressedBytes: 256 * 2 ** 30,
  /** An array that has to be held whole (Fortran order in an archive). */
  wholeArrayBytes: 512 * 2 ** 20,
  archiveMembers: 10_000,
  /** One Arrow message: metadata or body. */
  messageBytes: 2 ** 31 - 1,
  labelFileBytes: 256 * 2 ** 20,
  /** Memory of one Parquet reader; the most where rows are wide. */
  parquetMemory: 512 * 2 ** 20,
  parquetMemoryMost: 3 * 2 ** 30,
} as const
