"""What `spark-submit` is given."""

import sys

from assay_spark.__main__ import main

sys.exit(main())
