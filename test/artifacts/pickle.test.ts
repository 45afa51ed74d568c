import { describe, expect, it } from 'vitest'
import {
  binbytes,
  build,
  bytesOf,
  calls,
  calls4,
  emptyDict,
  emptyTuple,
  ext,
  ext2,
  ext4,
  frame,
  get,
  global,
  mark,
  memoize,
  newobj,
  newobjEx,
  none,
  type Part,
  pop,
  proto,
  put,
  reduce,
  stackGlobal,
  stop,
  text,
  tuple1,
  tuple2,
  u64,
} from './assemble.ts'
import { scanned } from './scanned.ts'

/** Callables that other scanners were led around by: each of its own bypass class. */
const indirect: readonly (readonly [string, string])[] = [
  ['os', 'system'],
  ['posix', 'system'],
  ['nt', 'system'],
  ['builtins', 'eval'],
  ['__builtin__', 'eval'],
  ['builtins', 'getattr'],
  ['subprocess', 'Popen'],
  ['pip', 'main'],
  ['pip._internal', 'main'],
  ['pkgutil', 'resolve_name'],
  ['timeit', 'timeit'],
  ['bdb', 'Bdb.run'],
  ['bdb', 'Bdb'],
  ['cProfile', 'run'],
  ['cProfile', 'runctx'],
  ['profile', 'Profile.runctx'],
  ['profile', 'run'],
  ['trace', 'Trace'],
  ['pydoc', 'locate'],
  ['pydoc', 'pipepager'],
  ['ensurepip', '_run_pip'],
  ['idlelib.pyshell', 'ModifiedInterpreter.runcode'],
  ['idlelib.run', 'Executive'],
  ['lib2to3.pgen2.grammar', 'Grammar.loads'],
  ['lib2to3.pgen2.pgen', 'ParserGenerator'],
  ['distutils.file_util', 'write_file'],
  ['uuid', '_get_command_stdout'],
  ['imaplib', 'IMAP4_stream'],
  ['numpy.f2py.crackfortran', 'getlincoef'],
  ['numpy.f2py.crackfortran', 'myeval'],
  ['numpy.testing._private.utils', 'runstring'],
  ['torch._inductor.codecache', 'compile_file'],
  ['torch._dynamo.guards', 'GuardBuilder.get'],
  ['torch.utils.bottleneck.__main__', 'run_cprofile'],
  ['torch.utils._config_module', 'load_config'],
  ['torch.jit.unsupported_tensor_ops', 'execWrapper'],
  ['torch.hub', 'load'],
  ['torch', 'load'],
  ['operator', 'attrgetter'],
  ['operator', 'methodcaller'],
  ['operator', 'itemgetter'],
  ['_operator', 'methodcaller'],
  ['functools', 'partial'],
  ['marshal', 'loads'],
  ['types', 'FunctionType'],
  ['types', 'CodeType'],
  ['multiprocessing.util', 'spawnv_passfds'],
  ['runpy', '_run_code'],
  ['importlib', 'import_module'],
  ['asyncio.unix_events', '_UnixSubprocessTransport._start'],
  ['code', 'InteractiveInterpreter'],
  ['ctypes', 'CDLL'],
  ['pty', 'spawn'],
  ['webbrowser', 'open'],
  ['logging.config', 'listen'],
  ['ssl', 'get_server_certificate'],
  ['shutil', 'rmtree'],
  ['io', 'FileIO'],
  ['_io', 'open'],
  ['linecache', 'getline'],
  ['urllib.request', 'urlopen'],
  ['requests.api', 'get'],
  ['dill._dill', '_create_function'],
  ['cloudpickle.cloudpickle', '_builtin_type'],
  ['joblib', 'load'],
  ['pandas', 'read_pickle'],
  ['pandas.io.pickle', 'read_pickle'],
  ['pandas.core.computation.eval', 'eval'],
  ['sklearn.utils._testing', 'set_random_state'],
  ['sys', 'exit'],
  ['gc', 'get_objects'],
  ['antigravity', 'geohash'],
  ['sre_compile', 'compile'],
]

describe('what a pickle calls', () => {
  it.each(indirect)('blocks %s.%s in protocols 2 and 4', (module, name) => {
    for (const pickle of [calls(module, name), calls4(module, name)]) {
      const { verdict, rules, observations } = scanned(pickle)
      expect({ verdict, rules }).toEqual({ verdict: 'block', rules: ['pickle-code'] })
      expect(observations[0]?.message).toContain(`${module}.${name}('id',)`)
    }
  })

  it('says callee, arguments and byte', () => {
    const [o] = scanned(calls('os', 'system', 'touch /tmp/x')).observations
    expect(o).toMatchObject({ rule: 'pickle-code', runs: true, subject: 'os.system', offset: 2 + 11 + 2 + 12 + 1 })
    expect(o?.message).toBe("calls os.system('touch /tmp/x',): runs code, or reaches files, processes or the network.")
  })

  it.each([
    ['acme.models', 'Detector'],
    ['__main__', 'Net'],
    ['numpy.unheard', 'of'],
    ['sklearn.cluster._kmeans', 'run'],
    ['torch.nn.modules.container', 'lower_case'],
    ['numpy._core', '_ufunc_reconstruct'],
    ['torch.storage', '_load_from_bytes'],
  ])('asks for review of %s.%s, which nobody vouches for', (module, name) => {
    expect(scanned(calls(module, name))).toMatchObject({ verdict: 'review', rules: ['pickle-unknown-global'] })
  })

  it.each([
    ['collections', 'OrderedDict'],
    ['numpy.core.multiarray', '_reconstruct'],
    ['numpy._core.multiarray', '_reconstruct'],
    ['numpy', 'dtype'],
    ['datetime', 'datetime'],
    ['sklearn.tree._tree', 'Tree'],
    ['sklearn._loss.loss', 'HalfBinomialLoss'],
    ['sklearn.ensemble._forest', 'RandomForestClassifier'],
    ['torch._utils', '_rebuild_tensor_v2'],
    ['xgboost.core', 'Booster'],
    ['lightgbm.basic', 'Booster'],
    ['transformers.models.bert.configuration_bert', 'BertConfig'],
    ['scipy.sparse._csr', 'csr_matrix'],
    ['pandas.core.frame', 'DataFrame'],
    ['copyreg', '_reconstructor'],
    ['builtins', 'set'],
  ])('lets %s.%s pass', (module, name) => {
    expect(scanned(calls(module, name))).toMatchObject({ verdict: 'pass' })
  })

  it('holds a module for no better than what is in it', () => {
    expect(scanned(calls('sklearn.datasets._base', 'load_files')).verdict).toBe('block')
    expect(scanned(calls('numpy.lib.npyio', 'DataSource')).verdict).toBe('block')
    expect(scanned(calls('collections', 'OrderedDict.__class__')).verdict).toBe('block')
    expect(scanned(calls('os ', 'system')).verdict).toBe('block')
    expect(scanned(calls(Buffer.from('o\u0455').toString('latin1'), 'system')).verdict).toBe('block')
  })
})

const runs = (...parts: readonly Part[]) => scanned(bytesOf(...parts))
const blocked = { verdict: 'block' } as const

describe('ways to call', () => {
  const system = global('os', 'system')
  it.each<[string, readonly Part[]]>([
    ['INST', ['(', text('id'), 'ios\nsystem\n.']],
    ['OBJ', ['(', system, text('id'), 'o.']],
    ['NEWOBJ', [proto(2), system, text('id'), tuple1, newobj, stop]],
    ['NEWOBJ_EX', [proto(4), system, text('id'), tuple1, emptyDict, newobjEx, stop]],
    ['OBJ and POP', ['(', system, text('id'), 'o', pop, none, stop]],
    ['REDUCE and POP', [system, text('id'), tuple1, reduce, pop, none, stop]],
    ['through the memo', [proto(2), system, put(7), pop, get(7), text('id'), tuple1, reduce, stop]],
    [
      'a memo entry written twice',
      [global('collections', 'OrderedDict'), put(0), pop, system, put(0), pop, get(0), text('id'), tuple1, reduce, stop],
    ],
    [
      'a far memo entry',
      [
        system,
        'r',
        Buffer.from([0xff, 0xff, 0xff, 0x7f]),
        pop,
        'j',
        Buffer.from([0xff, 0xff, 0xff, 0x7f]),
        text('id'),
        tuple1,
        reduce,
        stop,
      ],
    ],
    [
      'names from the memo',
      [proto(4), text('os'), memoize, pop, text('system'), memoize, pop, get(0), get(1), 0x93, text('id'), tuple1, reduce, stop],
    ],
    [
      'MEMOIZE counts entries, not indices',
      [proto(4), none, put(9), pop, text('os'), memoize, pop, get(1), text('system'), 0x93, text('id'), tuple1, reduce, stop],
    ],
    ['names by BINSTRING', [proto(4), 'U', 2, 'os', 'U', 6, 'system', 0x93, text('id'), tuple1, reduce, stop]],
    ['names by STRING with escapes', [proto(4), "S'\\x6fs'\n", 'S"syst\\145m"\n', 0x93, text('id'), tuple1, reduce, stop]],
    ['names by UNICODE with escapes', [proto(4), 'V\\u006fs\n', 'Vsystem\n', 0x93, text('id'), tuple1, reduce, stop]],
    ['DUP', [proto(4), system, '2', pop, text('id'), tuple1, reduce, stop]],
    ['no STOP', [proto(2), system, text('id'), tuple1, reduce]],
    ['an error afterwards', [proto(2), system, text('id'), tuple1, reduce, 0xff]],
    ['an error before, that only some stop at', [proto(2), pop, system, text('id'), tuple1, reduce, stop]],
    ['after STOP', [proto(2), none, stop, proto(2), system, text('id'), tuple1, reduce, stop]],
    ['after STOP, without PROTO', [proto(2), none, stop, system, text('id'), tuple1, reduce, stop]],
    ['the second of many streams', [none, stop, none, stop, calls('os', 'system'), none, stop]],
    ['text of protocol 0', ['cos\nsystem\np0\n(Vid\np1\ntp2\nRp3\n.']],
    ['memo indices with spaces and underscores', ['cos\nsystem\np 1_0\n0g10\n(Vid\ntR.']],
    ['a state for a class', [proto(2), system, emptyDict, build, stop]],
    [
      'what a call returned',
      [proto(2), global('acme', 'f'), emptyTuple, reduce, text('id'), tuple1, reduce, global('os', 'system'), pop, stop],
    ],
    ['a name alone', [proto(2), system, stop]],
    ['a gadget as an argument', [proto(2), global('acme', 'apply'), system, text('id'), tuple2, reduce, stop]],
    ['a pickle in bytes', [proto(2), binbytes(calls('os', 'system')), stop]],
    ['a pickle in base 64', [proto(4), text(calls('os', 'system').toString('base64')), stop]],
    [
      'torch storage from bytes',
      [proto(2), global('torch.storage', '_load_from_bytes'), binbytes(calls('os', 'system')), tuple1, reduce, stop],
    ],
  ])('%s', (_, parts) => {
    const result = runs(...parts)
    expect(result).toMatchObject(blocked)
    expect(result.observations.some((o) => o.subject === 'os.system')).toBe(true)
  })

  it('finds what the first bytes of a legacy PyTorch file lead away from', () => {
    const magic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex')
    expect(
      runs(magic, proto(2), 'M', 0xe9, 3, stop, proto(2), '}.', calls('os', 'system'), proto(2), '].', Buffer.alloc(64, 7)),
    ).toMatchObject(blocked)
    expect(runs(magic, proto(2), 'M', 0xe9, 3, stop, proto(2), '}.', proto(2), '}.', proto(2), '].', Buffer.alloc(64, 0x63)).verdict).toBe(
      'pass',
    )
  })

  it('needs no extension', () => {
    expect(scanned(calls('os', 'system'), 'weights.bin')).toMatchObject(blocked)
    expect(scanned(Buffer.from('cos\nsystem\n(Vid\ntR.'), 'README.txt')).toMatchObject(blocked)
    expect(scanned(Buffer.from('can\nbe\nread (like this).'), 'README.txt').verdict).toBe('pass')
  })
})

describe('what no pickler writes', () => {
  it.each<[string, readonly Part[], string]>([
    ['a frame that an opcode straddles', [proto(4), 0x95, u64(4), text('abcdefgh'), stop], 'frame'],
    ['a frame within a frame', [proto(4), frame(none, pop, 0x95, u64(1), none), stop], 'frame'],
    ['a frame longer than the file', [proto(4), 0x95, u64(1000), none, stop], 'frame'],
    ['two protocols', [proto(2), proto(4), none, stop], 'PROTO'],
    ['a memo entry that was never written', [get(3), stop], 'memo'],
    ['a name that is no text', [proto(4), none, text('system'), 0x93, stop], 'STACK_GLOBAL'],
    ['EXT1', [proto(2), ext(7), stop], 'EXT'],
    ['EXT2', [proto(2), ext2(700), stop], 'EXT'],
    ['EXT4', [proto(2), ext4(70_000), stop], 'EXT'],
  ])('%s', (_, parts, subject) => {
    const result = runs(...parts)
    expect(result).toMatchObject({ verdict: 'block', rules: expect.arrayContaining(['format-violation']) })
    expect(result.observations.some((o) => o.subject === subject)).toBe(true)
  })

  it('accepts whole frames', () => {
    expect(runs(proto(4), frame(text('abc'), memoize, stop)).verdict).toBe('pass')
  })

  it('asks for review of what cannot be loaded and calls nothing', () => {
    expect(runs(proto(2), '(', none)).toMatchObject({ verdict: 'review', rules: ['format-violation'] })
    expect(scanned(Buffer.from('not a pickle'), 'x.pkl')).toMatchObject({ verdict: 'review', rules: ['format-violation'] })
  })
})

describe('weights_only', () => {
  const tensor = [global('torch._utils', '_rebuild_tensor_v2'), mark, text('x'), 't', reduce]
  const plain = [proto(2), 'c', 'torch._utils\n_rebuild_tensor_v2\n', 'X', 1, 0, 0, 0, 'x', tuple1, reduce, stop]
  it('says that weights load', () => {
    expect(runs(...plain)).toMatchObject({ verdict: 'pass', notes: ['loads under weights_only'] })
  })
  it('says which opcode or name does not', () => {
    expect(runs(proto(2), ...tensor, stop).notes[0]).toBe('does not load under weights_only, since it uses SHORT_BINUNICODE')
    expect(runs(proto(2), global('numpy', 'dtype'), stop).notes[0]).toMatch(/since it names numpy\.dtype; names classes of numpy$/)
    expect(runs(proto(4), stackGlobal('collections', 'OrderedDict'), emptyTuple, reduce, stop).notes[0]).toMatch(
      /it uses (SHORT_BINUNICODE|STACK_GLOBAL)$/,
    )
  })
})
