#!/usr/bin/env python3
"""usage: valid.py DIR FILE: holds FILE to CycloneDX's official JSON schema, which is in DIR."""
import json
import os
import sys
import warnings

# Debian 12's version has no other way to keep schemas at hand that refer to each other; newer ones have and say so.
warnings.simplefilter("ignore", DeprecationWarning)
import jsonschema  # noqa: E402


def load(name):
    with open(name) as file:
        return json.load(file)


folder, name = sys.argv[1:]
document = load(name)
schema = load(f"{folder}/bom-{document['specVersion']}.SNAPSHOT.schema.json")
base = os.path.dirname(schema["$id"])
others = {f"{base}/{other}": load(f"{folder}/{other}") for other in ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")}
validator = jsonschema.Draft7Validator(schema, resolver=jsonschema.RefResolver.from_schema(schema, store=others),
                                       format_checker=jsonschema.draft7_format_checker)
errors = sorted(validator.iter_errors(document), key=str)
for error in errors[:20]:
    print(f"{name}: {'/'.join(map(str, error.path))}: {error.message}")
sys.exit(len(errors) > 0)
