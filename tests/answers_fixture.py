# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is built or published of the schemas: the dictionary, and what documents are held against."""

import json
import os

from dictionary_fixture import SCHEMA


def built_dictionary():
    """The entries of the dictionary's JSON, in the build tree or shipped beside the sources."""
    places = [os.path.join(os.environ.get(top, ".."), "schema", "dictionary.json")
              for top in ("top_builddir", "top_srcdir")]
    path = next((place for place in places if os.path.exists(place)), places[0])
    with open(path, encoding="utf-8") as file:
        return json.load(file)["capabilities"]


def validator(name="answers.schema.json"):
    """A validator, or None, with the reason printed, where there is no module for it."""
    try:
        import jsonschema
    except ImportError:
        print("documents weren't held against %s (install python3-jsonschema)" % name)
        return None
    with open(os.path.join(SCHEMA, name), encoding="utf-8") as file:
        return jsonschema.Draft202012Validator(json.load(file))


def problems(held_by, document):
    """What is wrong with a document, with its place; [] also where there is no validator."""
    return [] if held_by is None else ["%s at %s" % (error.message, list(error.absolute_path))
                                       for error in held_by.iter_errors(document)]
