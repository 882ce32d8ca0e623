# SPDX-License-Identifier: GPL-2.0-only
"""Documents against docs/schema/, for the tests of ctl/ and of tools/bench."""
import re

TYPES = {"object": (dict,), "array": (list,), "string": (str,), "integer": (int,),
         "number": (int, float), "boolean": (bool,), "null": (type(None),)}
# what the schemas use; a word that is not checked must not stand in them
WORDS = {"$schema", "title", "description", "type", "enum", "minimum", "pattern", "items",
         "properties", "required", "additionalProperties"}


def is_a(value, name):
    """True and False are no numbers."""
    return isinstance(value, TYPES[name]) and (name == "boolean") == isinstance(value, bool)


def faults_of_object(value, schema, where):
    """An object has a list of names, or one schema for whatever it has."""
    known, more = schema.get("properties", {}), schema["additionalProperties"]
    required = schema["required"] if known or not more else ()
    bad = [f"{where}: {k} is missing" for k in required if k not in value]
    for k, v in value.items():
        if k in known or more:
            bad += faults(v, known.get(k, more), f"{where}.{k}")
        else:
            bad.append(f"{where}: {k} is not in the schema")
    return bad


def faults(value, schema, where="$"):
    """What is wrong with a document: a list of texts, empty if it is as the schema says."""
    if set(schema) - WORDS:
        raise ValueError(f"{where}: {set(schema) - WORDS} of the schema cannot be checked")
    if "enum" in schema:
        return [] if any(value == e and type(value) is type(e) for e in schema["enum"]) \
            else [f"{where}: {value!r}"]
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(is_a(value, n) for n in names):
        return [f"{where}: {value!r} is not {names}"]
    if isinstance(value, dict):
        return faults_of_object(value, schema, where)
    if isinstance(value, list):
        return [f for i, v in enumerate(value) for f in
                faults(v, schema["items"], f"{where}[{i}]")]
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return [f"{where}: {value!r} does not match"]
    if is_a(value, "number") and value < schema.get("minimum", value):
        return [f"{where}: {value} is too small"]
    return []
