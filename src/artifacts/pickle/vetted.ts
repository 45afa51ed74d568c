/**
 * Names that frameworks write into pickles of data, weights and fitted models, by module. Pattern over the module, then over the name; a name
 * that only stands in the pickle (`held`) may be a function, one that is called must make data.
 */
export interface Vetted {
  readonly framework: string
  readonly module: RegExp
  readonly called: RegExp
  readonly held?: RegExp
}

/** Names of classes, private ones and those of Cython included. */
const classes = /^_{0,2}(?!Test)[A-Z][A-Za-z0-9_]*$/
const anyName = /^[A-Za-z_][A-Za-z0-9_]*$/
const classesAnd = (names: string): RegExp => new RegExp(`^(?:_{0,2}[A-Z][A-Za-z0-9_]*|${names})$`)

const dtypes =
  'ndarray|dtype|bool_?|bool8|u?int(?:8|16|32|64|p|c)?|u?int_|u?(?:byte|short|long|longlong)|uintc|float(?:16|32|64|128|_)?|half|single|double|longdouble|complex(?:64|128|256|_)?|csingle|cdouble|clongdouble|str_|bytes_|void|object_|datetime64|timedelta64|generic|number|integer|signedinteger|unsignedinteger|inexact|floating|complexfloating|flexible|character|matrix|recarray|record|unicode_|string_|str0|bytes0|void0|object0|poly1d'
const ufuncs =
  'abs|absolute|add|all|any|arc\\w+|argm(?:ax|in)|array|cbrt|ceil|cos|cosh|cumsum|deg2rad|divide|exp|exp2|expm1|floor|hypot|identity|isnan|isfinite|log|log10|log1p|log2|logaddexp|max|maximum|mean|median|min|minimum|multiply|nanmean|nanmedian|nansum|negative|ones|power|prod|rad2deg|reciprocal|rint|round|sign|sin|sinh|sqrt|square|std|subtract|sum|tan|tanh|trunc|var|zeros'

export const vetted: readonly Vetted[] = [
  {
    framework: 'the standard library',
    module: /^(?:builtins|__builtin__)$/,
    called:
      /^(?:set|frozenset|complex|bytearray|bytes|int|long|float|bool|str|unicode|list|tuple|dict|object|slice|range|xrange|iter|enumerate|zip|reversed|[A-Z][A-Za-z]*(?:Error|Exception|Warning|Iteration|Exit|Interrupt)|Ellipsis|NotImplemented)$/,
    held: /^(?:type|NoneType|property|staticmethod|classmethod|len|min|max|sum|abs|round|sorted|print|id|hash|repr|ord|chr|pow|divmod|all|any|callable|isinstance)$/,
  },
  {
    framework: 'the standard library',
    module: /^_?collections$/,
    called: /^(?:OrderedDict|defaultdict|deque|Counter|ChainMap|UserDict|UserList|UserString)$/,
    held: /^namedtuple$/,
  },
  { framework: 'the standard library', module: /^(?:collections\.abc|_collections_abc|typing|numbers|abc)$/, called: /^$/, held: anyName },
  { framework: 'the standard library', module: /^(?:_|_py)?datetime$/, called: /^(?:datetime|date|time|timedelta|timezone|tzinfo)$/ },
  { framework: 'the standard library', module: /^(?:_|_py)?decimal$/, called: /^(?:Decimal|Context|ROUND_\w+)$/ },
  { framework: 'the standard library', module: /^fractions$/, called: /^Fraction$/ },
  { framework: 'the standard library', module: /^uuid$/, called: /^(?:UUID|SafeUUID)$/ },
  { framework: 'the standard library', module: /^copy_?reg$/, called: /^(?:_reconstructor|__newobj__|__newobj_ex__)$/ },
  { framework: 'the standard library', module: /^_codecs$/, called: /^encode$/ },
  { framework: 'the standard library', module: /^array$/, called: /^(?:array|_array_reconstructor|ArrayType)$/ },
  { framework: 'the standard library', module: /^random$/, called: /^Random$/ },
  { framework: 'the standard library', module: /^re$/, called: /^(?:_compile|compile|RegexFlag)$/ },
  { framework: 'the standard library', module: /^(?:enum)$/, called: /^$/, held: /^(?:Enum|IntEnum|Flag|IntFlag|StrEnum|auto)$/ },
  { framework: 'the standard library', module: /^types$/, called: /^(?:SimpleNamespace|MappingProxyType|NoneType)$/ },
  { framework: 'the standard library', module: /^argparse$/, called: /^Namespace$/ },
  {
    framework: 'the standard library',
    module: /^pathlib(?:\._local|\._abc)?$/,
    called: /^(?:Pure)?(?:Posix|Windows)?Path$/,
  },
  { framework: 'the standard library', module: /^_?io$/, called: /^(?:BytesIO|StringIO)$/ },
  {
    framework: 'the standard library',
    module: /^itertools$/,
    called: /^(?:count|cycle|repeat|chain|product|islice|permutations|combinations)$/,
  },
  { framework: 'the standard library', module: /^time$/, called: /^struct_time$/ },
  { framework: 'the standard library', module: /^_?struct$/, called: /^Struct$/ },
  { framework: 'the standard library', module: /^ipaddress$/, called: /^IPv[46](?:Address|Network|Interface)$/ },
  { framework: 'the standard library', module: /^zoneinfo$/, called: /^ZoneInfo$/ },
  { framework: 'the standard library', module: /^math$/, called: /^$/, held: anyName },
  { framework: 'the standard library', module: /^(?:UserDict|UserList|UserString)$/, called: /^User(?:Dict|List|String)$/ },
  {
    framework: 'numpy',
    module:
      /^numpy(?:\.dtypes|\.ma(?:\.core|\.mrecords)?|\._?core\.(?:records|multiarray|numeric|numerictypes|fromnumeric|defchararray|memmap)|\.polynomial(?:\.\w+)?|\.matrixlib\.defmatrix|\.rec)?$/,
    called: new RegExp(
      `^(?:${dtypes}|_reconstruct|scalar|_frombuffer|_mareconstruct|_mrreconstruct|MaskedArray|MaskedConstant|mvoid|chararray|(?:Bool|Int|UInt|Float|Complex|Str|Bytes|Void|Object|DateTime|TimeDelta|String|LongDouble|CLongDouble|Byte|UByte|Short|UShort|Long|ULong|LongLong|ULongLong|UIntC?|IntC?)\\d*DType|(?:Polynomial|Chebyshev|Legendre|Laguerre|Hermite|HermiteE))$`,
    ),
    held: new RegExp(`^(?:${ufuncs}|finfo|iinfo)$`),
  },
  {
    framework: 'numpy',
    module: /^numpy\.random(?:\.(?:_pickle|mtrand|bit_generator|_bit_generator|_generator|_mt19937|_pcg64|_philox|_sfc64|_common))?$/,
    called:
      /^(?:__randomstate_ctor|__generator_ctor|__bit_generator_ctor|RandomState|Generator|SeedSequence|SeedlessSeedSequence|MT19937|PCG64|PCG64DXSM|Philox|SFC64|__pyx_unpickle_\w+)$/,
  },
  {
    framework: 'joblib',
    module: /^(?:sklearn\.externals\.)?joblib\.numpy_pickle(?:_compat)?$/,
    called: /^(?:NumpyArrayWrapper|NDArrayWrapper|ZNDArrayWrapper)$/,
  },
  {
    framework: 'scikit-learn',
    module:
      /^sklearn\.(?:_loss|base|calibration|cluster|compose|covariance|cross_decomposition|decomposition|discriminant_analysis|dummy|ensemble|feature_extraction|feature_selection|frozen|gaussian_process|grid_search|impute|isotonic|kernel_approximation|kernel_ridge|lda|linear_model|manifold|metrics|mixture|model_selection|multiclass|multioutput|naive_bayes|neighbors|neural_network|pipeline|preprocessing|qda|random_projection|semi_supervised|svm|tree|cross_validation)(?:\.\w+)*$/,
    called: classesAnd('__pyx_unpickle_\\w+|newObj|_newobj|newobj|loss_of_sklearn|half_\\w+'),
    held: anyName,
  },
  {
    framework: 'scikit-learn',
    module:
      /^sklearn\.utils(?:\.(?:_bunch|deprecation|_tags|_random|_metadata_requests|metadata_routing|_set_output|_weight_vector|_seq_dataset|parallel|fixes|_available_if|metaestimators|validation|extmath))?$/,
    called:
      /^(?:Bunch|__pyx_unpickle_\w+|WeightVector(?:32|64)?|ArrayDataset(?:32|64)|CSRDataset(?:32|64)|MetadataRequest|MethodMetadataRequest|[A-Z]\w*Tags)$/,
    held: anyName,
  },
  {
    framework: 'pandas',
    module:
      /^pandas(?:\.core\.(?:frame|series|generic|api|index|indexing|arrays(?:\.\w+)*|indexes(?:\.\w+)*|internals(?:\.\w+)*|dtypes(?:\.\w+)*|categorical|sparse(?:\.\w+)*|flags|construction)|\._libs(?:\.(?:internals|interval|arrays|sparse|lib|missing|index|properties|tslib|tslibs(?:\.\w+)*))?|\.arrays|\.tseries(?:\.\w+)*|\.indexes(?:\.\w+)*|\.tslib|\._period)?$/,
    called: classesAnd(
      '_new_\\w*Index|_unpickle_block|new_block|__pyx_unpickle_\\w+|_unpickle_timestamp|_timedelta_unpickle|_unpickle_timedelta|_nat_unpickle|__nat_unpickle|_period_unpickle|_new_PeriodIndex|_unpickle_array|_new_DatetimeIndex|create_block_manager_from_blocks',
    ),
  },
  {
    framework: 'scipy',
    module: /^scipy\.sparse(?:\.(?:_?(?:csr|csc|coo|bsr|dia|dok|lil)|_?base|_matrix|_data))?$/,
    called: /^(?:(?:csr|csc|coo|bsr|dia|dok|lil)_(?:matrix|array)|spmatrix|sparray)$/,
  },
  {
    framework: 'scipy',
    module: /^scipy\.(?:spatial|interpolate|stats|optimize|special|signal)(?:\.\w+)*$/,
    called: classesAnd('cKDTree|ckdtree|interp1d|interp2d|rv_\\w+|\\w+_gen|\\w+_frozen'),
    held: anyName,
  },
  {
    framework: 'PyTorch',
    module: /^torch$/,
    called: /^(?:Tensor|Size|device|dtype|layout|memory_format|Generator|[A-Z]\w*(?:Storage|Tensor))$/,
    held: /^(?:q?u?int\d+(?:x\d+)?|float(?:8_\w+|16|32|64)?|bfloat16|half|double|long|short|int|bool|complex(?:32|64|128)|chalf|cfloat|cdouble|strided|sparse_\w+|per_\w+|contiguous_format|channels_last\w*|preserve_format|relu|tanh|sigmoid|sin|cos|exp|softmax|nn|optim)$/,
  },
  {
    framework: 'PyTorch',
    module:
      /^torch\.(?:_utils|_tensor|storage|serialization|torch_version|nn\.parameter|nn\._reduction|jit\._pickle|_prims_common|sparse)$/,
    called:
      /^(?:_rebuild_\w+|_get_layout|_get_restore_location|UntypedStorage|TypedStorage|_UntypedStorage|_TypedStorage|TorchVersion|Parameter|Buffer|UninitializedParameter|UninitializedBuffer|ParameterList|build_\w+|restore_type_tag|DType)$/,
  },
  {
    framework: 'PyTorch',
    module:
      /^torch\.(?:nn\.(?:modules|qat|quantized|intrinsic|quantizable|parallel|utils)(?:\.\w+)*|optim(?:\.\w+)*|ao\.(?:nn|quantization)(?:\.\w+)*|quantization(?:\.\w+)*|distributions(?:\.\w+)*|amp(?:\.\w+)*|cuda\.amp(?:\.\w+)*|utils\.data(?:\.(?:dataset|dataloader|sampler|distributed))?|backends\.\w+)$/,
    called: classes,
    held: anyName,
  },
  { framework: 'PyTorch', module: /^torch\.(?:nn\.functional|nn\.init|_C\._nn)$/, called: /^$/, held: anyName },
  // Types of the archive's own TorchScript: no module of Python is called so, and importing one fails.
  { framework: 'TorchScript', module: /^__torch__(?:\.\w+)*$/, called: anyName },
  { framework: 'torchvision', module: /^torchvision\.(?:models|ops|transforms|tv_tensors)(?:\.\w+)*$/, called: classes, held: anyName },
  {
    framework: 'transformers',
    module:
      /^transformers\.(?:models\.\w+\.(?:configuration|modeling|tokenization|image_processing|feature_extraction|processing)_\w+|configuration_utils|training_args(?:_seq2seq)?|trainer_utils|trainer_callback|trainer_pt_utils|tokenization_utils(?:_base|_fast)?|generation(?:\.configuration_utils)?|modeling_outputs|activations|pytorch_utils|feature_extraction_utils|image_processing_utils|debug_utils|integrations\.deepspeed|optimization|utils\.(?:generic|quantization_config))$/,
    called: classes,
    held: anyName,
  },
  {
    framework: 'tokenizers',
    module: /^tokenizers(?:\.(?:models|normalizers|pre_tokenizers|decoders|processors|trainers|implementations\.\w+))?$/,
    called: classes,
  },
  {
    framework: 'accelerate',
    module: /^accelerate\.(?:state|utils\.dataclasses|accelerator)$/,
    called: /^\w*(?:Config|State|Type|Kwargs|Plugin|Backend)$/,
  },
  { framework: 'peft', module: /^peft\.(?:config|utils\.peft_types|tuners(?:\.\w+)*)$/, called: classes },
  { framework: 'xgboost', module: /^xgboost\.(?:core|sklearn|callback|compat|training)$/, called: classes },
  { framework: 'LightGBM', module: /^lightgbm\.(?:basic|sklearn|engine|callback|compat)$/, called: classes },
  { framework: 'CatBoost', module: /^_?catboost(?:\.core)?$/, called: classes },
  {
    framework: 'imbalanced-learn',
    module: /^imblearn\.(?:over_sampling|under_sampling|combine|ensemble|pipeline|base)(?:\.\w+)*$/,
    called: classes,
    held: anyName,
  },
  {
    framework: 'statsmodels',
    module: /^statsmodels\.(?:regression|genmod|tsa|discrete|base|robust|stats|iolib)(?:\.\w+)*$/,
    called: classes,
    held: anyName,
  },
  { framework: 'gensim', module: /^gensim\.(?:models|corpora|similarities)(?:\.\w+)*$/, called: classes },
  { framework: 'networkx', module: /^networkx\.(?:classes\.\w+)$/, called: classes },
  { framework: 'Pillow', module: /^PIL\.(?:Image|PngImagePlugin|JpegImagePlugin)$/, called: /^(?:Image|PngImageFile|JpegImageFile)$/ },
  { framework: 'Ultralytics', module: /^ultralytics\.(?:nn|utils)(?:\.\w+)*$/, called: /^(?:IterableSimpleNamespace|[A-Z]\w*)$/ },
]

/** What `torch.load(weights_only=True)` allows without being told more (torch/_weights_only_unpickler.py). */
export const weightsOnly = (module: string, attribute: string): boolean => {
  if (module === 'collections') return attribute === 'OrderedDict' || attribute === 'Counter'
  if (module === 'builtins' || module === '__builtin__') return ['bytearray', 'set', 'complex'].includes(attribute)
  if (module === '_codecs') return attribute === 'encode'
  if (module === 'torch')
    return /^(?:Size|Tensor|device|[A-Z]\w*(?:Storage|Tensor)|q?u?int\d+(?:x\d+)?|float(?:8_\w+|16|32|64)|bfloat16|half|double|float|long|short|int|bool|complex(?:32|64|128)|strided|sparse_\w+|per_\w+|jagged|contiguous_format|channels_last\w*|preserve_format)$/.test(
      attribute,
    )
  if (module === 'torch._utils') return /^_rebuild_\w+$/.test(attribute)
  if (module === 'torch._tensor') return attribute === '_rebuild_from_type_v2'
  if (module === 'torch.nn.parameter') return /^(?:Parameter|UninitializedParameter|UninitializedBuffer|Buffer)$/.test(attribute)
  if (module === 'torch.storage') return attribute === 'UntypedStorage' || attribute === 'TypedStorage'
  if (module === 'torch.serialization') return attribute === '_get_layout'
  return module === 'torch.torch_version' && attribute === 'TorchVersion'
}
