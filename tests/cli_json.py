# SPDX-License-Identifier: LGPL-2.1-or-later
"""cli_json.py SCHEMA EXPRESSION: standard input is one JSON document, it is valid, "format" comes
first in it, and the Python expression over `d` holds."""

import json
import sys

try:
    import jsonschema
except ImportError:
    print("the Python module jsonschema is not there (install python3-jsonschema)")
    sys.exit(77)

schema_file, expression = sys.argv[1:]
try:
    d = json.load(sys.stdin)
except ValueError as error:
    sys.exit(f"not one JSON document: {error}")
with open(schema_file, encoding="utf-8") as file:
    schema = json.load(file)
try:
    jsonschema.Draft202012Validator(schema).validate(d)
except jsonschema.ValidationError as error:
    sys.exit(f"not valid: {error.message} at {list(error.absolute_path)}")
if next(iter(d)) != "format":
    sys.exit(f"begins with {next(iter(d))!r} instead of 'format'")
if not eval(f"({expression})", {"d": d}):  # an expression of the test's own
    sys.exit(f"not so: {expression}\n{json.dumps(d, indent=1)[:3000]}")
