"""Writing of result files and the pages made from them: a run cut short, or two at once, never leave half a file."""

import json
import os


def write_text(path, text):
    """Puts `text` at `path` in one step; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(text)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path, data):
    """Puts `data` at `path` as JSON in one step."""
    write_text(path, json.dumps(data, indent=1) + "\n")
