/** Top-level modules of the standard library, Python 2.7 to 3.14 (`sys.stdlib_module_names`, and those that left it or were renamed). */
export const standardLibrary: ReadonlySet<string> = new Set(
  (
    '__builtin__ __future__ _abc _aix_support _android_support _apple_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 ' +
    '_codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _colorize _compat_pickle ' +
    '_compression _contextvars _crypt _csv _ctypes _curses _curses_panel _datetime _dbm _decimal _elementtree _frozen_importlib ' +
    '_frozen_importlib_external _functools _gdbm _hashlib _heapq _imp _interpchannels _interpqueues _interpreters _io _ios_support _json _locale ' +
    '_lsprof _lzma _markupbase _md5 _msi _multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped _pickle _posixshmem ' +
    '_posixsubprocess _py_abc _pydatetime _pydecimal _pyio _pylong _pyrepl _queue _random _scproxy _sha1 _sha2 _sha256 _sha3 _sha512 _signal ' +
    '_sitebuiltins _socket _sqlite3 _sre _ssl _stat _statistics _string _strptime _struct _suggestions _symtable _sysconfig _testcapi _thread ' +
    '_threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings _weakref _weakrefset _winapi _wmi _xxsubinterpreters _zoneinfo _zstd ' +
    'abc aifc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins bz2 ' +
    'cProfile cPickle cStringIO calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys commands compileall compression ' +
    'concurrent configparser ConfigParser contextlib contextvars cookielib copy copyreg copy_reg crypt csv ctypes curses dataclasses datetime dbm ' +
    'decimal difflib dis distutils doctest dummy_thread dummy_threading email encodings ensurepip enum errno exceptions faulthandler fcntl filecmp ' +
    'fileinput fnmatch formatter fractions ftplib functools gc gdbm genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac ' +
    'html http httplib idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma ' +
    'macpath mailbox mailcap marshal math md5 mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc new nis nntplib nt ntpath nturl2path ' +
    'numbers opcode operator optparse os os2emxpath ossaudiodev parser pathlib pdb pickle pickletools pipes pkgutil platform plistlib popen2 poplib ' +
    'posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue Queue quopri random re readline repr reprlib ' +
    'resource rexec rlcompleter runpy sched secrets select selectors sets sha shelve shlex shutil signal SimpleHTTPServer site sitecustomize smtpd ' +
    'smtplib sndhdr socket socketserver SocketServer spwd sqlite3 sre sre_compile sre_constants sre_parse ssl stat statistics string StringIO ' +
    'stringprep struct subprocess sunau symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios test textwrap this thread ' +
    'threading time timeit tkinter Tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata ' +
    'unittest urllib urllib2 urlparse user UserDict UserList UserString usercustomize uu uuid venv warnings wave weakref webbrowser winreg _winreg ' +
    'winsound wsgiref xdrlib xml xmlrpc xmlrpclib zipapp zipfile zipimport zlib zoneinfo'
  ).split(' '),
)
