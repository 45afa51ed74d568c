import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../src/artifacts/budget.ts'
import { applyAll, edits } from '../provenance/fuzz/mutate.ts'
import { tarOf, zipOf } from './archives.ts'
import {
  binbytes,
  build,
  bytesOf,
  calls,
  calls4,
  emptyDict,
  emptyTuple,
  frame,
  global,
  memoize,
  newobj,
  proto,
  reduce,
  stop,
  text,
  tuple2,
  u32,
  u64,
} from './assemble.ts'
import { packed } from './packed.ts'
import { scanned } from './scanned.ts'

/** Mutated files in all, over all kinds. */
const mutations = Number(process.env.ASSAY_FUZZ ?? 300)
const mostMs = 2_000
const limits = { ...defaultLimits, maxUnpackedBytes: 8 << 20, maxMembers: 200 }

const varied = bytesOf(
  proto(4),
  frame(
    emptyDict,
    memoize,
    '(',
    text('shape'),
    'K',
    3,
    'M',
    1,
    2,
    tuple2,
    text('x'),
    'I12\n',
    text('y'),
    "S'a\\x62'\n",
    text('z'),
    binbytes(Buffer.alloc(9)),
    'u',
    global('numpy', 'dtype'),
    emptyTuple,
    newobj,
    emptyDict,
    build,
    '0',
  ),
  stop,
)
const wrapper = bytesOf(
  proto(2),
  global('joblib.numpy_pickle', 'NumpyArrayWrapper'),
  emptyTuple,
  newobj,
  emptyDict,
  '(',
  text('shape'),
  'K',
  4,
  0x85,
  text('dtype'),
  global('numpy', 'dtype'),
  text('f8'),
  0x85,
  reduce,
  'u',
  build,
  Buffer.alloc(32, 0x2e),
  stop,
)
const gguf = bytesOf(
  'GGUF',
  u32(3),
  u64(1),
  u64(1),
  u64(1),
  'a',
  u32(8),
  u64(3),
  'xyz',
  u64(1),
  't',
  u32(1),
  u64(8),
  u32(0),
  u64(0),
  Buffer.alloc(64),
)
const header = '{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
const template = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content | trim }}{% endif %}{% endfor %}"

const files: readonly (readonly [string, string, Buffer])[] = [
  ['pickle 2', 'a.pkl', calls('os', 'system')],
  ['pickle 4', 'a.pkl', calls4('acme', 'Net')],
  ['pickle of many opcodes', 'a.pkl', varied],
  ['pickle of text', 'a.pkl', Buffer.from('(dp0\nVa\np1\nI1\nsVb\np2\n(lp3\nF1.5\naL12L\nas.')],
  ['joblib', 'a.joblib', wrapper],
  [
    'zip',
    'a.pt',
    zipOf([
      { name: 'a/data.pkl', content: varied },
      { name: 'a/data/0', content: Buffer.alloc(80) },
      { name: 'c', content: varied, deflate: true },
    ]),
  ],
  [
    'tar',
    'a.tar',
    tarOf([
      { name: 'a', content: varied },
      { name: 'b', type: '2', link: 'a' },
    ]),
  ],
  ['gzip', 'a.gz', gzipSync(varied)],
  ['zlib', 'a.z', deflateSync(varied)],
  ['bzip2', 'a.bz2', packed['bz2-evil']],
  ['zstd', 'a.zst', packed['zstd-frames']],
  ['xz', 'a.xz', packed['xz-evil']],
  ['lzma', 'a.lzma', packed['lzma-evil']],
  [
    'npy',
    'a.npy',
    bytesOf(0x93, 'NUMPY', 1, 0, 60, 0, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".padEnd(59), '\n', Buffer.alloc(8)),
  ],
  ['safetensors', 'a.safetensors', bytesOf(u64(header.length), header, Buffer.alloc(8))],
  ['gguf', 'a.gguf', gguf],
  ['onnx', 'a.onnx', bytesOf(8, 8, 0x3a, 10, 0x0a, 6, 0x22, 4, 'Relu', 0x2a, 0)],
  ['saved model', 'saved_model.pb', bytesOf(0x12, 9, 0x12, 7, 0x0a, 5, 0x12, 3, 'Add')],
  ['hdf5', 'a.h5', bytesOf(0x89, 'HDF\r\n', 0x1a, '\n', '{"class_name": "Lambda", "config": {"a": ["b"]}}')],
  ['tflite', 'a.tflite', bytesOf(u32(16), 'TFL3', Buffer.from([8, 0, 8, 0, 4, 0, 4, 0]), u32(8), u32(4), u32(0), Buffer.alloc(20))],
  ['template', 'a.jinja', Buffer.from(template)],
  ['configuration', 'config.json', Buffer.from('{"auto_map":{"a":"b.C"},"_target_":"os.system","chat_template":"{{ x }}"}')],
  [
    'tokenizer',
    'tokenizer.json',
    Buffer.from('{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]},"added_tokens":[{"id":0,"content":"a"}]}'),
  ],
  ['python', 'a.py', Buffer.from('import os\nos.system("id")\n')],
]

const perKind = Math.ceil(mutations / files.length)

describe('any damage is told or passed, in bounded time', { timeout: 30_000 + 200 * perKind }, () => {
  it.each(files)('%s', (_, name, whole) => {
    fc.assert(
      fc.property(edits, (changes) => {
        const since = performance.now()
        const { observations } = scanned(applyAll(whole, changes), name, limits)
        for (const { message } of observations) expect(message).not.toMatch(/undefined|\[object|NaN/)
        expect(performance.now() - since).toBeLessThan(mostMs)
      }),
      { numRuns: perKind, endOnFailure: false },
    )
  })

  it('of bytes by chance', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...files.map(([, name]) => name)), (bytes, name) => {
        scanned(Buffer.from(bytes), name, limits)
      }),
      { numRuns: perKind, endOnFailure: false },
    )
  })
})
